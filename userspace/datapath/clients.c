/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients' records. A record is made with BPF_NOEXIST and changed only by the
 * edit program, in place: writing a whole value from here would put old
 * counters back and lose bytes. It is deleted only after it was closed and no
 * packet that saw it open is under way, so the counters read last are final.
 */
#include "datapath/clients.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <bpf/bpf.h>

#include "base/mac.h"
#include "base/util.h"
#include "datapath/bindings.h"
#include "datapath/handle.h"

static struct gh_mac key_of(const struct mac *mac)
{
	struct gh_mac key = {0};

	memcpy(key.addr, mac->addr, sizeof(key.addr));
	return key;
}

/* Each byte behind `seq` belongs to a field: the size that abi.h asserts has no hole. */
bool client_policy_equal(const struct gh_policy *a, const struct gh_policy *b)
{
	size_t from = offsetof(struct gh_policy, state);

	return memcmp((const char *)a + from, (const char *)b + from,
		       sizeof(*a) - from) == 0;
}

int datapath_edit(struct datapath *dp, struct gh_edit *edit)
{
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = edit,
		.ctx_size_in = sizeof(*edit));

	if (bpf_prog_test_run_opts(dp->programs[PROGRAM_EDIT], &opts) < 0)
		return -errno;
	return (int)opts.retval;
}

int clients_edit(struct datapath *dp, const struct mac *mac,
	const struct gh_policy *policy, struct gh_client *ret_record)
{
	struct gh_edit edit = {
		.mac = key_of(mac),
		.replace = 1,
		.record.policy = *policy,
	};
	int ret;

	ret = datapath_edit(dp, &edit);
	if (ret || !ret_record)
		return ret;
	*ret_record = edit.record;
	ret_record->policy = *policy;
	return 0;
}

int clients_put(struct datapath *dp, const struct mac *mac,
	const struct gh_policy *policy)
{
	struct gh_mac key = key_of(mac);
	struct gh_client fresh = {.policy = *policy};

	fresh.policy.seq = 0;
	if (bpf_map_update_elem(
		    dp->maps[MAP_CLIENTS], &key, &fresh, BPF_NOEXIST) == 0)
		return 0;
	if (errno == EEXIST)
		return clients_edit(dp, mac, policy, NULL);
	/* E2BIG is what the kernel says of a full hash. */
	return errno == E2BIG || errno == ENOMEM ? -ENOSPC : -errno;
}

int clients_lookup(struct datapath *dp, const struct mac *mac,
	struct gh_client *ret_record)
{
	struct gh_mac key = key_of(mac);
	struct gh_client record;

	if (bpf_map_lookup_elem(dp->maps[MAP_CLIENTS], &key, &record) < 0)
		return -errno;
	*ret_record = record;
	return 0;
}

/* Removal. */

/*
 * MEMBARRIER_CMD_GLOBAL is synchronize_rcu(), and BPF programs on packets run
 * under RCU. Kernels with nohz_full refuse it; there the time a packet could
 * take at the very most must do.
 */
