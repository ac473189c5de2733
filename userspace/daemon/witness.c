/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of proofs: nothing here is decided, proof.c does that.
 * It starts before the control socket and ends after it, so that there is no
 * request without it.
 */
#include "daemon/witness.h"

#include <errno.h>

#include "daemon/gatehoused.h"
#include "daemon/network_link.h"
#include "net/neighbour.h"

static int seen_on(void *data, const struct mac *mac)
{
	struct gatehoused *g = data;
	struct gh_client client;
	struct gh_captive captive;

	/* A record that was just made has seen no packet yet. */
	if (clients_lookup(g->dp, mac, &client) == 0 && client.up.network)
		return (int)client.up.network;
	if (captive_lookup(g->dp, mac, &captive) == 0)
		return (int)captive.network;
	return 0;
}

static bool is_ours(void *data, const struct config_network *network,
	const struct mac *mac)
{
	struct gatehoused *g = data;

	return network_link_has_mac(attach_links(g->attach), network, mac);
}

static int answers_to(void *data, const struct config_network *network,
	const struct ipaddr *addr, uint32_t scope, struct mac *ret_mac)
{
	struct gatehoused *g = data;
	const struct link *link = network_link(attach_links(g->attach), network);

	if (!link || (scope && scope != (uint32_t)link->ifindex))
		return -ENODEV;
	return neighbour_lookup(g->neighbours, link->ifindex, addr, ret_mac);
}

int witness_start(struct gatehoused *g)
{
	int ret = neighbours_open(&g->neighbours);

	g->proof_box = (struct proof_box){.config = &g->config,
		.seen_on = seen_on,
		.is_ours = is_ours,
		.answers_to = answers_to,
		.data = g};
	return ret ?: proof_own_netns(&g->proof_box.netns);
}

void witness_stop(struct gatehoused *g)
{
	neighbours_close(g->neighbours);
}
