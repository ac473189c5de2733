/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the garden's maps and reads what the kernel learned. An entry that is
 * wanted and there is not touched; one that is not wanted goes after those that
 * are new have come.
 *
 * A name's number is what its addresses are known by, so it stays the same
 * while the name is there, whatever process wrote it.
 */
#include "datapath/garden.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/handle.h"

/* Rows of a trie: each is a key with its value behind it. */
struct rows {
	size_t key_size, row_size;
	char *row;
	size_t count, size;
};

static void free_rows(struct rows *rows)
{
	free(rows->row);
}

static void *add_row(struct rows *rows)
{
	rows->row = array_grow(
		rows->row, rows->count, &rows->size, rows->row_size);
	memset(rows->row + rows->count * rows->row_size, 0, rows->row_size);
	return rows->row + rows->count++ * rows->row_size;
}

static void *row_at(const struct rows *rows, size_t i)
{
	return rows->row + i * rows->row_size;
}

/* The row with that key; NULL: none. */
static void *find_row(const struct rows *rows, const void *key)
{
	size_t i;

	for (i = 0; i < rows->count; i++)
		if (!memcmp(row_at(rows, i), key, rows->key_size))
			return row_at(rows, i);
	return NULL;
}

/* All that a trie has. Nothing is removed meanwhile: it walks in an order of
 * its own. */
static int read_rows(int map, struct rows *rows)
{
	_cleanup_free_ char *key = xcalloc(1, rows->key_size);
	bool is_first = true;

	while (bpf_map_get_next_key(map, is_first ? NULL : key, key) == 0) {
		char *row = add_row(rows);

		is_first = false;
		memcpy(row, key, rows->key_size);
		if (bpf_map_lookup_elem(map, key, row + rows->key_size) < 0)
			return -errno;
	}
	return errno == ENOENT ? 0 : -errno;
}

/* From what a trie has to what it shall have. */
static int write_rows(int map, const struct rows *had, const struct rows *want)
{
	size_t i;

	for (i = 0; i < want->count; i++) {
		const char *row = row_at(want, i), *old = find_row(had, row);

		if (old && !memcmp(old, row, want->row_size))
			continue;
		if (bpf_map_update_elem(map, row, row + want->key_size, BPF_ANY) < 0)
			return errno == ENOSPC ? -E2BIG : -errno;
	}
	for (i = 0; i < had->count; i++)
		if (!find_row(want, row_at(had, i)) &&
			bpf_map_delete_elem(map, row_at(had, i)) < 0 &&
			errno != ENOENT)
			return -errno;
	return 0;
}

struct prefix_row {
	struct gh_garden_prefix key;
	uint32_t one;
};

#define PREFIX_ROWS \
	{.key_size = sizeof(struct gh_garden_prefix), \
		.row_size = sizeof(struct prefix_row)}

/* What host bits are set is no part of a prefix. */
static struct gh_garden_prefix prefix_key(const struct garden_entry *from)
{
	struct gh_garden_prefix key = {
		.bits = 32U + from->prefix.len, .network = from->network};
	int bit;

	memcpy(&key.addr, &from->prefix.addr, sizeof(key.addr));
	for (bit = from->prefix.len; bit < 128; bit++)
		key.addr.addr[bit / 8] &= ~(0x80 >> bit % 8);
	return key;
}

static int set_prefixes(struct datapath *dp, const struct garden *garden)
{
	_cleanup_(free_rows) struct rows had = PREFIX_ROWS;
	_cleanup_(free_rows) struct rows want = PREFIX_ROWS;
	int map = dp->maps[MAP_GARDEN_PREFIXES], ret;
	size_t i;

	for (i = 0; i < garden->entry_count; i++)
		if (!garden->entries[i].name)
			*(struct prefix_row *)add_row(&want) = (struct prefix_row){
				prefix_key(&garden->entries[i]), 1};
	ret = read_rows(map, &had);
	return ret ?: write_rows(map, &had, &want);
}

struct name_row {
	struct gh_garden_name key;
	struct gh_garden_topic topic;
};

#define NAME_ROWS \
	{.key_size = sizeof(struct gh_garden_name), \
		.row_size = sizeof(struct name_row)}

/* From the end to the beginning, and a zero or, for all names below, a dot. */
static struct gh_garden_name name_key(const struct garden_entry *from)
{
	struct gh_garden_name key = {.network = from->network};
	const char *name = from->name;
	size_t len, i;

	if (name[0] == '*')
		name++;
	len = strlen(name);
	for (i = 0; i < len; i++)
		key.name[i] = name[len - 1 - i];
	key.bits = 32 + 8 * (uint32_t)(len + (name == from->name));
	return key;
}

static void name_text(
	const struct gh_garden_name *key, char ret_text[static GARDEN_NAME_MAX + 2])
{
	size_t len = (key->bits - 32) / 8, i, at = 0;
	bool is_exact = !key->name[len - 1];

	if (is_exact)
		len--;
	else
		ret_text[at++] = '*';
	for (i = 0; i < len; i++)
		ret_text[at++] = key->name[len - 1 - i];
	ret_text[at] = '\0';
}

