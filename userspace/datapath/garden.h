/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The garden in the kernel: what clients without access may reach, by prefix
 * and by name. Written as a whole and by difference, so that what stays in it
 * never is out of it.
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
	uint32_t keep_sec; /* how long addresses of names stay at least */
};

/* Longest name: its key has room for a zero behind it. */
#define GARDEN_NAME_MAX (GH_GARDEN_NAME_MAX - 1)

struct garden_entry {
	uint32_t network; /* number of one */
	/* "example.org", or "*.example.org" for all below it; in lower case, not
	 * longer than GARDEN_NAME_MAX. NULL: it is a prefix. */
	const char *name;
	struct prefix prefix;
};

struct garden {
	struct garden_network networks[GH_NETWORKS_MAX];
	const struct garden_entry *entries;
	size_t entry_count;
};

/*
 * Makes the kernel's garden what `garden` says, from the next packet on. What
 * a name has taught goes with its name.
 * -E2BIG for more than GH_GARDEN_PREFIXES_MAX prefixes or GH_GARDEN_NAMES_MAX
 * names; then, as after any error, part of it may be in force.
 */
int garden_set(struct datapath *dp, const struct garden *garden);

/* What passed to and from a network's garden since the maps were made; sums
 * the CPUs. -ENOENT for a number beyond GH_NETWORKS_MAX - 1. */
int garden_count(struct datapath *dp, uint32_t network,
	struct gh_garden_count *ret_count);

/* An address that a name had in an answer of the box's resolver. */
struct garden_learned {
	uint32_t network;
	char name[GARDEN_NAME_MAX + 2]; /* the entry, as in garden_entry */
	struct ipaddr addr;
	uint64_t until_ns; /* CLOCK_MONOTONIC; it may have passed */
};

/* In any order, until `fn` returns other than 0, which is then returned. */
int garden_each_learned(struct datapath *dp,
	int (*fn)(void *data, const struct garden_learned *learned), void *data);

#endif
