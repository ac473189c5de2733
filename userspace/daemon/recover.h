/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start with a store that is older than what happened since: a backup. What
 * spent.log and the kernel's records know besides goes into it, before anything
 * else is stored.
 */
#ifndef DAEMON_RECOVER_H
#define DAEMON_RECOVER_H

#include "daemon/gatehoused.h"

/* A step of the start, between the datapath and the records; mostly there is
 * nothing to do. Logs its errors. */
int recover(struct gatehoused *g);

#endif
