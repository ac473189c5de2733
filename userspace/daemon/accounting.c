/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep. It never decides what a client may have: it counts, and hands
 * what looks wrong to sync. It goes in slices with turns of the loop between
 * them, so that a million records keep nobody waiting; what a slice writes is
 * one transaction, and counting again what is counted adds nothing. A record
 * that comes or goes between two slices may be met or not: none is called
 * missing before it is looked up.
 *
 * The kernel gives its records in the order of their hashes. What moved is
 * noted and written in the store's own order: in the other, each slice would
 * write most pages of the table anew (100,000 busy clients took 26 s, not 0.5).
 */
#include "daemon/accounting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/group_records.h"
#include "daemon/sync.h"
#include "rules/standing.h"

#define UNKNOWN_MAX 256 /* removed by one slice */
#define MOVED_MAX   131072 /* noted before they are written: 4 MiB, sorted in 20 ms */
#define FOLDS	    64	   /* of one step */
#define SLICE_NS    (10 * NSEC_PER_MSEC)
#define PAUSE_NS    NSEC_PER_MSEC

/* A record that counted since it was folded last, as the kernel had it. */
struct moved {
	int64_t record_id;
	struct mac mac;
	int64_t up, down;
};

struct sweep {
	struct gatehoused *g;
	struct loop_timer timer;
	struct clients_walk *walk; /* NULL: all records are read */
	struct moved *moved;
	size_t moved_count, moved_size;
	size_t folded; /* of them */
	bool is_folding;
	bool is_complete;	   /* they were as many as there should be */
	size_t position;	   /* in the cache, which is looked at if not */
	int64_t group;		   /* the last one that was swept, afterwards */
	bool is_done;
	uint32_t number;
	size_t known;
	size_t unknown_count;
	struct client unknown[UNKNOWN_MAX];
	int64_t busy_ns, longest_ns;
};

static void note_moved(struct sweep *sweep, const struct cached_record *entry,
	const struct gh_client *record)
{
	struct moved moved = {
		.record_id = entry->record_id,
		.mac = entry->mac,
		.up = (int64_t)record->up.bytes,
		.down = (int64_t)record->down.bytes,
	};

	if (moved.up == entry->raw_up && moved.down == entry->raw_down)
		return;
	ARRAY_GROW(sweep->moved, sweep->moved_count, sweep->moved_size);
	sweep->moved[sweep->moved_count++] = moved;
}

static int by_record(const void *a, const void *b)
{
	int64_t left = ((const struct moved *)a)->record_id;
	int64_t right = ((const struct moved *)b)->record_id;

	return (left > right) - (left < right);
}

/* Turns of the loop have been since it was noted: the client may have another
 * record by now, or this one been folded further. */
static int fold(struct sweep *sweep, struct moved *moved)
{
	struct gatehoused *g = sweep->g;
	struct cached_record *entry = record_cache_find(sync_cache(g->sync), &moved->mac);
	struct gh_client record;
	int ret;

	if (!entry || entry->record_id != moved->record_id)
		return 0;
	if (entry->raw_up < 0) {
		if (clients_lookup(g->dp, &moved->mac, &record) < 0)
			return 0;
		moved->up = (int64_t)record.up.bytes;
		moved->down = (int64_t)record.down.bytes;
	}
	if (moved->up < entry->raw_up || moved->down < entry->raw_down)
		return 0;
	ret = store_record_fold(g->store, entry->record_id, moved->up, moved->down);
	if (!ret) {
		entry->raw_up = moved->up;
		entry->raw_down = moved->down;
	}
	return ret;
}

static int fold_some(struct sweep *sweep)
{
	int ret = 0;

	if (sweep->folded == 0)
		qsort(sweep->moved, sweep->moved_count, sizeof(*sweep->moved), by_record);
	for (int i = 0; !ret && i < FOLDS && sweep->folded < sweep->moved_count; i++)
		ret = fold(sweep, &sweep->moved[sweep->folded++]);
	if (sweep->folded == sweep->moved_count) {
		sweep->moved_count = sweep->folded = 0;
		sweep->is_folding = false;
	}
	return ret;
}

static int check_record(void *data, const struct client *client)
{
	struct sweep *sweep = data;
	struct sync *sync = sweep->g->sync;
	const struct gh_client *record = &client->record;
	struct cached_record *entry = record_cache_follow(sync_cache(sync), &client->mac);

	if (!entry || !entry->record_id) {
		if (sweep->unknown_count < UNKNOWN_MAX)
			sweep->unknown[sweep->unknown_count++] = *client;
		return 0;
	}
	sweep->known++;
	entry->sweep = sweep->number;
	if (!client_policy_equal(&entry->policy, &record->policy)) {
		sync_repair_client(sync, &client->mac, "changed by somebody else");
		return 0;
	}
	/* The event of it may have been lost. Fair use goes on. */
	if ((record->up.exhausted || record->down.exhausted) &&
		record->policy.quota_bytes != GH_UNLIMITED &&
		!record->policy.slow_up_price &&
		!record->policy.slow_down_price && !entry->closing)
		sync_touch(sync, &client->mac);
	if ((entry->idle_sec || entry->is_idle) && !entry->closing &&
		record->policy.state == GH_STATE_RUNNING &&
		standing_is_silent(entry->idle_sec, entry->is_idle,
			entry->heard_ns,
			(int64_t)MAX(record->up.seen_ns, record->down.seen_ns),
			clock_mono_ns()))
		sync_touch(sync, &client->mac);
	note_moved(sweep, entry, record);
	return 0;
}

