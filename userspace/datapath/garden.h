/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The garden in the kernel: what clients without access may reach. Written as
 * a whole and by difference, so that what stays in it never is out of it.
 */
#ifndef DATAPATH_GARDEN_H
#define DATAPATH_GARDEN_H

#include <stddef.h>

#include "base/ip.h"
#include "datapath/datapath.h"

/* One network's garden, by its number. All zero: none. */
struct garden_network {
	uint32_t kbps; /* one client, up and down together; 0: no limit */
	uint32_t network_kbps; /* all of them */
};

struct garden_prefix {
	uint32_t network; /* number of one */
	struct prefix prefix;
};

struct garden {
	struct garden_network networks[GH_NETWORKS_MAX];
	const struct garden_prefix *prefixes;
	size_t prefix_count;
};

/*
 * Makes the kernel's garden what `garden` says, from the next packet on.
 * -E2BIG for more than GH_GARDEN_PREFIXES_MAX prefixes; then, as after any
 * error, part of it may be in force.
 */
int garden_set(struct datapath *dp, const struct garden *garden);

/* What passed to and from a network's garden since the maps were made; sums
 * the CPUs. -ENOENT for a number beyond GH_NETWORKS_MAX - 1. */
int garden_count(struct datapath *dp, uint32_t network,
	struct gh_garden_count *ret_count);

#endif
