/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has which address when, from the gate's notes to the store (N15). */
#ifndef DAEMON_ADDRESS_LOG_H
#define DAEMON_ADDRESS_LOG_H

#include "daemon/gatehoused.h"

/* An address in use stays in the kernel's table for 30 s behind its last use
 * (bpf/guard.h), so a look each so many seconds misses none. */
#define ADDRESS_LOG_SECONDS 15

/* Job: begins a look at all of them, or does nothing while one is under way. */
int address_log_take(struct gatehoused *g);
/* The same of one client whose record is about to go; in this turn. */
int address_log_note(struct gatehoused *g, const struct mac *mac);
/* At the end: all of them, at once. */
int address_log_take_whole(struct gatehoused *g);
/* A look that is under way ends where it is. */
void address_log_stop(struct gatehoused *g);

#endif
