/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the store to the kernel's records. The store is the truth; an entry is
 * what the kernel was told last. In a turn: touched MACs are judged inside the
 * transaction (sync_prepare), records follow when it is on disk (sync_apply).
 *
 * What must hold: a record's counters are counted into the credit that they
 * were used for, exactly once, whatever crashes. So counters are folded before
 * a record changes its credit, a record is closed before its last counters are
 * read, those are on disk before it is deleted, and its row goes last.
 */
#include "daemon/sync.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "rules/grant.h"
#include "rules/session.h"

/* Packets that saw a record open are long gone after this. */
#define CLOSED_NS (20 * NSEC_PER_MSEC)
/* A credit that waits is put in place so much before its turn: its deadline
 * is counted from the end of the one before, so nothing is lost or given. */
#define LEAD_NS (50 * NSEC_PER_MSEC)
#define DUE_MAX 256
#define REMOVE_MAX 1024

struct sync {
	struct gatehoused *g;
	struct record_cache *cache;
	struct cached_record *dirty;
	int closing; /* entries closed and not removed yet */
	struct loop_timer closed_timer;
	struct loop_timer final_timer;
	struct loop_timer expiry_timer;
	bool starting; /* everything is counted already */
	bool full_told;
};

static struct moment this_moment(void)
{
	return (struct moment){clock_mono_ns(), clock_wall_sec()};
}

/* Grants as policies. */

static const enum gh_state states[] = {
	[GRANT_NONE] = GH_STATE_CLOSED,
	[GRANT_RUNNING] = GH_STATE_RUNNING,
	[GRANT_PAUSED] = GH_STATE_PAUSED,
	[GRANT_HELD] = GH_STATE_HELD,
	[GRANT_BLOCKED] = GH_STATE_BLOCKED,
	[GRANT_EXEMPT] = GH_STATE_EXEMPT,
};

/*
 * The quota is absolute: what the record has counted when the bytes left were
 * computed, and those. Rates stay 0 until the gate meters them.
 */
static struct gh_policy policy_of(
	const struct grant *grant, int64_t record_id, int64_t raw)
{
	return (struct gh_policy){
		.state = states[grant->state],
		.expires_ns = grant->expires_ns == UNLIMITED
				      ? GH_NEVER
				      : (uint64_t)grant->expires_ns,
		.quota_bytes = grant->bytes_left == UNLIMITED
				       ? GH_UNLIMITED
				       : (uint64_t)(raw + grant->bytes_left),
		.networks = grant->networks,
		.record_id = (uint64_t)record_id,
		.session = (uint32_t)grant->session_id,
	};
}

/* Life. */

struct sync *sync_new(struct gatehoused *g)
{
	struct sync *sync = xcalloc(1, sizeof(*sync));

	sync->g = g;
	sync->cache = record_cache_new();
	return sync;
}

void sync_free(struct sync *sync)
{
	if (!sync)
		return;
	loop_timer_stop(sync->g->loop, &sync->closed_timer);
	loop_timer_stop(sync->g->loop, &sync->final_timer);
	loop_timer_stop(sync->g->loop, &sync->expiry_timer);
	record_cache_free(sync->cache);
	free(sync);
}

struct record_cache *sync_cache(struct sync *sync)
{
	return sync->cache;
}

bool sync_has_room(struct sync *sync, const struct mac *mac)
{
	const struct cached_record *entry = record_cache_find(sync->cache, mac);

	return (entry && entry->record_id) ||
	       record_cache_count(sync->cache) <
		       datapath_meta(sync->g->dp)->clients_max;
}

void sync_touch(struct sync *sync, const struct mac *mac)
{
	struct cached_record *entry = record_cache_get(sync->cache, mac);

	if (entry->dirty)
		return;
	entry->dirty = true;
	entry->old_id = entry->record_id;
	entry->dirty_next = sync->dirty;
	sync->dirty = entry;
}

/* Counting. */

/* The kernel's record of an entry into the store. -ENOENT when the kernel has
 * it no more, or has another one. */
