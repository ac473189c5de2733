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

int garden_apply(struct datapath *dp, const struct config *config)
{
	_cleanup_free_ struct garden_prefix *prefixes = xcalloc(
		CONFIG_NETWORKS_MAX * CONFIG_GARDEN_MAX, sizeof(*prefixes));
	struct garden garden = {.prefixes = prefixes};
	int i, j, ret;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		garden.networks[n->number] = (struct garden_network){
			(uint32_t)n->garden_kbps,
			(uint32_t)n->garden_network_kbps};
		for (j = 0; j < n->garden_count; j++)
			prefixes[garden.prefix_count++] = (struct garden_prefix){
				(uint32_t)n->number, n->garden[j]};
	}
	ret = garden_set(dp, &garden);
	if (ret)
		log_error("cannot write the garden: %s", strerror(-ret));
	return ret;
}
