/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an IP address is, as the source check has it: `bindings` and `guards`.
 * The kernel makes both; here they are shown, and removed with their client.
 */
#ifndef DATAPATH_BINDINGS_H
#define DATAPATH_BINDINGS_H

#include "datapath/datapath.h"

struct binding {
	struct ipaddr ip;
	struct mac mac;
	uint64_t seen_ns;  /* CLOCK_MONOTONIC, to a second */
	uint64_t lease_ns; /* DHCP of the box gave it until then; 0: never */
	uint32_t network;
};

/* Calls `fn` for each until it returns other than 0, which is then returned. */
int bindings_each(struct datapath *dp,
	int (*fn)(void *data, const struct binding *binding), void *data);

/* The same in parts, which may be far apart in time; `*ret_more` false: that was
 * the last. */
struct bindings_walk;
struct bindings_walk *bindings_walk_new(struct datapath *dp);
void bindings_walk_free(struct bindings_walk *walk);
int bindings_walk_next(struct bindings_walk *walk,
	int (*fn)(void *data, const struct binding *binding), void *data,
	bool *ret_more);

/* Those that a running client took by using them; at most GH_GUARD_ADDRESSES. */
int bindings_of(struct datapath *dp, const struct mac *mac,
	int (*fn)(void *data, const struct binding *binding), void *data);

/* The addresses that were heard of late, whoever used them and rightly or not:
 * all there is where sources are not checked. */
int sightings_each(struct datapath *dp,
	int (*fn)(void *data, const struct binding *binding), void *data);

/* A client's record is gone: so is what it took by using it. What DHCP gave
 * it stays until the lease is over. */
int bindings_forget(struct datapath *dp, const struct mac *mac);

/* Removes what is out of use: at `now_ns` no lease, and not seen for an hour.
 * Guards without a record go as well. Returns how many, or negative errno. */
int bindings_clean(struct datapath *dp, uint64_t now_ns);

/* Forgets that a client without a record was there. */
int sightings_forget(struct datapath *dp, const struct mac *mac);

/* Forgets who was captive, and what was heard, before `before_ns`. The same. */
int sightings_clean(struct datapath *dp, uint64_t before_ns);

#endif