static int fold(struct sync *sync, struct cached_record *entry, bool *ret_exhausted)
{
	struct gh_client client;
	int ret;

	if (!sync->g->dp)
		return -ENOENT;
	ret = clients_lookup(sync->g->dp, &entry->mac, &client);
	if (ret)
		return ret;
	if (client.policy.record_id != (uint64_t)entry->record_id)
		return -ENOENT;
	entry->raw_up = (int64_t)client.up.bytes;
	entry->raw_down = (int64_t)client.down.bytes;
	*ret_exhausted = client.up.exhausted || client.down.exhausted;
	return store_record_fold(sync->g->store, entry->record_id,
		entry->raw_up, entry->raw_down);
}

int sync_fold(void *data, const struct mac *mac, bool *ret_exhausted)
{
	struct sync *sync = data;
	struct cached_record *entry;
	int ret;

	if (sync->starting)
		return 0;
	sync_touch(sync, mac);
	entry = record_cache_find(sync->cache, mac);
	if (!entry->record_id || entry->fresh)
		return 0;
	ret = fold(sync, entry, ret_exhausted);
	return ret == -ENOENT ? 0 : ret;
}

/* Preparing: what each touched client shall have. */

/* A new row, and with it the name of a new record. */
static int new_record(struct sync *sync, struct cached_record *entry,
	const struct grant *grant)
{
	struct record record = {.mac = entry->mac,
		.session_id = grant->session_id,
		.credit_id = grant->credit_id};
	int ret = store_record_insert(sync->g->store, &record);

	if (ret == -EEXIST) {
		/* Left by a removal whose last step was lost. */
		struct record old;

		ret = store_record_of(sync->g->store, &entry->mac, &old);
		if (!ret)
			ret = store_record_delete(sync->g->store, old.id);
		if (!ret)
			ret = store_record_insert(sync->g->store, &record);
	}
	if (ret)
		return ret;
	entry->record_id = record.id;
	entry->raw_up = entry->raw_down = 0;
	entry->fresh = true;
	return 0;
}

/* The account of a client, with the next credit in place when the one in use
 * is about to end. */
static int load_account(struct sync *sync, const struct mac *mac,
	const struct moment *now, struct account *account)
{
	struct moment soon = {now->mono_ns + LEAD_NS, now->wall_sec};
	bool waits = false;
	int ret = account_load(&sync->g->rules, mac, now, account), i;

	if (ret)
		return ret;
	for (i = 0; i < account->count; i++)
		waits |= account->credits[i].state == CREDIT_WAITING;
	if (waits && account_settle(account, &soon, false))
		ret = account_save(&sync->g->rules, account);
	return ret;
}

static int load_grant(struct sync *sync, const struct mac *mac,
	const struct moment *now, struct grant *ret_grant)
{
	struct holder holder = {.mac = *mac};
	struct account account;
	struct device device;
	int ret = load_account(sync, mac, now, &account);

	if (!ret) {
		const struct credit *credit = account_in_use(&account);

		holder.session = account.session;
		if (credit)
			holder.credit = *credit;
	} else if (ret != -ENOENT) {
		return ret;
	}
	ret = store_device_lookup(sync->g->store, mac, &device);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret) {
		holder.blocked = device.blocked;
		holder.exempt_until = device.exempt_until;
	}
	*ret_grant = grant_of(&holder, now);
	return 0;
}

static int prepare_put(struct sync *sync, struct cached_record *entry,
	const struct grant *grant, bool gone)
{
	int ret = 0;

	if (!entry->record_id)
		ret = new_record(sync, entry, grant);
	else if (entry->session_id != grant->session_id ||
		 entry->credit_id != grant->credit_id)
		ret = store_record_bind(sync->g->store, entry->record_id,
			grant->session_id, grant->credit_id);
	if (ret)
		return ret;
	entry->session_id = grant->session_id;
	entry->credit_id = grant->credit_id;
	entry->next = policy_of(
		grant, entry->record_id, entry->raw_up + entry->raw_down);
	if (gone || entry->fresh || entry->closing ||
		!client_policy_equal(&entry->next, &entry->policy))
		entry->action = ENTRY_PUT;
	return 0;
}

/* A record on its way out counted what its credit, which went to another
 * client meanwhile, does not have any more. */
