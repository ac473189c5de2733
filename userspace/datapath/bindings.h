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

/* A client's record is gone: so is what it took by using it. What DHCP gave
 * it stays until the lease is over. */
int bindings_forget(struct datapath *dp, const struct mac *mac);

/* Removes what is out of use: at `now_ns` no lease, and not seen for an hour.
 * Guards without a record go as well. Returns how many, or negative errno. */
int bindings_clean(struct datapath *dp, uint64_t now_ns);

#endif
