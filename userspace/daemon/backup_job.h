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
/* Begins one, or joins the one under way; the reply goes to `ticket`, unless it
 * is 0. */
int backup_begin(struct gatehoused *g, uint64_t ticket);
/* The process, if there is one, goes on alone. */
void backup_stop(struct gatehoused *g);

#endif