static int touch_heir(struct sync *sync, const struct cached_record *entry)
{
	struct mac heir;
	int ret = store_record_heir(sync->g->store, entry->record_id, &heir);

	if (!ret)
		sync_touch(sync, &heir);
	return ret == -ENOENT ? 0 : ret;
}

static int prepare(struct sync *sync, struct cached_record *entry,
	const struct moment *now)
{
	bool exhausted = false, gone = false;
	struct grant grant;
	int ret;

	entry->action = ENTRY_NOTHING;
	if (entry->record_id && !entry->fresh) {
		ret = fold(sync, entry, &exhausted);
		if (ret && ret != -ENOENT)
			return ret;
		/* Removed by hand. A new one counts from 0, so it needs a row
		 * of its own. */
		gone = ret == -ENOENT;
		if (gone) {
			ret = store_record_delete(
				sync->g->store, entry->record_id);
			if (ret)
				return ret;
			entry->record_id = 0;
			sync->closing -= entry->closing;
			entry->closing = false;
		}
	}
	if (entry->closing && entry->record_id) {
		ret = touch_heir(sync, entry);
		if (ret)
			return ret;
	}
	ret = load_grant(sync, &entry->mac, now, &grant);
	if (ret)
		return ret;
	if (grant.state != GRANT_NONE)
		return prepare_put(sync, entry, &grant, gone);
	if (entry->record_id && !entry->closing)
		entry->action = ENTRY_CLOSE;
	else if (entry->closing && now->mono_ns - entry->closed_ns >= CLOSED_NS)
		entry->action = ENTRY_FINAL;
	return 0;
}

int sync_prepare(struct sync *sync)
{
	struct moment now = this_moment();
	struct cached_record *entry, *first, *prepared = NULL;
	int ret = 0;

	/* Those that are touched meanwhile come before the first one. */
	while (!ret && sync->dirty != prepared) {
		first = sync->dirty;
		for (entry = first; !ret && entry != prepared;
			entry = entry->dirty_next)
			ret = prepare(sync, entry, &now);
		prepared = first;
	}
	return ret;
}

/* Applying. */

static void on_closed(void *data);

static void await_closed(struct sync *sync)
{
	/* A millisecond more than CLOSED_NS: timers go by whole ones. */
	loop_timer_start(sync->g->loop, &sync->closed_timer,
		CLOSED_NS + NSEC_PER_MSEC, 0, on_closed, sync);
}

/*
 * While the turn was stored, the client that loses a credit went on using it:
 * the one that gets it must not have those bytes again.
 */
static void deduct(struct sync *sync, const struct cached_record *from,
	const struct gh_client *closed)
{
	int64_t counted = from->raw_up + from->raw_down;
	int64_t more = (int64_t)(closed->up.bytes + closed->down.bytes) - counted;
	struct cached_record *to;

	for (to = sync->dirty; to && more > 0; to = to->dirty_next) {
		int64_t raw = to->raw_up + to->raw_down;

		if (to->action != ENTRY_PUT || !from->credit_id ||
			to->credit_id != from->credit_id ||
			to->next.quota_bytes == GH_UNLIMITED)
			continue;
		to->next.quota_bytes = (uint64_t)MAX(
			(int64_t)to->next.quota_bytes - more, raw);
	}
}

static void close_record(struct sync *sync, struct cached_record *entry)
{
	struct gh_policy policy = entry->policy;
	struct gh_client closed;
	int ret;

	policy.state = GH_STATE_CLOSED;
	ret = clients_edit(sync->g->dp, &entry->mac, &policy, &closed);
	if (!ret)
		deduct(sync, entry, &closed);
	if (ret && ret != -ENOENT && ret != -ESTALE)
		log_error("closing a record: %s", strerror(-ret));
	entry->policy = policy;
	entry->closing = true;
	entry->final = false;
	entry->closed_ns = clock_mono_ns();
	if (sync->closing++ == 0)
		await_closed(sync);
}