static void check_missing(void *data, struct cached_record *entry)
{
	struct sweep *sweep = data;
	struct gh_client record;

	if (entry->sweep == sweep->number || !entry->record_id ||
		entry->closing || entry->fresh)
		return;
	/* Made behind the place where the sweep was. */
	if (clients_lookup(sweep->g->dp, &entry->mac, &record) == -ENOENT)
		sync_repair_client(sweep->g->sync, &entry->mac, "missing");
}

/* What a slice is made of: a millisecond or less. */
static int step(struct sweep *sweep)
{
	struct record_cache *cache = sync_cache(sweep->g->sync);
	bool more = false;
	int ret = 0;

	if (sweep->is_folding)
		return fold_some(sweep);
	if (!sweep->walk && !sweep->is_complete) {
		sweep->is_complete = !record_cache_some(
			cache, &sweep->position, check_missing, sweep);
		return 0;
	}
	if (!sweep->walk) {
		ret = groups_sweep(sweep->g, &sweep->group, &more);
		sweep->is_done = !more;
		return ret;
	}
	ret = clients_walk_next(sweep->walk, check_record, sweep, &more);
	sweep->is_folding = sweep->moved_count >= (more ? MOVED_MAX : 1);
	if (ret || more)
		return ret;
	clients_walk_free(TAKE_PTR(sweep->walk));
	sweep->is_complete = sweep->known >= record_cache_count(cache);
	return 0;
}

/* One transaction; its time is what it takes until all of it is on disk. */
static int slice(struct sweep *sweep)
{
	struct gatehoused *g = sweep->g;
	int64_t begun = clock_mono_ns(), took;
	int ret;

	/* What this turn has touched so far is not in the kernel yet. */
	ret = turn_commit(g);
	if (!ret)
		ret = turn_begin(g);
	while (!ret && !sweep->is_done && clock_mono_ns() - begun < SLICE_NS)
		ret = step(sweep);
	if (!ret)
		ret = sync_remove_unknown(
			g->sync, sweep->unknown, sweep->unknown_count);
	sweep->unknown_count = 0;
	if (!ret && sweep->is_done)
		ret = store_boot_touch(g->store, clock_mono_ns());
	if (!ret)
		ret = turn_commit(g);
	took = clock_mono_ns() - begun;
	sweep->busy_ns += took;
	sweep->longest_ns = MAX(sweep->longest_ns, took);
	return ret;
}

static void end_sweep(struct gatehoused *g)
{
	struct sweep *sweep = TAKE_PTR(g->sweep);

	loop_timer_stop(g->loop, &sweep->timer);
	g->sweep_ns = sweep->busy_ns;
	g->sweep_longest_ns = sweep->longest_ns;
	clients_walk_free(sweep->walk);
	free(sweep->moved);
	free(sweep);
}

static void begin_sweep(struct gatehoused *g)
{
	static uint32_t number = SWEEP_FIRST;

	g->sweep = xcalloc(1, sizeof(*g->sweep));
	g->sweep->g = g;
	g->sweep->number = number++;
	g->sweep->walk = clients_walk_new(g->dp);
}

static int go_on(struct gatehoused *g);

static void on_pause_over(void *data)
{
	int ret = go_on(data);

	if (ret)
		log_warning("the sweep failed: %s", strerror(-ret));
}

static int go_on(struct gatehoused *g)
{
	int ret = slice(g->sweep);

	if (ret || g->sweep->is_done)
		end_sweep(g);
	else
		loop_timer_start(g->loop, &g->sweep->timer, PAUSE_NS, 0,
			on_pause_over, g);
	return ret;
}

int accounting_sweep(struct gatehoused *g)
{
	/* The last one is not through yet. */
	if (!g->dp || g->sweep)
		return 0;
	begin_sweep(g);
	return go_on(g);
}

int accounting_sweep_whole(struct gatehoused *g)
{
	int ret = 0;

	if (!g->dp)
		return 0;
	if (g->sweep)
		end_sweep(g);
	begin_sweep(g);
	while (!ret && !g->sweep->is_done)
		ret = slice(g->sweep);
	end_sweep(g);
	return ret;
}
