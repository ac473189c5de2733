/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network may name one port of a bridge. Its frames pass the hooks of that
 * port, but addresses, neighbours and input are the bridge's.
 */
#include "daemon/network_link.h"

#include <string.h>

#include "base/mac.h"

const struct link *network_link(
	const struct links *links, const struct config_network *network)
{
	const struct link *link = links_by_name(links, network->interface);
	const struct link *master = link && link->master
					    ? links_by_index(links, link->master)
					    : NULL;

	return master && strcmp(master->kind, "bridge") == 0 ? master : link;
}

struct search {
	int ifindex;
	const struct mac *mac;
	bool found;
};

static void compare(void *data, const struct link *link)
{
	struct search *search = data;

	if ((link->ifindex == search->ifindex ||
		    link->master == search->ifindex) &&
		mac_equal(&link->mac, search->mac))
		search->found = true;
}

bool network_link_has_mac(const struct links *links,
	const struct config_network *network, const struct mac *mac)
{
	const struct link *link = network_link(links, network);
	struct search search = {link ? link->ifindex : 0, mac, false};

	if (link)
		links_each(links, compare, &search);
	return search.found;
}