static void put_record(struct sync *sync, struct cached_record *entry)
{
	struct datapath *dp = sync->g->dp;
	int ret = clients_put(dp, &entry->mac, &entry->next);

	if (ret == -ESTALE) {
		/* Somebody else's record is in the way. */
		struct client strange = {.mac = entry->mac};

		ret = clients_remove(dp, &strange, 1);
		if (!ret)
			ret = clients_put(dp, &entry->mac, &entry->next);
	}
	if (entry->closing) {
		entry->closing = entry->final = false;
		sync->closing--;
	}
	entry->policy = entry->next;
	if (!ret) {
		sync->full_told = false;
		return;
	}
	/* The next sweep misses the record and tries again. */
	if (ret != -ENOSPC || !sync->full_told)
		log_error("a client's record: %s",
			ret == -ENOSPC ? "the table is full; raise clients_max"
				       : strerror(-ret));
	sync->full_told = ret == -ENOSPC;
}

static void on_expiry(void *data);

static void retry_expiry(struct sync *sync)
{
	loop_timer_start(sync->g->loop, &sync->expiry_timer, NSEC_PER_SEC, 0,
		on_expiry, sync);
}

static void on_expiry(void *data)
{
	struct sync *sync = data;

	if (sync_expire(sync->g))
		retry_expiry(sync);
}

/* Wakes before the next deadline, and at it. */
static void schedule_expiry(struct sync *sync)
{
	int64_t next, wait;
	int ret = store_credit_next(sync->g->store, &next);

	if (ret) {
		log_error("store: next deadline: %s", strerror(-ret));
		return;
	}
	loop_timer_stop(sync->g->loop, &sync->expiry_timer);
	if (next == UNLIMITED)
		return;
	wait = next - clock_mono_ns();
	if (wait > LEAD_NS)
		wait -= LEAD_NS;
	/* A millisecond late, never early: the kernel has ended it by then. */
	loop_timer_start(sync->g->loop, &sync->expiry_timer,
		MAX(wait, 0) + NSEC_PER_MSEC, 0, on_expiry, sync);
}

void sync_apply(struct sync *sync)
{
	struct cached_record *entry = sync->dirty, *next;

	if (!entry)
		return;
	/* A MAC that loses goes dark before another one gains. */
	for (; sync->g->dp && entry; entry = entry->dirty_next)
		if (entry->action == ENTRY_CLOSE)
			close_record(sync, entry);
	for (entry = sync->dirty; entry; entry = next) {
		next = entry->dirty_next;
		if (sync->g->dp && entry->action == ENTRY_PUT)
			put_record(sync, entry);
		if (entry->action == ENTRY_FINAL)
			entry->final = true;
		entry->dirty = entry->fresh = false;
		entry->action = ENTRY_NOTHING;
		if (!entry->record_id)
			record_cache_remove(sync->cache, entry);
	}
	sync->dirty = NULL;
	schedule_expiry(sync);
}

/* What the row says is not known any more: counters that this turn had
 * counted may be lost with it, and are counted again. */
static void forget_counted(void *data, struct cached_record *entry)
{
	entry->raw_up = entry->raw_down = -1;
}

void sync_revoke(struct sync *sync)
{
	struct cached_record *entry = sync->dirty, *next;

	record_cache_each(sync->cache, forget_counted, NULL);
	/* Nobody is touched any more; whoever was due still is. */
	retry_expiry(sync);
	for (; entry; entry = next) {
		next = entry->dirty_next;
		entry->record_id = entry->old_id;
		entry->session_id = entry->credit_id = -1;
		entry->dirty = entry->fresh = false;
		entry->action = ENTRY_NOTHING;
		if (!entry->record_id)
			record_cache_remove(sync->cache, entry);
	}
	sync->dirty = NULL;
}

/* Removing records whose client has no grant: closed, then counted for good,
 * then deleted, each step on disk before the next. */

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
	ret = removal->n ? clients_remove(sync->g->dp, removal->rows,
				   removal->n)
			 : 0;
	if (!ret)
		ret = turn_begin(sync->g);
	for (i = 0; !ret && i < removal->n; i++)
		ret = forget(sync, &removal->rows[i]);
	if (ret)
		log_error("removing records: %s", strerror(-ret));
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
		log_error("last counters of records: %s", strerror(-ret));
	/* After this turn's commit. */
	loop_timer_start(
		sync->g->loop, &sync->final_timer, 1, 0, on_final, sync);
}

/* Start. */

