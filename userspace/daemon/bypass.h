/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways round the gate that others' settings of the box make: for these an
 * interface stays closed although its hooks are on it. What is found is
 * reported, never changed.
 *
 *   a flowtable that names a device below a gated one (the parent of a gated
 *   VLAN device, a port of the bridge or a member of the bond that it is on):
 *   what it carries meets neither hook. One that names gated interfaces
 *   themselves, or bridge ports that are gated, does no harm.
 *   a flowtable in hardware: what it carries meets no hook anywhere.
 *   a tc filter in hardware that sends packets on, from or to a gated interface
 *   or a device above or below one: the same.
 *   a switch that the interface is a port of and that routes to its guests.
 *   an XDP program of somebody in the card: what it answers is not seen.
 *   a network on a macvlan or ipvlan device: guests reach the box past it, by
 *   the MAC of the device that it is made on.
 *   a VLAN device above a gated interface: its frames would be judged, and
 *   charged, twice; above a retired one, they would all be dropped.
 *
 * What hardware sends on by itself, and guests who use that other MAC, are not
 * stopped by closing the rest; it makes sure that somebody looks.
 */
#ifndef DAEMON_BYPASS_H
#define DAEMON_BYPASS_H

#include <stdbool.h>
#include <stddef.h>

#include "net/link.h"

struct bypass {
	int ifindex;  /* of a gated interface: filled by the caller, as is */
	bool is_retired; /* no longer configured, and closed */
	bool by_flow; /* connections may be on that way already */
	char text[256]; /* what it is and what to do; "": there is none */
	/* Guests may meet behind it, where nobody isolates them: no way past
	 * the gate, but to be known. "": they may not. */
	char note[160];
};

/* Looks for each of the gated interfaces. Negative errno when the kernel does
 * not answer; then `gated` holds what was found by then. */
int bypass_find(const struct links *links, struct bypass *gated, size_t n);

#endif
