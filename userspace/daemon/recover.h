/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start with a store that is older than what happened since: a backup. What
 * spent.log and the kernel's records know besides goes into it, before anything
 * else is stored.
 */
#ifndef DAEMON_RECOVER_H
#define DAEMON_RECOVER_H

#include "daemon/gatehoused.h"

/*
 * The database is damaged, or gone: it is set aside and the last good copy takes
 * its place. -EBADMSG: there is no copy; nothing is changed.
 */
int recover_database(struct gatehoused *g);
/* Is there a copy, and no database? */
bool recover_is_lost(const struct gatehoused *g);
/* Something in it turned out to be damaged: the next start looks at all of it. */
void recover_suspect(struct gatehoused *g);
/* Looks, if it was suspected. -EBADMSG. */
int recover_examine(struct gatehoused *g);

/* A step of the start, between the datapath and the records; mostly there is
 * nothing to do. Logs its errors. */
int recover(struct gatehoused *g);

#endif
