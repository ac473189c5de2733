/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To which MAC the kernel sends what is for an address of a link: one entry of
 * its neighbour table, asked for by rtnetlink. Anyone on the link can write
 * into that table, so it may confirm what is known otherwise and no more.
 */
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include "gatehouse/types.h"

struct neighbours;

int neighbours_open(struct neighbours **ret_neighbours);
/* NULL is fine. */
void neighbours_close(struct neighbours *neighbours);

/*
 * -ENOENT: no entry on that interface (of a bridge's ports the bridge has
 * them), or one without a MAC: still being asked for, or without an answer.
 * Does not wait.
 */
int neighbour_lookup(struct neighbours *neighbours, int ifindex,
	const struct ipaddr *addr, struct mac *ret_mac);

#endif
