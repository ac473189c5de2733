/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source check's tables from user space. It never writes one: a binding
 * that is removed while its owner uses it is made anew by the next packet.
 */
#include "datapath/bindings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mac.h"
#include "base/util.h"
#include "datapath/handle.h"

#define OUT_OF_USE_NS (3600ULL * NSEC_PER_SEC)

struct binding_walk {
	int (*fn)(void *data, const struct binding *binding);
	void *data;
};

static struct binding binding_of(const void *key, const void *value)
{
	struct binding binding;
	struct gh_binding row;

	memcpy(&row, value, sizeof(row));
	memcpy(binding.ip.addr, key, sizeof(binding.ip.addr));
	/* The network's number is in the key only (gatehouse/abi.h). */
	if (binding.ip.addr[0] == 0xfe && (binding.ip.addr[1] & 0xc0) == 0x80)
		memset(binding.ip.addr + 2, 0, 6);
	memcpy(binding.mac.addr, row.mac.addr, sizeof(binding.mac.addr));
	binding.seen_ns = row.seen_ns;
	binding.lease_ns = row.lease_ns;
	binding.network = row.network;
	return binding;
}

static int visit_binding(void *data, const void *key, const void *value)
{
	const struct binding_walk *walk = data;
	struct binding binding = binding_of(key, value);

	return walk->fn(walk->data, &binding);
}

int bindings_each(struct datapath *dp,
	int (*fn)(void *data, const struct binding *binding), void *data)
{
	struct binding_walk walk = {fn, data};

	return map_each(dp->maps[MAP_BINDINGS], sizeof(struct gh_ip),
		sizeof(struct gh_binding), visit_binding, &walk);
}

struct bindings_walk {
	struct map_walk *map;
};

struct bindings_walk *bindings_walk_new(struct datapath *dp)
{
	struct bindings_walk *walk = xcalloc(1, sizeof(*walk));

	walk->map = map_walk_new(dp->maps[MAP_BINDINGS], sizeof(struct gh_ip),
		sizeof(struct gh_binding));
	return walk;
}

void bindings_walk_free(struct bindings_walk *walk)
{
	if (walk)
		map_walk_free(walk->map);
	free(walk);
}

int bindings_walk_next(struct bindings_walk *walk,
	int (*fn)(void *data, const struct binding *binding), void *data,
	bool *ret_more)
{
	struct binding_walk visit = {fn, data};

	return map_walk_next(walk->map, visit_binding, &visit, ret_more);
}

int bindings_of(struct datapath *dp, const struct mac *mac,
	int (*fn)(void *data, const struct binding *binding), void *data)
{
	struct gh_mac key = {{0}, {0}};
	struct gh_binding row;
	struct binding binding;
	struct gh_guard guard;
	size_t i;
	int ret = 0;

	memcpy(key.addr, mac->addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(dp->maps[MAP_GUARDS], &key, &guard) < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; !ret && i < GH_GUARD_ADDRESSES; i++) {
		if (bpf_map_lookup_elem(dp->maps[MAP_BINDINGS],
			    &guard.addresses[i], &row) < 0)
			continue;
		binding = binding_of(&guard.addresses[i], &row);
		if (mac_equal(&binding.mac, mac))
			ret = fn(data, &binding);
	}
	return ret;
}

static int visit_sighting(void *data, const void *key, const void *value)
{
	const struct binding_walk *walk = data;
	struct binding binding = {0};
	struct gh_sighting row;

	memcpy(&row, value, sizeof(row));
	memcpy(binding.ip.addr, key, sizeof(binding.ip.addr));
	memcpy(binding.mac.addr, row.mac.addr, sizeof(binding.mac.addr));
	binding.seen_ns = row.seen_ns;
	binding.network = row.network;
	return walk->fn(walk->data, &binding);
}

int sightings_each(struct datapath *dp,
	int (*fn)(void *data, const struct binding *binding), void *data)
{
	struct binding_walk walk = {fn, data};

	return map_each(dp->maps[MAP_ADDRESSES], sizeof(struct gh_ip),
		sizeof(struct gh_sighting), visit_sighting, &walk);
}

/* -ENOENT is as good as done: the kernel removes them, too. */
static int forget(int map_fd, const void *key)
{
	return bpf_map_delete_elem(map_fd, key) < 0 && errno != ENOENT ? -errno
								       : 0;
}

