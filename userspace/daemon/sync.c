/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The turn: from what was touched in the store to the kernel's records. The
 * store is the truth; the cache has what the kernel was told last. Touched
 * MACs are judged inside the transaction (sync_prepare), records follow when
 * it is on disk (sync_apply).
 *
 * What must hold: a record's counters are counted into the credit that they
 * were used for, exactly once, whatever crashes. So counters are folded before
 * a record changes its credit, a record is closed before its last counters are
 * read, those are on disk before it is deleted, and its row goes last.
 */
#include "daemon/sync.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/exemptions.h"
#include "daemon/group_records.h"
#include "daemon/sync_state.h"
#include "rules/session.h"

/* A credit that waits is put in place so much before its turn: its deadline
 * is counted from the end of the one before, so nothing is lost or given. */
#define LEAD_NS (50 * NSEC_PER_MSEC)
#define DUE_MAX 256

/* Grants as policies. */

static const enum gh_state states[] = {
	[GRANT_NONE] = GH_STATE_CLOSED,
	[GRANT_RUNNING] = GH_STATE_RUNNING,
	[GRANT_PAUSED] = GH_STATE_PAUSED,
	[GRANT_HELD] = GH_STATE_HELD,
	[GRANT_BLOCKED] = GH_STATE_BLOCKED,
	[GRANT_EXEMPT] = GH_STATE_EXEMPT,
};

/* A name that the configuration does not have opens nothing. */
static uint64_t networks_mask(const struct config *config, const char *names)
{
	uint64_t mask = 0;
	int i;

	if (!names[0])
		return ~0ULL;
	for (i = 0; i < config->network_count; i++)
		if (text_has_word(names, config->networks[i].name))
			mask |= 1ULL << config->networks[i].number;
	return mask;
}

uint64_t sync_quota(
	enum counts counts, int64_t raw_up, int64_t raw_down, int64_t left)
{
	static const uint64_t directions[] = {
		[COUNTS_UP] = GH_QUOTA_UP,
		[COUNTS_DOWN] = GH_QUOTA_DOWN,
	};
	int64_t raw = counted(counts, raw_up, raw_down);

	if (left == UNLIMITED)
		return GH_UNLIMITED;
	return directions[counts] |
	       MIN((uint64_t)MAX(raw + left, 0), GH_QUOTA_BYTES);
}

struct gh_policy sync_policy(const struct config *config,
	const struct grant *grant, int64_t record_id, int64_t raw_up,
	int64_t raw_down)
{
	return (struct gh_policy){
		.state = states[grant->state],
		.expires_ns = grant->expires_ns == UNLIMITED
				      ? GH_NEVER
				      : (uint64_t)grant->expires_ns,
		.quota_bytes = sync_quota(
			grant->counts, raw_up, raw_down, grant->bytes_left),
		.up_price = datapath_rate_price(grant->rates.up),
		.down_price = datapath_rate_price(grant->rates.down),
		.slow_up_price = datapath_rate_price(grant->rates.slow_up),
		.slow_down_price = datapath_rate_price(grant->rates.slow_down),
		.networks = networks_mask(config, grant->networks),
		.record_id = (uint64_t)record_id,
		.session = (uint32_t)grant->session_id,
		.group = (uint32_t)grant->group_id,
	};
}

struct client_want *wants_add(struct wants *wants, const struct mac *mac)
{
	struct client_want *want;

	ARRAY_GROW(wants->list, wants->count, wants->size);
	want = &wants->list[wants->count++];
	*want = (struct client_want){.mac = *mac};
	return want;
}

void wants_free(struct wants *wants)
{
	free(wants->list);
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
	sync_stop_verifying(sync);
	record_cache_free(sync->cache);
	free(sync);
}

struct record_cache *sync_cache(struct sync *sync)
{
	return sync->cache;
}

static void touch_limited(void *data, struct cached_record *entry)
{
	if (entry->record_id && entry->policy.networks != ~0ULL)
		sync_touch(data, &entry->mac);
}

void sync_renumber(struct sync *sync)
{
	if (turn_begin(sync->g) == 0)
		record_cache_each(sync->cache, touch_limited, sync);
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
	bool group_ended;
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
	ret = group_has_ended(sync->g, client.policy.group, &group_ended);
	if (ret)
		return ret;
	*ret_exhausted = client.up.exhausted || client.down.exhausted ||
			 group_ended;
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

int64_t sync_seen(void *data, const struct mac *mac)
{
	struct sync *sync = data;
	struct gh_client client;

	if (!sync->g->dp || clients_lookup(sync->g->dp, mac, &client))
		return 0;
	return (int64_t)MAX(client.up.seen_ns, client.down.seen_ns);
}

/* What the sweep needs of the credit. */
void sync_note_idle(struct cached_record *entry, const struct grant *grant)
{
	entry->idle_sec = grant->idle_sec;
	entry->heard_ns = grant->heard_ns;
	entry->is_idle = grant->is_idle;
}

/* Preparing: what each touched client shall have. */

int sync_new_record(struct sync *sync, struct cached_record *entry,
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
		holder.rates = device.rates;
		holder.exemption = device.exemption;
		holder.group_id = device.group_id;
	}
	*ret_grant = grant_of(&holder, now);
	return 0;
}