struct start {
	struct sync *sync;
	uint32_t seen;
	size_t n, size;
	struct client_want *wants;
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
	entry->sweep = start->seen;
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

	if (entry->sweep == start->seen || start->ret)
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

static struct client_want *next_want(struct start *start)
{
	ARRAY_GROW(start->wants, start->n, start->size);
	return &start->wants[start->n++];
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
	want = next_want(start);
	entry = record_cache_get(sync->cache, &holder->mac);
	entry->closing = false;
	entry->sweep = start->seen + 1;
	entry->session_id = grant.session_id;
	entry->credit_id = grant.credit_id;
	entry->fresh = !entry->record_id;
	want->mac = holder->mac;
	want->policy = policy_of(&grant, entry->record_id,
		holder->record.raw_up + holder->record.raw_down);
	entry->policy = want->policy;
	return 0;
}

/* Rows for records that will be made, names of credits for the others. */
static int write_rows(struct start *start)
{
	struct sync *sync = start->sync;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < start->n; i++) {
		struct client_want *want = &start->wants[i];
		struct cached_record *entry =
			record_cache_find(sync->cache, &want->mac);
		struct grant grant = {.session_id = entry->session_id,
			.credit_id = entry->credit_id};

		if (!entry->fresh) {
			ret = store_record_bind(sync->g->store,
				entry->record_id, entry->session_id,
				entry->credit_id);
			continue;
		}
		ret = new_record(sync, entry, &grant);
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

	if (entry->sweep == start->seen + 1 || start->ret)
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
		ret = store_holder_each(sync->g->store, gather_want, start);
	if (!ret)
		ret = write_rows(start);
	return ret;
}

static int put_all(struct start *start, struct clients_synced *ret_synced)
{
	int ret = clients_sync(start->sync->g->dp, start->wants, start->n,
		fold_removed, start, ret_synced);

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
	struct start start = {.sync = sync, .seen = 1, .now = this_moment(),
		.wants = xcalloc(1, sizeof(*start.wants)), .size = 1};
	struct clients_synced synced = {0};
	int64_t begun = clock_mono_ns();
	int ret = turn_begin(sync->g);

	sync->starting = true;
	if (!ret)
		ret = start_store(&start);
	sync->starting = false;
	if (!ret)
		ret = turn_commit(sync->g);
	if (!ret)
		ret = turn_begin(sync->g);
	if (!ret)
		ret = put_all(&start, &synced);
	free(start.wants);
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
		start.n, synced.put, synced.edited, synced.removed);
	schedule_expiry(sync);
	return 0;
}

/* Expiry. */

int sync_expire(struct gatehoused *g)
{
	struct sync *sync = g->sync;
	struct mac due[DUE_MAX];
	int ret = turn_begin(g), n, i;

	if (ret)
		return ret;
	n = store_credit_due(
		g->store, clock_mono_ns() + LEAD_NS, due, DUE_MAX);
	for (i = 0; i < n; i++)
		sync_touch(sync, &due[i]);
	/* Those that end now and have nothing waiting must come again. */
	if (n == 0)
		schedule_expiry(sync);
	return MIN(n, 0);
}

/* Verifying and mending. */

static void told(struct sync *sync, const struct mac *mac, const char *what)
{
	char text[MAC_TEXT];

	log_warning("repaired the record of %s: %s", mac_format(mac, text), what);
	sync->g->repaired_sec = clock_wall_sec();
	if (turn_begin(sync->g) == 0)
		store_audit(sync->g->store, sync->g->repaired_sec, "gatehoused",
			"repair", mac, 0, what);
}

void sync_mend(struct sync *sync, const struct mac *mac, const char *what)
{
	struct cached_record *entry;

	told(sync, mac, what);
	sync_touch(sync, mac);
	entry = record_cache_find(sync->cache, mac);
	/* Not what the kernel has: so that it is put again. */
	entry->policy.state = (enum gh_state)-1;
}

int sync_remove_strange(struct sync *sync, struct client *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		told(sync, &rows[i].mac, "nobody's");
	return n ? clients_remove(sync->g->dp, rows, n) : 0;
}

struct verification {
	struct sync *sync;
	bool repair;
	void (*fn)(void *data, const struct sync_difference *difference);
	void *data;
	struct client strange[REMOVE_MAX];
	size_t strange_count;
};

