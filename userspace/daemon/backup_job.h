/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups from within the daemon: another process makes them, because that takes
 * seconds; the daemon hears how it went.
 */
#ifndef DAEMON_BACKUP_JOB_H
#define DAEMON_BACKUP_JOB_H

#include "daemon/gatehoused.h"

/* Job: once a day. */
int backup_daily(struct gatehoused *g);
/* One from now on: begins, or does so when the one under way is through. -EBUSY:
 * too many wait. */
int backup_begin(struct gatehoused *g);
/* After that: who gets the reply. */
void backup_wait(struct gatehoused *g, uint64_t ticket);
/* The process, if there is one, goes on alone. */
void backup_stop(struct gatehoused *g);

#endif
