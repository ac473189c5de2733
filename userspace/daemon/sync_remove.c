/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a record whose client has no grant any more: closed, then counted
 * for good, then deleted, each step on disk before the next.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/address_log.h"
#include "daemon/sync_state.h"

#define REMOVE_MAX 1024 /* at once; the others follow */

static void on_closed(void *data);

static void await_closed(struct sync *sync)
{
	/* A millisecond more than CLOSED_NS: timers go by whole ones. */
	loop_timer_start(sync->g->loop, &sync->closed_timer,
		CLOSED_NS + NSEC_PER_MSEC, 0, on_closed, sync);
}

/* Those of the bytes that a quota is about. */
static int64_t limited(uint64_t quota, int64_t up, int64_t down)
{
	return (quota & GH_QUOTA_DOWN ? 0 : up) + (quota & GH_QUOTA_UP ? 0 : down);
}

/*
 * Takes the bytes that `from` used of its credit from whoever gets it in
 * this turn. True: somebody does, with a quota.
 */
static bool deduct(
	struct sync *sync, const struct cached_record *from, int64_t up, int64_t down)
{
	struct cached_record *to;
	bool any = false;

	for (to = sync->dirty; to && from->credit_id; to = to->dirty_next) {
		uint64_t quota = to->next.quota_bytes;

		if (to->action != ENTRY_PUT ||
			to->credit_id != from->credit_id ||
			quota == GH_UNLIMITED)
			continue;
		to->next.quota_bytes =
			(quota & ~GH_QUOTA_BYTES) |
			(uint64_t)MAX((int64_t)(quota & GH_QUOTA_BYTES) -
					      limited(quota, up, down),
				limited(quota, to->raw_up, to->raw_down));
		any = true;
	}
	return any;
}

/*
 * Between the count and the end of the old record its client went on using the
 * credit, and a packet that was being decided at the end still counts: the next
 * client must not have those bytes again. Only such a turn waits for packets.
 */
void sync_settle_handed_over(struct sync *sync)
{
	struct cached_record *entry;
	struct gh_client client;
	bool any = false;

	for (entry = sync->dirty; entry; entry = entry->dirty_next)
		any = any || entry->handed_over;
	if (!any)
		return;
	clients_wait_for_packets();
	for (entry = sync->dirty; entry; entry = entry->dirty_next) {
		if (entry->handed_over &&
			!clients_lookup(sync->g->dp, &entry->mac, &client))
			deduct(sync, entry,
				(int64_t)client.up.bytes - entry->closed_up,
				(int64_t)client.down.bytes - entry->closed_down);
		entry->handed_over = false;
	}
}

void sync_close_record(struct sync *sync, struct cached_record *entry)
{
	struct gh_policy policy = entry->policy;
	struct gh_client closed;
	int ret;

	policy.state = GH_STATE_CLOSED;
	ret = clients_edit(sync->g->dp, &entry->mac, &policy, &closed);
	if (!ret) {
		entry->closed_up = (int64_t)closed.up.bytes;
		entry->closed_down = (int64_t)closed.down.bytes;
		entry->handed_over = deduct(sync, entry,
			entry->closed_up - entry->raw_up,
			entry->closed_down - entry->raw_down);
	}
	if (ret && ret != -ENOENT && ret != -ESTALE)
		log_error("cannot close a record: %s", strerror(-ret));
	entry->policy = policy;
	entry->stale = false;
	entry->closing = true;
	entry->final = false;
	entry->closed_ns = clock_mono_ns();
	if (sync->closing++ == 0)
		await_closed(sync);
}

struct removal {
	size_t n;
	struct client rows[REMOVE_MAX];
};

static void gather_final(void *data, struct cached_record *entry)
{
	struct removal *removal = data;
	struct client *row = &removal->rows[removal->n];

	if (!entry->closing || !entry->final || removal->n == REMOVE_MAX)
		return;
	*row = (struct client){.mac = entry->mac};
	row->record.policy.record_id = (uint64_t)entry->record_id;
	removal->n++;
}

/* The rows of deleted records; their entries go with them. */
static int forget(struct sync *sync, const struct client *row)
{
	struct cached_record *entry = record_cache_find(sync->cache, &row->mac);
	int64_t id;
	int ret = 0;

	if (!entry || !entry->closing)
		return 0;
	id = entry->record_id;
	if (row->record.policy.record_id)
		ret = store_record_fold(sync->g->store, id,
			(int64_t)row->record.up.bytes,
			(int64_t)row->record.down.bytes);
	if (!ret)
		ret = store_record_delete(sync->g->store, id);
	sync->closing--;
	entry->closing = false;
	entry->record_id = 0;
	if (!entry->dirty)
		record_cache_remove(sync->cache, entry);
	return ret;
}

static void on_final(void *data)
{
	struct sync *sync = data;
	_cleanup_free_ struct removal *removal = xcalloc(1, sizeof(*removal));
	size_t i;
	int ret;

	if (!sync->g->dp)
		return;
	record_cache_each(sync->cache, gather_final, removal);
	ret = turn_begin(sync->g);
	/* Its addresses are nobody's once it is gone. */
	for (i = 0; !ret && i < removal->n; i++)
		ret = address_log_note(sync->g, &removal->rows[i].mac);
	if (!ret && removal->n)
		ret = clients_remove(
			sync->g->dp, removal->rows, removal->n);
	for (i = 0; !ret && i < removal->n; i++)
		ret = forget(sync, &removal->rows[i]);
	if (ret)
		log_error("cannot remove records: %s", strerror(-ret));
	if (sync->closing)
		await_closed(sync);
}

static void touch_closing(void *data, struct cached_record *entry)
{
	if (entry->closing && !entry->final)
		sync_touch(data, &entry->mac);
}

static void on_closed(void *data)
{
	struct sync *sync = data;
	int ret = turn_begin(sync->g);

	if (!ret)
		record_cache_each(sync->cache, touch_closing, sync);
	else
		log_error("cannot store the last counters of records: %s", strerror(-ret));
	/* After this turn's commit. */
	loop_timer_start(
		sync->g->loop, &sync->final_timer, 1, 0, on_final, sync);
}
