/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start: counts what adopted records counted meanwhile, forgets records
 * that are gone, settles sessions, and makes the kernel's table equal to the
 * store by difference. The rows are on disk before the kernel's records are
 * touched, and what removed records counted is on disk before it is over.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/group_records.h"
#include "daemon/sync_state.h"
#include "rules/session.h"

#define DUE_MAX 256

/* An entry whose row in the store is missing or names other credit. */
struct unwritten {
	struct cached_record *entry;
	size_t want; /* its place in `wants` */
};

struct start {
	struct sync *sync;
	struct wants wants;
	struct unwritten *unwritten;
	size_t unwritten_count, unwritten_size;
	struct moment now;
	int ret;
};

static int load_record(void *data, const struct record *record)
{
	struct sync *sync = data;
	struct cached_record *entry = record_cache_get(sync->cache, &record->mac);

	entry->record_id = record->id;
	entry->session_id = record->session_id;
	entry->credit_id = record->credit_id;
	entry->raw_up = record->raw_up;
	entry->raw_down = record->raw_down;
	return 0;
}

/* An adopted record: counted before anything else happens. */
static int fold_adopted(void *data, const struct client *client)
{
	struct start *start = data;
	struct sync *sync = start->sync;
	struct cached_record *entry = record_cache_find(sync->cache, &client->mac);
	int64_t up = (int64_t)client->record.up.bytes;
	int64_t down = (int64_t)client->record.down.bytes;

	if (!entry || (uint64_t)entry->record_id !=
			      client->record.policy.record_id)
		return 0;
	entry->sweep = SWEEP_ADOPTED;
	entry->policy = client->record.policy;
	if (up == entry->raw_up && down == entry->raw_down)
		return 0;
	entry->raw_up = up;
	entry->raw_down = down;
	return store_record_fold(sync->g->store, entry->record_id, up, down);
}

static void forget_absent(void *data, struct cached_record *entry)
{
	struct start *start = data;

	if (entry->sweep == SWEEP_ADOPTED || start->ret)
		return;
	start->ret = store_record_delete(
		start->sync->g->store, entry->record_id);
	record_cache_remove(start->sync->cache, entry);
}

static int settle_due(struct sync *sync, const struct moment *now)
{
	_cleanup_free_ struct account *account = xcalloc(1, sizeof(*account));
	struct mac due[DUE_MAX];
	int n, i, ret;

	/* Every one of them is settled, so the next round finds others. */
	while ((n = store_credit_due(
			sync->g->store, now->mono_ns, due, DUE_MAX)) > 0)
		for (i = 0; i < n; i++) {
			ret = account_load(
				&sync->g->rules, &due[i], now, account);
			if (ret && ret != -ENOENT)
				return ret;
		}
	return n;
}

/* The wall clock, or its zone, may be another one. */
static int settle_dated(struct sync *sync, const struct moment *now)
{
	_cleanup_free_ struct account *account = xcalloc(1, sizeof(*account));
	struct mac macs[DUE_MAX];
	int64_t after = 0;
	int n, i, ret;

	while ((n = store_credit_dated(
			sync->g->store, &after, macs, DUE_MAX)) > 0)
		for (i = 0; i < n; i++) {
			ret = account_load(
				&sync->g->rules, &macs[i], now, account);
			if (ret && ret != -ENOENT)
				return ret;
		}
	return n;
}

static void note_unwritten(struct start *start, struct cached_record *entry)
{
	ARRAY_GROW(start->unwritten, start->unwritten_count, start->unwritten_size);
	start->unwritten[start->unwritten_count++] =
		(struct unwritten){entry, start->wants.count - 1};
}

static int gather_want(void *data, const struct holder *holder)
{
	struct start *start = data;
	struct sync *sync = start->sync;
	struct grant grant = grant_of(holder, &start->now);
	struct client_want *want;
	struct cached_record *entry;

	if (grant.state == GRANT_NONE)
		return 0;
	want = wants_add(&start->wants, &holder->mac);
	entry = record_cache_get(sync->cache, &holder->mac);
	entry->closing = false;
	entry->sweep = SWEEP_WANTED;
	entry->fresh = !entry->record_id;
	if (entry->fresh || entry->session_id != grant.session_id ||
		entry->credit_id != grant.credit_id)
		note_unwritten(start, entry);
	entry->session_id = grant.session_id;
	entry->credit_id = grant.credit_id;
	sync_note_idle(entry, &grant);
	want->policy = sync_policy(&sync->g->config, &grant, entry->record_id,
		holder->record.raw_up, holder->record.raw_down);
	entry->policy = want->policy;
	return 0;
}

