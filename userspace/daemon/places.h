/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network's record in the kernel says: portal, limits, redirect text,
 * and which destinations are outside, the box, or inside (requirements: G8).
 * Pure: configuration and addresses in, record out.
 */
#ifndef DAEMON_PLACES_H
#define DAEMON_PLACES_H

#include <stddef.h>

#include "base/config.h"
#include "gatehouse/abi.h"

/* Whose an address of the box is, as seen from one network. */
enum place_owner {
	PLACE_OWNER_SELF,  /* on this network's own interface */
	PLACE_OWNER_GUEST, /* on the interface of another configured network */
	PLACE_OWNER_OTHER, /* uplink, management, loopback */
};

struct place_address {
	enum place_owner owner;
	struct prefix prefix; /* host bits set */
};

/*
 * Address rules, first match: what `reach` lists; the network's own addresses
 * (BOX); then INSIDE: all other addresses of the box, the prefixes of this and
 * of other guest networks, link-local ones, and with block_private private
 * ranges and every prefix that the box has on a link.
 *   -E2BIG         more than GH_PREFIXES_MAX rules in a family
 *   -ENAMETOOLONG  the redirect text does not fit GH_LOCATION_MAX
 */
int places_network(const struct config *config,
	const struct config_network *network,
	const struct place_address *addresses, size_t n,
	struct gh_network *ret_network);

#endif