#define FIELD(f) {#f, offsetof(struct gh_policy, f), sizeof(((struct gh_policy *)0)->f)}

static const struct {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(state), FIELD(expires_ns), FIELD(quota_bytes), FIELD(up_price),
	FIELD(down_price), FIELD(networks), FIELD(record_id), FIELD(session),
	FIELD(group),
};

static uint64_t field_of(const struct gh_policy *policy, size_t i)
{
	uint64_t wide;
	uint32_t narrow;

	if (fields[i].size == sizeof(wide)) {
		memcpy(&wide, (const char *)policy + fields[i].offset,
			sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)policy + fields[i].offset,
		sizeof(narrow));
	return narrow;
}

static void report(struct verification *v, const struct mac *mac,
	const char *field, const char *expected, const char *found)
{
	struct sync_difference difference = {.mac = *mac, .field = field};

	snprintf(difference.expected, sizeof(difference.expected), "%s",
		expected);
	snprintf(difference.found, sizeof(difference.found), "%s", found);
	v->fn(v->data, &difference);
}

static void report_fields(struct verification *v,
	const struct client_want *want, const struct client *have)
{
	char expected[24], found[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t a = field_of(&want->policy, i);
		uint64_t b = field_of(&have->record.policy, i);

		if (a == b)
			continue;
		snprintf(expected, sizeof(expected), "%" PRIu64, a);
		snprintf(found, sizeof(found), "%" PRIu64, b);
		report(v, &want->mac, fields[i].name, expected, found);
	}
}

static int on_difference(void *data, enum client_difference difference,
	const struct client_want *want, const struct client *have)
{
	struct verification *v = data;
	const struct mac *mac = want ? &want->mac : &have->mac;
	const struct cached_record *entry = record_cache_find(v->sync->cache, mac);

	/* On its way out, or about to change at this turn's end. */
	if (entry && (entry->dirty || (entry->closing && !want)))
		return 0;
	switch (difference) {
	case CLIENT_MISSING:
		report(v, mac, "record", "there", "missing");
		break;
	case CLIENT_STRANGE:
		report(v, mac, "record", "none", "there");
		if (v->strange_count < REMOVE_MAX)
			v->strange[v->strange_count++] = *have;
		return 0;
	case CLIENT_OTHER:
	case CLIENT_DIFFERENT:
		report_fields(v, want, have);
		break;
	}
	if (v->repair)
		sync_mend(v->sync, mac, "differs from the store");
	return 0;
}

static int gather_verify(void *data, const struct holder *holder)
{
	struct start *start = data;
	struct grant grant = grant_of(holder, &start->now);
	struct client_want *want;

	if (grant.state == GRANT_NONE)
		return 0;
	want = next_want(start);
	want->mac = holder->mac;
	want->policy = policy_of(&grant, holder->record.id,
		holder->record.raw_up + holder->record.raw_down);
	return 0;
}

int sync_verify(struct sync *sync, bool repair,
	void (*fn)(void *data, const struct sync_difference *difference),
	void *data, size_t *ret_checked)
{
	_cleanup_free_ struct verification *v = xcalloc(1, sizeof(*v));
	struct start start = {.sync = sync, .now = this_moment(),
		.wants = xcalloc(1, sizeof(*start.wants)), .size = 1};
	int ret;

	*v = (struct verification){
		.sync = sync, .repair = repair, .fn = fn, .data = data};
	ret = store_holder_each(sync->g->store, gather_verify, &start);
	if (!ret)
		ret = clients_compare(sync->g->dp, start.wants, start.n,
			on_difference, v);
	free(start.wants);
	if (!ret && repair)
		ret = sync_remove_strange(
			sync, v->strange, v->strange_count);
	*ret_checked = start.n;
	return ret;
}

static void count_difference(
	void *data, const struct sync_difference *difference)
{
	(*(int *)data)++;
}

int sync_repair(struct gatehoused *g)
{
	size_t checked;
	int count = 0, ret = turn_begin(g);

	if (!ret)
		ret = sync_verify(
			g->sync, true, count_difference, &count, &checked);
	return ret;
}
