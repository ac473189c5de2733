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
 *   a VLAN device above a gated interface: its frames would be judged, and
 *   charged, twice; above a retired one, they would all be dropped.
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
};

/* Looks for each of the gated interfaces. Negative errno when the kernel does
 * not answer; then `gated` holds what was found by then. */
int bypass_find(const struct links *links, struct bypass *gated, size_t n);

#endif
