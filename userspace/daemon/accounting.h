/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep: the kernel's counters into the store, and a look at every record
 * on the way. */
#ifndef DAEMON_ACCOUNTING_H
#define DAEMON_ACCOUNTING_H

#include "daemon/gatehoused.h"

/*
 * Job. Reads every record once: counters that moved are folded, a record that
 * is not what it should be is put right (G2), and the clock of this boot is
 * noted. Safe to repeat; costs the store nothing for clients at rest. Returns
 * after its first 10 ms; the rest follows in as small parts, in turns of the loop.
 */
int accounting_sweep(struct gatehoused *g);
/* All of it at once, for the last one. */
int accounting_sweep_whole(struct gatehoused *g);

#endif