static uint32_t last_number(const struct rows *rows)
{
	uint32_t last = 0;
	size_t i;

	for (i = 0; i < rows->count; i++) {
		const struct name_row *row = row_at(rows, i);

		last = MAX(last, row->topic.name);
	}
	return last;
}

static void want_names(
	const struct garden *garden, const struct rows *had, struct rows *want)
{
	uint32_t last = last_number(had);
	size_t i;

	for (i = 0; i < garden->entry_count; i++) {
		const struct garden_entry *entry = &garden->entries[i];
		const struct name_row *old;
		struct gh_garden_name key;

		if (!entry->name)
			continue;
		key = name_key(entry);
		if (find_row(want, &key))
			continue;
		old = find_row(had, &key);
		*(struct name_row *)add_row(want) = (struct name_row){.key = key,
			.topic = {.name = old ? old->topic.name : ++last,
				.keep_s = garden->networks[entry->network]
						  .keep_sec}};
	}
}

/* The entry that an address is known by; NULL: it is gone. */
static const struct name_row *entry_of(const struct rows *rows,
	const struct gh_garden_address *key, const struct gh_garden_learned *learned)
{
	size_t i;

	for (i = 0; i < rows->count; i++) {
		const struct name_row *row = row_at(rows, i);

		if (row->topic.name == learned->name &&
			row->key.network == key->network)
			return row;
	}
	return NULL;
}

struct forgetting {
	const struct rows *names;
	int map;
};

static int forget_address(void *data, const void *key, const void *value)
{
	const struct forgetting *f = data;

	if (!entry_of(f->names, key, value) &&
		bpf_map_delete_elem(f->map, key) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static bool has_all(const struct rows *rows, const struct rows *of)
{
	size_t i;

	for (i = 0; i < of->count; i++)
		if (!find_row(rows, row_at(of, i)))
			return false;
	return true;
}

/* What was learned by names that are gone. */
static int forget(
	struct datapath *dp, const struct rows *had, const struct rows *names)
{
	struct forgetting f = {names, dp->maps[MAP_GARDEN_LEARNED]};

	/* A packet may be about to teach by one of them. */
	if (!has_all(names, had))
		clients_wait_for_packets();
	return map_each(f.map, sizeof(struct gh_garden_address),
		sizeof(struct gh_garden_learned), forget_address, &f);
}

static int set_names(struct datapath *dp, const struct garden *garden)
{
	_cleanup_(free_rows) struct rows had = NAME_ROWS;
	_cleanup_(free_rows) struct rows want = NAME_ROWS;
	int map = dp->maps[MAP_GARDEN_NAMES];
	int ret = read_rows(map, &had);

	if (ret)
		return ret;
	want_names(garden, &had, &want);
	ret = write_rows(map, &had, &want);
	return ret ?: forget(dp, &had, &want);
}

static uint32_t flags_of(const struct garden *garden, uint32_t network)
{
	uint32_t flags = 0;
	size_t i;

	for (i = 0; i < garden->entry_count; i++)
		if (garden->entries[i].network == network)
			flags |= garden->entries[i].name ? GH_GARDEN_NAMES
							 : GH_GARDEN_PREFIXES;
	return flags;
}

static int set_networks(struct datapath *dp, const struct garden *garden)
{
	uint32_t number;

	for (number = 1; number < GH_NETWORKS_MAX; number++) {
		const struct garden_network *from = &garden->networks[number];
		struct gh_garden record = {
			.flags = flags_of(garden, number),
			.price = datapath_price(from->kbps),
			.network_price = datapath_price(from->network_kbps),
		}, old;
		int map = dp->maps[MAP_GARDENS];

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

	if (!ret)
		ret = set_prefixes(dp, garden);
	return ret ?: set_names(dp, garden);
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

struct learned_walk {
	int (*fn)(void *data, const struct garden_learned *learned);
	void *data;
	const struct rows *names;
};

static int visit_learned(void *data, const void *key, const void *value)
{
	const struct learned_walk *walk = data;
	const struct gh_garden_address *address = key;
	const struct gh_garden_learned *from = value;
	const struct name_row *row = entry_of(walk->names, address, from);
	struct garden_learned learned = {
		.network = address->network, .until_ns = from->until_ns};

	if (!row)
		return 0;
	name_text(&row->key, learned.name);
	memcpy(&learned.addr, &address->addr, sizeof(learned.addr));
	return walk->fn(walk->data, &learned);
}

int garden_each_learned(struct datapath *dp,
	int (*fn)(void *data, const struct garden_learned *learned), void *data)
{
	_cleanup_(free_rows) struct rows names = NAME_ROWS;
	struct learned_walk walk = {fn, data, &names};
	int ret = read_rows(dp->maps[MAP_GARDEN_NAMES], &names);

	return ret ?: map_each(dp->maps[MAP_GARDEN_LEARNED],
			      sizeof(struct gh_garden_address),
			      sizeof(struct gh_garden_learned), visit_learned,
			      &walk);
}
