/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups and their way back. `gatehoused --backup` makes them, in a process of
 * its own: by hand, or started by the daemon (backup_job.h). Each one is made
 * anew and counts only when it was opened, checked and compared:
 *
 *   STATE_DIR/gatehouse.db.copy     plain, for a start with a damaged database
 *   DIRECTORY/gatehouse-TIME-N.backup  encrypted, if [backup] names a key; N is
 *                                   the last line of spent.log that it knows
 */
#ifndef DAEMON_BACKUP_H
#define DAEMON_BACKUP_H

#include "base/config.h"

struct backup_report {
	char path[PATH_MAX]; /* the newest one */
	bool is_sealed;
	int64_t bytes, rows;
	int64_t needed; /* lines of spent.log above this are needed */
};
/* Makes them; faults are logged. -EBUSY: somebody else does. */
int backup_make(const struct config *config, struct backup_report *ret_report);

/*
 * Puts a backup, encrypted or plain, in the place of the database, which is set
 * aside. No daemon may run. `key_file` has the passphrase or the secret key on
 * its first line; "-": standard input. Faults are logged.
 */
int backup_restore(const struct config *config, const char *path,
	const char *key_file);

char *backup_db_path(const struct config *config);
char *backup_copy_path(const struct config *config);
/* Renames the database, with what belongs to it, to its name, `why` and the time
 * of day; `ret_name` (to be freed) is that. */
int backup_set_aside(
	const struct config *config, const char *why, char **ret_name);
/* The plain copy in the place of a database that is not there. -ENOENT: there is
 * none. */
int backup_put_copy(const struct config *config);

#endif