static int forget_if_own(struct datapath *dp, const struct gh_ip *ip,
	const struct gh_mac *mac)
{
	struct gh_binding binding;

	if (bpf_map_lookup_elem(dp->maps[MAP_BINDINGS], ip, &binding) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (binding.lease_ns || memcmp(&binding.mac, mac, sizeof(*mac)))
		return 0;
	return forget(dp->maps[MAP_BINDINGS], ip);
}

int bindings_forget(struct datapath *dp, const struct mac *mac)
{
	struct gh_mac key = {{0}, {0}};
	struct gh_guard guard;
	size_t i;
	int ret = 0;

	memcpy(key.addr, mac->addr, sizeof(key.addr));
	if (bpf_map_lookup_elem(dp->maps[MAP_GUARDS], &key, &guard) < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; !ret && i < GH_GUARD_ADDRESSES; i++)
		ret = forget_if_own(dp, &guard.addresses[i], &key);
	return ret ?: forget(dp->maps[MAP_GUARDS], &key);
}

struct cleaning {
	struct datapath *dp;
	uint64_t now_ns;
	int removed;
};

static int clean_binding(void *data, const struct binding *binding)
{
	struct cleaning *c = data;

	if (binding->lease_ns > c->now_ns ||
		binding->seen_ns + OUT_OF_USE_NS > c->now_ns)
		return 0;
	c->removed++;
	return forget(c->dp->maps[MAP_BINDINGS], binding->ip.addr);
}

/* A crash between the two removals leaves one. */
static int clean_guard(void *data, const void *key, const void *value)
{
	struct cleaning *c = data;
	struct gh_client record;
	struct mac mac;

	if (bpf_map_lookup_elem(c->dp->maps[MAP_CLIENTS], key, &record) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	c->removed++;
	memcpy(mac.addr, key, sizeof(mac.addr));
	return bindings_forget(c->dp, &mac);
}

int bindings_clean(struct datapath *dp, uint64_t now_ns)
{
	struct cleaning c = {.dp = dp, .now_ns = now_ns};
	int ret = bindings_each(dp, clean_binding, &c);

	if (!ret)
		ret = map_each(dp->maps[MAP_GUARDS], sizeof(struct gh_mac),
			sizeof(struct gh_guard), clean_guard, &c);
	return ret ?: c.removed;
}

struct forgetting {
	struct datapath *dp;
	const struct mac *mac;
	enum datapath_map map;
};

/* Both kinds of rows begin with the MAC. */
static int forget_sighting(void *data, const void *key, const void *value)
{
	const struct forgetting *f = data;

	if (memcmp(value, f->mac->addr, sizeof(f->mac->addr)) != 0)
		return 0;
	return forget(f->dp->maps[f->map], key);
}

_Static_assert(offsetof(struct gh_binding, mac) == 0, "forget_sighting()");
_Static_assert(offsetof(struct gh_sighting, mac) == 0, "forget_sighting()");

int sightings_forget(struct datapath *dp, const struct mac *mac)
{
	struct forgetting f = {.dp = dp, .mac = mac, .map = MAP_ADDRESSES};
	struct gh_mac key = {{0}, {0}};
	int ret = map_each(dp->maps[MAP_ADDRESSES], sizeof(struct gh_ip),
		sizeof(struct gh_sighting), forget_sighting, &f);

	f.map = MAP_BINDINGS;
	if (!ret)
		ret = map_each(dp->maps[MAP_BINDINGS], sizeof(struct gh_ip),
			sizeof(struct gh_binding), forget_sighting, &f);
	memcpy(key.addr, mac->addr, sizeof(key.addr));
	if (!ret)
		ret = forget(dp->maps[MAP_CAPTIVE], &key);
	return ret ?: forget(dp->maps[MAP_GUARDS], &key);
}

static int clean_captive(void *data, const void *key, const void *value)
{
	struct cleaning *c = data;
	struct gh_captive captive;

	memcpy(&captive, value, sizeof(captive));
	if (captive.seen_ns >= c->now_ns)
		return 0;
	c->removed++;
	return forget(c->dp->maps[MAP_CAPTIVE], key);
}

static int clean_sighting(void *data, const void *key, const void *value)
{
	struct cleaning *c = data;
	struct gh_sighting sighting;

	memcpy(&sighting, value, sizeof(sighting));
	if (sighting.seen_ns >= c->now_ns)
		return 0;
	c->removed++;
	return forget(c->dp->maps[MAP_ADDRESSES], key);
}

int sightings_clean(struct datapath *dp, uint64_t before_ns)
{
	struct cleaning c = {.dp = dp, .now_ns = before_ns};
	int ret = map_each(dp->maps[MAP_CAPTIVE], sizeof(struct gh_mac),
		sizeof(struct gh_captive), clean_captive, &c);

	if (!ret)
		ret = map_each(dp->maps[MAP_ADDRESSES], sizeof(struct gh_ip),
			sizeof(struct gh_sighting), clean_sighting, &c);
	return ret ?: c.removed;
}
