/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the garden's maps. An entry that is wanted and there is not touched;
 * one that is not wanted goes after those that are new have come.
 */
#include "datapath/garden.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/handle.h"

/* Any number of keys, as a map has them. */
struct keys {
	struct gh_garden_prefix *key;
	size_t count, size;
};

static void free_keys(struct keys *keys)
{
	free(keys->key);
}

/* What host bits are set is no part of a prefix. */
static struct gh_garden_prefix prefix_key(const struct garden_prefix *from)
{
	struct gh_garden_prefix key = {
		.bits = 32U + from->prefix.len, .network = from->network};
	int bit;

	memcpy(&key.addr, &from->prefix.addr, sizeof(key.addr));
	for (bit = from->prefix.len; bit < 128; bit++)
		key.addr.addr[bit / 8] &= ~(0x80 >> bit % 8);
	return key;
}

static bool is_wanted(
	const struct garden *garden, const struct gh_garden_prefix *key)
{
	size_t i;

	for (i = 0; i < garden->prefix_count; i++) {
		struct gh_garden_prefix want = prefix_key(&garden->prefixes[i]);

		if (memcmp(&want, key, sizeof(want)) == 0)
			return true;
	}
	return false;
}

/* The trie walks in an order of its own, so nothing is removed meanwhile. */
static int find_unwanted(int map, const struct garden *garden, struct keys *ret_keys)
{
	struct gh_garden_prefix key, *previous = NULL;

	while (bpf_map_get_next_key(map, previous, &key) == 0) {
		previous = &key;
		if (is_wanted(garden, &key))
			continue;
		ARRAY_GROW(ret_keys->key, ret_keys->count, ret_keys->size);
		ret_keys->key[ret_keys->count++] = key;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int remove_keys(int map, const struct keys *keys)
{
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (bpf_map_delete_elem(map, &keys->key[i]) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

static int set_prefixes(struct datapath *dp, const struct garden *garden)
{
	_cleanup_(free_keys) struct keys unwanted = {0};
	int map = dp->maps[MAP_GARDEN_PREFIXES];
	uint32_t one = 1;
	size_t i;
	int ret;

	for (i = 0; i < garden->prefix_count; i++) {
		struct gh_garden_prefix key = prefix_key(&garden->prefixes[i]);

		if (bpf_map_update_elem(map, &key, &one, BPF_ANY) < 0)
			return errno == ENOSPC ? -E2BIG : -errno;
	}
	ret = find_unwanted(map, garden, &unwanted);
	return ret ?: remove_keys(map, &unwanted);
}

static bool has_prefix(const struct garden *garden, uint32_t network)
{
	size_t i;

	for (i = 0; i < garden->prefix_count; i++)
		if (garden->prefixes[i].network == network)
			return true;
	return false;
}

static int set_networks(struct datapath *dp, const struct garden *garden)
{
	uint32_t number;

	for (number = 1; number < GH_NETWORKS_MAX; number++) {
		const struct garden_network *from = &garden->networks[number];
		struct gh_garden record = {
			.price = datapath_price(from->kbps),
			.network_price = datapath_price(from->network_kbps),
		}, old;
		int map = dp->maps[MAP_GARDENS];

		if (has_prefix(garden, number))
			record.flags |= GH_GARDEN_PREFIXES;
		if (bpf_map_lookup_elem(map, &number, &old) < 0)
			return -errno;
		if (memcmp(&old, &record, sizeof(old)) != 0 &&
			bpf_map_update_elem(map, &number, &record, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

int garden_set(struct datapath *dp, const struct garden *garden)
{
	/* Limits before what they limit. */
	int ret = set_networks(dp, garden);

	return ret ?: set_prefixes(dp, garden);
}

int garden_count(
	struct datapath *dp, uint32_t network, struct gh_garden_count *ret_count)
{
	_cleanup_free_ struct gh_garden_count *per_cpu = NULL;
	struct gh_garden_count sum = {0};
	int cpus = libbpf_num_possible_cpus(), cpu;

	if (cpus < 0)
		return cpus;
	per_cpu = xcalloc((size_t)cpus, sizeof(*per_cpu));
	if (bpf_map_lookup_elem(
		    dp->maps[MAP_GARDEN_COUNTS], &network, per_cpu) < 0)
		return -errno;
	for (cpu = 0; cpu < cpus; cpu++) {
		sum.up_packets += per_cpu[cpu].up_packets;
		sum.up_bytes += per_cpu[cpu].up_bytes;
		sum.down_packets += per_cpu[cpu].down_packets;
		sum.down_bytes += per_cpu[cpu].down_bytes;
	}
	*ret_count = sum;
	return 0;
}
