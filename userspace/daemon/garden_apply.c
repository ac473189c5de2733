/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gathers the gardens of all networks for datapath/garden.c, which writes the
 * difference. A network that the file no longer names has no garden.
 */
#include "daemon/garden_apply.h"

#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "datapath/garden.h"

_Static_assert(CONFIG_GARDEN_TEXT - 1 <= GARDEN_NAME_MAX, "any name fits");

static struct garden_entry entry_of(
	const struct config_network *network, const struct config_garden *from)
{
	return (struct garden_entry){.network = (uint32_t)network->number,
		.name = from->is_name ? from->text : NULL,
		.prefix = from->prefix};
}

int garden_apply(struct datapath *dp, const struct config *config)
{
	_cleanup_free_ struct garden_entry *entries = xcalloc(
		CONFIG_NETWORKS_MAX * CONFIG_GARDEN_MAX, sizeof(*entries));
	struct garden garden = {.entries = entries};
	int i, j, ret;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		garden.networks[n->number] = (struct garden_network){
			(uint32_t)n->garden_kbps,
			(uint32_t)n->garden_network_kbps,
			(uint32_t)n->garden_keep_seconds};
		for (j = 0; j < n->garden_count; j++)
			entries[garden.entry_count++] =
				entry_of(n, &n->garden[j]);
	}
	ret = garden_set(dp, &garden);
	if (ret)
		log_error("cannot write the garden: %s", strerror(-ret));
	return ret;
}
