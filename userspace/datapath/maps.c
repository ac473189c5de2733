/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two arrays that say where a frame is: `networks` and `interfaces`, and
 * the batched walk over a map that all readers share. An array element is
 * written in place while packets read it, so it is written only when it
 * differs.
 */
#include "datapath/datapath.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/util.h"
#include "datapath/handle.h"

#define BATCH	  1024
#define BATCH_MAX (1U << 20) /* no bucket holds more */

struct batch {
	char *keys;
	char *values;
	uint32_t size;
};

static void free_batch(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
}

static int grow_batch(struct batch *batch, size_t key_size, size_t value_size)
{
	uint32_t size = batch->size ? 2 * batch->size : BATCH;

	if (size > BATCH_MAX)
		return -E2BIG;
	free_batch(batch);
	batch->size = size;
	batch->keys = xcalloc(size, key_size);
	batch->values = xcalloc(size, value_size);
	return 0;
}

struct map_walk {
	int fd;
	size_t key_size, value_size;
	struct batch batch;
	uint32_t position; /* of the kernel, behind the last batch */
	bool begun;
};

struct map_walk *map_walk_new(int map_fd, size_t key_size, size_t value_size)
{
	struct map_walk *walk = xcalloc(1, sizeof(*walk));

	walk->fd = map_fd;
	walk->key_size = key_size;
	walk->value_size = value_size;
	grow_batch(&walk->batch, key_size, value_size);
	return walk;
}

void map_walk_free(struct map_walk *walk)
{
	if (walk)
		free_batch(&walk->batch);
	free(walk);
}

int map_walk_next(struct map_walk *walk,
	int (*fn)(void *data, const void *key, const void *value), void *data,
	bool *ret_more)
{
	struct batch *batch = &walk->batch;
	uint32_t next, i, n;
	int ret, end;

	for (;;) {
		n = batch->size;
		end = bpf_map_lookup_batch(walk->fd,
			walk->begun ? &walk->position : NULL, &next,
			batch->keys, batch->values, &n, NULL);
		if (end >= 0 || errno != ENOSPC)
			break;
		/* A bucket with more elements than the batch. */
		ret = grow_batch(batch, walk->key_size, walk->value_size);
		if (ret)
			return ret;
	}
	if (end < 0 && errno != ENOENT)
		return -errno;
	walk->position = next;
	walk->begun = true;
	*ret_more = end >= 0;
	for (i = 0; i < n; i++) {
		ret = fn(data, batch->keys + i * walk->key_size,
			batch->values + i * walk->value_size);
		if (ret)
			return ret;
	}
	return 0;
}

int map_each(int map_fd, size_t key_size, size_t value_size,
	int (*fn)(void *data, const void *key, const void *value), void *data)
{
	struct map_walk *walk = map_walk_new(map_fd, key_size, value_size);
	bool more = true;
	int ret = 0;

	while (!ret && more)
		ret = map_walk_next(walk, fn, data, &more);
	map_walk_free(walk);
	return ret;
}

static int set_if_different(
	int map_fd, uint32_t index, const void *value, void *old, size_t size)
{
	if (bpf_map_lookup_elem(map_fd, &index, old) < 0)
		return -errno;
	if (memcmp(value, old, size) == 0)
		return 0;
	return bpf_map_update_elem(map_fd, &index, value, BPF_ANY) < 0 ? -errno
								       : 0;
}

int datapath_network_set(
	struct datapath *dp, uint32_t number, const struct gh_network *network)
{
	struct gh_network old;

	if (number == 0 || number >= GH_NETWORKS_MAX)
		return -ERANGE;
	return set_if_different(
		dp->maps[MAP_NETWORKS], number, network, &old, sizeof(old));
}

int datapath_network_lookup(
	struct datapath *dp, uint32_t number, struct gh_network *ret_network)
{
	struct gh_network network;

	if (bpf_map_lookup_elem(dp->maps[MAP_NETWORKS], &number, &network) < 0)
		return -errno;
	*ret_network = network;
	return 0;
}

int datapath_interface_set(
	struct datapath *dp, int ifindex, const struct gh_interface *interface)
{
	struct gh_interface old;

	if (ifindex <= 0 || ifindex >= GH_IFINDEX_MAX)
		return -ERANGE;
	return set_if_different(dp->maps[MAP_INTERFACES], ifindex, interface,
		&old, sizeof(old));
}

int datapath_interface_lookup(
	struct datapath *dp, int ifindex, struct gh_interface *ret_interface)
{
	uint32_t key = ifindex;

	if (ifindex <= 0 || ifindex >= GH_IFINDEX_MAX)
		return -ERANGE;
	if (bpf_map_lookup_elem(dp->maps[MAP_INTERFACES], &key, ret_interface) < 0)
		return -errno;
	return 0;
}

struct interface_walk {
	int (*fn)(void *data, int ifindex, const struct gh_interface *interface);
	void *data;
};

static int visit_interface(void *data, const void *key, const void *value)
{
	static const struct gh_interface none;
	const struct interface_walk *walk = data;
	uint32_t ifindex;

	memcpy(&ifindex, key, sizeof(ifindex));
	if (memcmp(value, &none, sizeof(none)) == 0)
		return 0;
	return walk->fn(walk->data, (int)ifindex, value);
}

int datapath_interface_each(struct datapath *dp,
	int (*fn)(void *data, int ifindex, const struct gh_interface *interface),
	void *data)
{
	struct interface_walk walk = {fn, data};

	return map_each(dp->maps[MAP_INTERFACES], sizeof(uint32_t),
		sizeof(struct gh_interface), visit_interface, &walk);
}

/* One byte at 1 kbit/s takes 8 ms. */
uint64_t datapath_price(uint32_t kbps)
{
	return kbps ? (8000000ULL << 15) / kbps : 0;
}

uint32_t datapath_rate_price(int64_t kbps)
{
	if (kbps <= 0)
		return 0;
	kbps = MIN(MAX(kbps, DATAPATH_KBPS_MIN), DATAPATH_KBPS_MAX);
	return (uint32_t)datapath_price((uint32_t)kbps);
}

int64_t datapath_price_rate(uint32_t price)
{
	return price ? (int64_t)((8000000ULL << 15) / price) : 0;
}