static int prepare_put(struct sync *sync, struct cached_record *entry,
	const struct grant *grant)
{
	int ret = 0;

	if (!entry->record_id)
		ret = sync_new_record(sync, entry, grant);
	else if (entry->session_id != grant->session_id ||
		 entry->credit_id != grant->credit_id)
		ret = store_record_bind(sync->g->store, entry->record_id,
			grant->session_id, grant->credit_id);
	if (ret)
		return ret;
	entry->session_id = grant->session_id;
	entry->credit_id = grant->credit_id;
	sync_note_idle(entry, grant);
	entry->next = sync_policy(&sync->g->config, grant, entry->record_id,
		entry->raw_up, entry->raw_down);
	if (entry->gone || entry->fresh || entry->closing || entry->stale ||
		!client_policy_equal(&entry->next, &entry->policy))
		entry->action = ENTRY_PUT;
	return 0;
}

/* A record on its way out counted what its credit, which went to another
 * client meanwhile, does not have any more. */
static int touch_credit_owner(struct sync *sync, const struct cached_record *entry)
{
	struct mac owner;
	int ret = store_record_heir(sync->g->store, entry->record_id, &owner);

	if (!ret)
		sync_touch(sync, &owner);
	return ret == -ENOENT ? 0 : ret;
}

/* What the client used until now. */
static int count(struct sync *sync, struct cached_record *entry)
{
	bool exhausted;
	int ret;

	entry->gone = false;
	if (!entry->record_id || entry->fresh)
		return 0;
	ret = fold(sync, entry, &exhausted);
	if (ret != -ENOENT)
		return ret;
	/* Removed by hand. A new one counts from 0, so it needs a row of its
	 * own. */
	ret = store_record_delete(sync->g->store, entry->record_id);
	if (ret)
		return ret;
	entry->gone = true;
	entry->record_id = 0;
	sync->closing -= entry->closing;
	entry->closing = false;
	return 0;
}

static int prepare(struct sync *sync, struct cached_record *entry,
	const struct moment *now)
{
	struct grant grant;
	int ret;

	entry->action = ENTRY_NOTHING;
	if (entry->closing && entry->record_id) {
		ret = touch_credit_owner(sync, entry);
		if (ret)
			return ret;
	}
	ret = load_grant(sync, &entry->mac, now, &grant);
	if (ret)
		return ret;
	if (grant.state != GRANT_NONE)
		return prepare_put(sync, entry, &grant);
	if (entry->record_id && !entry->closing)
		entry->action = ENTRY_CLOSE;
	else if (entry->closing && now->mono_ns - entry->closed_ns >= CLOSED_NS)
		entry->action = ENTRY_FINAL;
	return 0;
}

int sync_prepare(struct sync *sync)
{
	struct moment now = moment_now();
	struct cached_record *entry, *first, *prepared = NULL;
	bool is_dirty = sync->dirty != NULL;
	int ret = 0;

	/*
	 * Those that are touched meanwhile come before the first one. All are
	 * counted before any is judged: what one has used may be another's
	 * credit now.
	 */
	while (!ret && sync->dirty != prepared) {
		first = sync->dirty;
		for (entry = first; !ret && entry != prepared;
			entry = entry->dirty_next)
			ret = count(sync, entry);
		for (entry = first; !ret && entry != prepared;
			entry = entry->dirty_next)
			ret = prepare(sync, entry, &now);
		prepared = first;
	}
	/* A clock that begins to run in this turn must not have begun before
	 * the last moment that a reboot knows of. */
	if (!ret && is_dirty && store_is_written(sync->g->store))
		ret = store_boot_touch(sync->g->store, now.mono_ns);
	return ret;
}

/* Applying. */

static void put_record(struct sync *sync, struct cached_record *entry)
{
	struct datapath *dp = sync->g->dp;
	int ret = clients_put(dp, &entry->mac, &entry->next);

	if (ret == -ESTALE) {
		/* Somebody else's record is in the way. */
		struct client unknown = {.mac = entry->mac};

		ret = clients_remove(dp, &unknown, 1);
		if (!ret)
			ret = clients_put(dp, &entry->mac, &entry->next);
	}
	if (entry->closing) {
		entry->closing = entry->final = false;
		sync->closing--;
	}
	entry->policy = entry->next;
	entry->stale = false;
	if (!ret) {
		sync->full_logged = false;
		return;
	}
	/* The next sweep misses the record and tries again. */
	if (ret != -ENOSPC || !sync->full_logged)
		log_error("cannot write a client's record: %s",
			ret == -ENOSPC ? "the table is full; raise clients_max"
				       : strerror(-ret));
	sync->full_logged = ret == -ENOSPC;
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

void sync_schedule_expiry(struct sync *sync)
{
	int64_t next, wait;
	int ret = store_credit_next(sync->g->store, &next);

	if (ret) {
		log_error("cannot read the next deadline: %s", strerror(-ret));
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
			sync_close_record(sync, entry);
	sync_settle_handed_over(sync);
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
	sync_watch_room(sync);
	sync_schedule_expiry(sync);
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

/* Expiry. */

int sync_expire(struct gatehoused *g)
{
	struct sync *sync = g->sync;
	struct mac due[DUE_MAX];
	int ret = exemptions_settle(g), n, i;

	if (ret)
		return ret;
	n = store_credit_due(
		g->store, clock_mono_ns() + LEAD_NS, due, DUE_MAX);
	for (i = 0; i < n; i++)
		sync_touch(sync, &due[i]);
	/* Those that end now and have nothing waiting must come again. */
	if (n == 0)
		sync_schedule_expiry(sync);
	return MIN(n, 0);
}

int sync_date(struct gatehoused *g)
{
	struct mac macs[DUE_MAX];
	int64_t after = 0;
	int ret = turn_begin(g), n = 0, i;

	/* The box may have been given another zone. */
	tzset();
	while (!ret && (n = store_credit_dated(
				g->store, &after, macs, DUE_MAX)) > 0)
		for (i = 0; i < n; i++)
			sync_touch(g->sync, &macs[i]);
	return ret ? ret : MIN(n, 0);
}
