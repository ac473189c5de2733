/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network's record in the kernel says: portal, limits, redirect text,
 * and which destinations are outside, the box, or inside (docs/design.md G8).
 * Pure: configuration and addresses in, record out.
 */
#ifndef DAEMON_NETWORK_RECORD_H
#define DAEMON_NETWORK_RECORD_H

#include <stddef.h>

#include "base/config.h"
#include "gatehouse/abi.h"

/* Whose an address of the box is, as seen from one network. */
enum address_owner {
	ADDRESS_OWNER_SELF,  /* on this network's own interface */
	ADDRESS_OWNER_GUEST, /* on the interface of another configured network */
	ADDRESS_OWNER_OTHER, /* uplink, management, loopback */
};

struct box_address {
	enum address_owner owner;
	struct prefix prefix; /* host bits set */
};

/*
 * Address rules, first match: what `reach` lists; the network's own addresses
 * (BOX); its prefixes (LINK); then INSIDE: all other addresses of the box,
 * broadcast and anycast ones included, the prefixes of other guest networks,
 * link-local ones, and with block_private private ranges and every prefix that
 * the box has on a link.
 *   -E2BIG         more than GH_PREFIXES_MAX rules in a family
 *   -ENAMETOOLONG  the redirect text does not fit GH_LOCATION_MAX
 * `ret_network` is written on success only.
 */
int network_record_make(const struct config *config,
	const struct config_network *network,
	const struct box_address *addresses, size_t n,
	struct gh_network *ret_network);

/* Who answers what its captive guests ask of other DNS servers; zero: nobody. */
struct ipaddr network_resolver(const struct config_network *network, bool is_v6);

#endif
