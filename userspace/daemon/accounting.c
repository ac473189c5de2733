/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep. It never decides what a client may have: it counts, and hands
 * what looks wrong to sync. All it writes is in one transaction, and counting
 * again what is counted adds nothing.
 */
#include "daemon/accounting.h"

#include "base/clock.h"
#include "base/util.h"
#include "daemon/sync.h"

#define UNKNOWN_MAX 256 /* removed by one sweep */

struct sweep {
	struct gatehoused *g;
	uint32_t number;
	size_t seen;
	size_t unknown_count;
	struct client unknown[UNKNOWN_MAX];
};

static int fold_record(struct sweep *sweep, struct cached_record *entry,
	const struct gh_client *record)
{
	int64_t up = (int64_t)record->up.bytes;
	int64_t down = (int64_t)record->down.bytes;
	int ret;

	if (up == entry->raw_up && down == entry->raw_down)
		return 0;
	ret = store_record_fold(sweep->g->store, entry->record_id, up, down);
	if (!ret) {
		entry->raw_up = up;
		entry->raw_down = down;
	}
	return ret;
}

static int check_record(void *data, const struct client *client)
{
	struct sweep *sweep = data;
	struct sync *sync = sweep->g->sync;
	const struct gh_client *record = &client->record;
	struct cached_record *entry = record_cache_follow(sync_cache(sync), &client->mac);

	sweep->seen++;
	if (!entry || !entry->record_id) {
		if (sweep->unknown_count < UNKNOWN_MAX)
			sweep->unknown[sweep->unknown_count++] = *client;
		return 0;
	}
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
	return fold_record(sweep, entry, record);
}

static void check_missing(void *data, struct cached_record *entry)
{
	struct sweep *sweep = data;

	if (entry->sweep == sweep->number || !entry->record_id ||
		entry->closing || entry->fresh)
		return;
	sync_repair_client(sweep->g->sync, &entry->mac, "missing");
}

int accounting_sweep(struct gatehoused *g)
{
	static uint32_t number = SWEEP_FIRST;
	_cleanup_free_ struct sweep *sweep = xcalloc(1, sizeof(*sweep));
	int64_t begun = clock_mono_ns();
	int ret;

	if (!g->dp)
		return 0;
	sweep->g = g;
	sweep->number = number++;
	/* What this turn has touched so far is not in the kernel yet. */
	ret = turn_commit(g);
	if (!ret)
		ret = turn_begin(g);
	if (!ret)
		ret = clients_each(g->dp, check_record, sweep);
	if (!ret && sweep->seen - sweep->unknown_count <
			    record_cache_count(sync_cache(g->sync)))
		record_cache_each(sync_cache(g->sync), check_missing, sweep);
	if (!ret)
		ret = sync_remove_unknown(
			g->sync, sweep->unknown, sweep->unknown_count);
	if (!ret)
		ret = store_boot_touch(g->store, clock_mono_ns());
	/* Its time is what it takes until all of it is on disk. */
	if (!ret)
		ret = turn_commit(g);
	g->sweep_ns = clock_mono_ns() - begun;
	return ret;
}
