/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the box's interfaces its guests speak to. */
#ifndef DAEMON_NETWORK_LINK_H
#define DAEMON_NETWORK_LINK_H

#include "base/config.h"
#include "net/link.h"

/*
 * Where the box has a network's packets and neighbours: the interface that the
 * configuration names, or the bridge that this one is a port of. NULL: absent.
 */
const struct link *network_link(
	const struct links *links, const struct config_network *network);

/* Do frames to `mac` reach the box there? A bridge takes its ports' too. */
bool network_link_has_mac(const struct links *links,
	const struct config_network *network, const struct mac *mac);

#endif