void clients_wait_for_packets(void)
{
	struct timespec left = {.tv_nsec = 20 * NSEC_PER_MSEC};

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static int close_row(struct datapath *dp, struct client *row)
{
	uint64_t wanted = row->record.policy.record_id;
	struct gh_client record;
	int ret;

	row->is_found = false;
	memset(&row->record, 0, sizeof(row->record));
	ret = clients_lookup(dp, &row->mac, &record);
	if (ret == -ENOENT ||
		(!ret && wanted && record.policy.record_id != wanted))
		return 0;
	if (ret)
		return ret;
	record.policy.state = GH_STATE_CLOSED;
	ret = clients_edit(dp, &row->mac, &record.policy, &row->record);
	row->is_found = !ret;
	return ret == -ENOENT ? 0 : ret;
}

static int delete_row(struct datapath *dp, struct client *row)
{
	struct gh_mac key = key_of(&row->mac);
	int ret;

	if (!row->is_found)
		return 0;
	ret = clients_lookup(dp, &row->mac, &row->record);
	if (!ret && bpf_map_delete_elem(dp->maps[MAP_CLIENTS], &key) < 0)
		ret = -errno;
	return ret ?: bindings_forget(dp, &row->mac);
}

int clients_remove(struct datapath *dp, struct client *rows, size_t n)
{
	bool any = false;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = close_row(dp, &rows[i]);
		if (ret)
			return ret;
		any = any || rows[i].is_found;
	}
	if (!any)
		return 0;
	clients_wait_for_packets();
	for (i = 0; i < n; i++) {
		ret = delete_row(dp, &rows[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* Walks. */

struct client_walk {
	int (*fn)(void *data, const struct client *client);
	void *data;
};

static struct mac mac_of(const void *key)
{
	struct mac mac;

	memcpy(mac.addr, key, sizeof(mac.addr));
	return mac;
}

static int visit_client(void *data, const void *key, const void *value)
{
	const struct client_walk *walk = data;
	struct client client = {.mac = mac_of(key)};

	memcpy(&client.record, value, sizeof(client.record));
	return walk->fn(walk->data, &client);
}

int clients_each(struct datapath *dp,
	int (*fn)(void *data, const struct client *client), void *data)
{
	struct client_walk walk = {fn, data};

	return map_each(dp->maps[MAP_CLIENTS], sizeof(struct gh_mac),
		sizeof(struct gh_client), visit_client, &walk);
}

struct clients_walk {
	struct map_walk *map;
};

struct clients_walk *clients_walk_new(struct datapath *dp)
{
	struct clients_walk *walk = xcalloc(1, sizeof(*walk));

	walk->map = map_walk_new(dp->maps[MAP_CLIENTS], sizeof(struct gh_mac),
		sizeof(struct gh_client));
	return walk;
}

void clients_walk_free(struct clients_walk *walk)
{
	if (walk)
		map_walk_free(walk->map);
	free(walk);
}

int clients_walk_next(struct clients_walk *walk,
	int (*fn)(void *data, const struct client *client), void *data,
	bool *ret_more)
{
	struct client_walk visit = {fn, data};

	return map_walk_next(walk->map, visit_client, &visit, ret_more);
}

struct captive_walk {
	int (*fn)(void *data, const struct captive *captive);
	void *data;
};

static int visit_captive(void *data, const void *key, const void *value)
{
	const struct captive_walk *walk = data;
	struct captive captive = {.mac = mac_of(key)};

	memcpy(&captive.record, value, sizeof(captive.record));
	return walk->fn(walk->data, &captive);
}

int captive_each(struct datapath *dp,
	int (*fn)(void *data, const struct captive *captive), void *data)
{
	struct captive_walk walk = {fn, data};

	return map_each(dp->maps[MAP_CAPTIVE], sizeof(struct gh_mac),
		sizeof(struct gh_captive), visit_captive, &walk);
}

int captive_lookup(struct datapath *dp, const struct mac *mac,
	struct gh_captive *ret_captive)
{
	struct gh_mac key = key_of(mac);
	struct gh_captive captive;

	if (bpf_map_lookup_elem(dp->maps[MAP_CAPTIVE], &key, &captive) < 0)
		return -errno;
	*ret_captive = captive;
	return 0;
}

/* Comparing with what should be. */

/*
 * Wants by MAC: slots, a power of two of them and half free, hold their places
 * in the list plus one. (Sorted, a million of them took 20 misses of the cache
 * to find each.)
 */
struct want_index {
	const struct client_want *want;
	uint32_t *slots;
	size_t size;
};

/* The slot that has it, or is to have it. */
static uint32_t *want_slot(const struct want_index *index, const struct mac *mac)
{
	size_t at = mac_hash(mac) & (index->size - 1);

	while (index->slots[at] &&
		!mac_equal(&index->want[index->slots[at] - 1].mac, mac))
		at = (at + 1) & (index->size - 1);
	return &index->slots[at];
}

/* -EINVAL: one is there twice. */
static int want_index_make(struct want_index *index,
	const struct client_want *want, size_t n)
{
	uint32_t *slot;

	if (n >= UINT32_MAX / 2)
		return -EINVAL;
	*index = (struct want_index){.want = want, .size = 2};
	while (index->size < 2 * n)
		index->size *= 2;
	index->slots = calloc(index->size, sizeof(*index->slots));
	if (!index->slots)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		slot = want_slot(index, &want[i].mac);
		if (*slot)
			return -EINVAL;
		*slot = (uint32_t)i + 1;
	}
	return 0;
}

static void want_index_free(struct want_index *index)
{
	free(index->slots);
}

struct comparison {
	const struct client_want *want;
	struct want_index index;
	bool *seen;
	int (*fn)(void *data, enum client_difference difference,
		const struct client_want *want, const struct client *have);
	void *data;
};

static int compare_one(void *data, const struct client *have)
{
	struct comparison *c = data;
	uint32_t slot = *want_slot(&c->index, &have->mac);
	const struct client_want *want;

	if (!slot)
		return c->fn(c->data, CLIENT_UNKNOWN, NULL, have);
	want = &c->want[slot - 1];
	c->seen[slot - 1] = true;
	if (want->policy.record_id != have->record.policy.record_id)
		return c->fn(c->data, CLIENT_OTHER, want, have);
	if (!client_policy_equal(&want->policy, &have->record.policy))
		return c->fn(c->data, CLIENT_DIFFERENT, want, have);
	return 0;
}

static int compare_all(struct datapath *dp, struct comparison *c, size_t n)
{
	int ret = clients_each(dp, compare_one, c);

	for (size_t i = 0; !ret && i < n; i++)
		if (!c->seen[i])
			ret = c->fn(c->data, CLIENT_MISSING, &c->want[i], NULL);
	return ret;
}

int clients_compare(struct datapath *dp, const struct client_want *want, size_t n,
	int (*fn)(void *data, enum client_difference difference,
		const struct client_want *want, const struct client *have),
	void *data)
{
	_cleanup_free_ bool *seen = calloc(n ? n : 1, sizeof(*seen));
	struct comparison c = {.want = want, .seen = seen, .fn = fn, .data = data};
	int ret = seen ? want_index_make(&c.index, want, n) : -ENOMEM;

	if (!ret)
		ret = compare_all(dp, &c, n);
	want_index_free(&c.index);
	return ret;
}

/* Making it so. */

/*
 * Edits are done on the way. What goes and what comes is gathered: all
 * removals share one wait, and a replaced record must be gone first.
 */
struct syncing {
	struct datapath *dp;
	struct clients_synced done;
	struct client *gone;
	size_t gone_count, gone_size;
	const struct client_want **fresh;
	size_t fresh_count, fresh_size;
};

static void free_syncing(struct syncing *s)
{
	free(s->gone);
	free(s->fresh);
}

static void queue_gone(struct syncing *s, const struct client *have)
{
	ARRAY_GROW(s->gone, s->gone_count, s->gone_size);
	s->gone[s->gone_count++] = *have;
}

static void queue_fresh(struct syncing *s, const struct client_want *want)
{
	ARRAY_GROW(s->fresh, s->fresh_count, s->fresh_size);
	s->fresh[s->fresh_count++] = want;
}

static int sync_one(void *data, enum client_difference difference,
	const struct client_want *want, const struct client *have)
{
	struct syncing *s = data;
	int ret = 0;

	switch (difference) {
	case CLIENT_DIFFERENT:
		ret = clients_edit(s->dp, &want->mac, &want->policy, NULL);
		s->done.edited += !ret;
		break;
	case CLIENT_OTHER:
		queue_gone(s, have);
		queue_fresh(s, want);
		break;
	case CLIENT_UNKNOWN:
		queue_gone(s, have);
		break;
	case CLIENT_MISSING:
		queue_fresh(s, want);
		break;
	}
	return ret;
}

static int sync_gone(struct syncing *s,
	void (*removed)(void *data, const struct client *final), void *data)
{
	size_t i;
	int ret;

	ret = clients_remove(s->dp, s->gone, s->gone_count);
	if (ret)
		return ret;
	for (i = 0; i < s->gone_count; i++)
		if (removed)
			removed(data, &s->gone[i]);
	s->done.removed = s->gone_count;
	return 0;
}

static int sync_fresh(struct syncing *s)
{
	size_t i;
	int ret;

	for (i = 0; i < s->fresh_count; i++) {
		ret = clients_put(s->dp, &s->fresh[i]->mac, &s->fresh[i]->policy);
		if (ret && ret != -ENOSPC)
			return ret;
		s->done.put += !ret;
		s->done.failed += ret == -ENOSPC;
	}
	return 0;
}

int clients_sync(struct datapath *dp, const struct client_want *want, size_t n,
	void (*removed)(void *data, const struct client *final), void *data,
	struct clients_synced *ret_synced)
{
	_cleanup_(free_syncing) struct syncing s = {.dp = dp};
	int ret;

	ret = clients_compare(dp, want, n, sync_one, &s);
	if (!ret)
		ret = sync_gone(&s, removed, data);
	if (!ret)
		ret = sync_fresh(&s);
	if (ret)
		return ret;
	*ret_synced = s.done;
	return s.done.failed ? -ENOSPC : 0;
}