/* Rows for records that will be made, names of credits for the others. */
static int write_rows(struct start *start)
{
	struct sync *sync = start->sync;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < start->unwritten_count; i++) {
		struct cached_record *entry = start->unwritten[i].entry;
		struct client_want *want =
			&start->wants.list[start->unwritten[i].want];
		struct grant grant = {.session_id = entry->session_id,
			.credit_id = entry->credit_id};

		if (!entry->fresh) {
			ret = store_record_bind(sync->g->store,
				entry->record_id, entry->session_id,
				entry->credit_id);
			continue;
		}
		ret = sync_new_record(sync, entry, &grant);
		entry->fresh = false;
		want->policy.record_id = (uint64_t)entry->record_id;
		entry->policy = want->policy;
	}
	return ret;
}

/* Entries that nobody wants: clients_sync() removes their records. */
static void forget_unwanted(void *data, struct cached_record *entry)
{
	struct start *start = data;

	if (entry->sweep == SWEEP_WANTED || start->ret)
		return;
	start->ret = store_record_delete(
		start->sync->g->store, entry->record_id);
	record_cache_remove(start->sync->cache, entry);
}

static void fold_removed(void *data, const struct client *final)
{
	struct start *start = data;
	int ret;

	if (!final->record.policy.record_id)
		return;
	ret = store_record_fold(start->sync->g->store,
		(int64_t)final->record.policy.record_id,
		(int64_t)final->record.up.bytes,
		(int64_t)final->record.down.bytes);
	if (ret)
		start->ret = ret;
}

/* What the store says, complete and counted, in one transaction. */
static int start_store(struct start *start)
{
	struct sync *sync = start->sync;
	int ret = store_record_each(sync->g->store, load_record, sync);

	if (!ret)
		ret = clients_each(sync->g->dp, fold_adopted, start);
	if (!ret) {
		record_cache_each(sync->cache, forget_absent, start);
		ret = start->ret;
	}
	if (!ret)
		ret = settle_due(sync, &start->now);
	if (!ret)
		ret = settle_dated(sync, &start->now);
	if (!ret)
		ret = store_holder_each(sync->g->store, gather_want, start);
	if (!ret)
		ret = write_rows(start);
	return ret;
}

static int put_all(struct start *start, struct clients_synced *ret_synced)
{
	int ret = clients_sync(start->sync->g->dp, start->wants.list,
		start->wants.count, fold_removed, start, ret_synced);

	/* Too small a table is no reason to leave everybody without a daemon. */
	if (ret == -ENOSPC) {
		log_error("%zu clients have no room: raise clients_max",
			ret_synced->failed);
		ret = 0;
	}
	return ret;
}

int sync_start(struct sync *sync)
{
	struct start start = {.sync = sync, .now = moment_now()};
	struct clients_synced synced = {0};
	int64_t begun = clock_mono_ns();
	int ret = turn_begin(sync->g);

	sync->starting = true;
	if (!ret)
		ret = start_store(&start);
	if (!ret)
		ret = groups_start(sync->g);
	sync->starting = false;
	if (!ret)
		ret = turn_commit(sync->g);
	if (!ret)
		ret = turn_begin(sync->g);
	/* Before a client names one, and after the last one does. */
	groups_put_all(sync->g);
	if (!ret)
		ret = put_all(&start, &synced);
	if (!ret)
		groups_remove_unknown(sync->g);
	wants_free(&start.wants);
	free(start.unwritten);
	if (!ret) {
		record_cache_each(sync->cache, forget_unwanted, &start);
		ret = start.ret;
	}
	if (!ret)
		ret = turn_commit(sync->g);
	if (ret)
		return ret;
	sync->g->reconcile_ns = clock_mono_ns() - begun;
	log_info("%zu clients: %zu records made, %zu changed, %zu removed",
		start.wants.count, synced.put, synced.edited, synced.removed);
	sync_watch_room(sync);
	sync_schedule_expiry(sync);
	return 0;
}
