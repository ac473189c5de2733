/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the box knows of clients without asking them: the gate, the interfaces
 * and the neighbour table, as proofs (proof.h) are held against them.
 */
#ifndef DAEMON_WITNESS_H
#define DAEMON_WITNESS_H

struct gatehoused;

/* Makes g->proof_box. -errno. */
int witness_start(struct gatehoused *g);
void witness_stop(struct gatehoused *g);

#endif
