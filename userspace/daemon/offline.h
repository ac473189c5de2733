/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `gatehoused` does besides being the daemon, and ends: backups and the key
 * of voucher codes.
 */
#ifndef DAEMON_OFFLINE_H
#define DAEMON_OFFLINE_H

#include "base/config.h"

enum offline {
	OFFLINE_NONE = 0,
	OFFLINE_BACKUP,
	OFFLINE_RESTORE,
	OFFLINE_BACKUP_KEY,
	OFFLINE_SET_KEY,
};
struct offline_args {
	enum offline what;
	const char *path; /* of a backup */
	const char *with; /* file with its key; NULL: none */
};

/* The exit status. */
int offline_run(const struct config *config, const struct offline_args *args);

#endif
