/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A turn reads the rows of the groups that it touched, the sweep all of them, a
 * page at a time. The kernel's quota is absolute, so counting does not change
 * it.
 */
#include "daemon/group_records.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/sync.h"
#include "daemon/watch.h"
#include "datapath/clients.h"
#include "datapath/groups.h"

#define PAGE 64

/* What a group's record says besides its counters. */
static struct gh_policy group_policy(const struct group *group)
{
	int64_t used = counted(group->counts, group->bytes_up, group->bytes_down);

	return (struct gh_policy){
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.quota_bytes = sync_quota(group->counts, group->raw_up,
			group->raw_down,
			group->bytes == UNLIMITED ? UNLIMITED : group->bytes - used),
		.up_price = datapath_rate_price(group->rates.up),
		.down_price = datapath_rate_price(group->rates.down),
		.slow_up_price = datapath_rate_price(group->rates.slow_up),
		.slow_down_price = datapath_rate_price(group->rates.slow_down),
		.networks = ~0ULL,
		.record_id = (uint64_t)group->id,
	};
}

typedef int row_fn(struct gatehoused *g, struct group *group, void *data);

/* Calls `fn` for a page of rows behind *after, which it may write or remove;
 * *ret_more is false behind the last one. */
static int some_rows(struct gatehoused *g, row_fn *fn, void *data,
	int64_t *after, bool *ret_more)
{
	struct group rows[PAGE];
	int n = store_group_list(g->store, *after, rows, PAGE), ret = MIN(n, 0);

	*ret_more = n == PAGE;
	for (int i = 0; !ret && i < n; i++) {
		*after = rows[i].id;
		ret = fn(g, &rows[i], data);
	}
	return ret;
}

static int each_row(struct gatehoused *g, row_fn *fn, void *data)
{
	int64_t after = 0;
	bool more = true;
	int ret = 0;

	while (!ret && more)
		ret = some_rows(g, fn, data, &after, &more);
	return ret;
}

int64_t group_bytes_left(const struct group *group)
{
	if (group->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(group->bytes - counted(group->counts, group->bytes_up,
					  group->bytes_down),
		0);
}

/* By fair use its members go on without them. */
static bool ends_by_bytes(const struct group *group)
{
	return group->bytes != UNLIMITED && !rates_have_slow(&group->rates);
}

bool group_is_used_up(const struct group *group)
{
	return ends_by_bytes(group) &&
	       (group->used_up_at || group_bytes_left(group) == 0);
}

/* The record's flag, if it is about the limit that the row has now. */
static bool is_exhausted(const struct group *group, const struct gh_client *record)
{
	return (record->up.exhausted || record->down.exhausted) &&
	       ends_by_bytes(group) &&
	       record->policy.quota_bytes == group_policy(group).quota_bytes;
}

/* `mac` NULL: the sweep found it. */
static int report_used_up(struct gatehoused *g, const struct group *group,
	const struct mac *mac, uint32_t network)
{
	log_info("the bytes of group \"%s\" are used up", group->name);
	watch_group(g, group->name, mac, network);
	return store_audit(g->store, group->used_up_at, "gatehoused",
		"group used up", mac, 0, group->name);
}

/*
 * Adds what is new in the record's counters, and sees the end of the bytes,
 * once. A lower count is a packet that was taken back, as with clients.
 */
static int fold(struct gatehoused *g, struct group *group,
	const struct gh_client *record, const struct mac *mac, uint32_t network)
{
	int64_t up = (int64_t)record->up.bytes;
	int64_t down = (int64_t)record->down.bytes;
	bool ends = !group->used_up_at && is_exhausted(group, record);
	int ret = 0;

	if (up == group->raw_up && down == group->raw_down && !ends)
		return 0;
	group->bytes_up += up - group->raw_up;
	group->bytes_down += down - group->raw_down;
	group->raw_up = up;
	group->raw_down = down;
	if (ends) {
		group->used_up_at = clock_wall_sec();
		ret = report_used_up(g, group, mac, network);
	}
	return ret ? ret : store_group_update(g->store, group);
}

/* The record is gone: the next one counts from 0. */
static int restart(struct gatehoused *g, struct group *group)
{
	groups_touch(g, group->id);
	group->raw_up = group->raw_down = 0;
	return store_group_update(g->store, group);
}

/* The bytes of a voucher are used up: so are the credits that came of it. */
static int end_credits(struct gatehoused *g, const struct group *group)
{
	struct mac macs[GROUP_DEVICES_MAX];
	int n, i;

	if (!group_is_of_credits(group) || !group_is_used_up(group))
		return 0;
	n = store_group_devices(g->store, group->id, macs, GROUP_DEVICES_MAX);
	for (i = 0; i < n; i++)
		sync_touch(g->sync, &macs[i]);
	return MIN(n, 0);
}

int group_has_ended(struct gatehoused *g, uint32_t id, bool *ret_ended)
{
	struct group group;
	int ret = id ? store_group_lookup(g->store, id, &group) : -ENOENT;

	*ret_ended = false;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (!group_is_of_credits(&group))
		return 0;
	ret = group_count(g, &group);
	*ret_ended = group_is_used_up(&group);
	return ret;
}

static int count(struct gatehoused *g, struct group *group,
	const struct mac *mac, uint32_t network)
{
	struct gh_client record;
	int ret;

	if (!g->dp)
		return 0;
	ret = group_lookup(g->dp, (uint32_t)group->id, &record);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return fold(g, group, &record, mac, network);
}

int group_count(struct gatehoused *g, struct group *group)
{
	return count(g, group, NULL, 0);
}

void groups_take(struct gatehoused *g, const struct gh_event *event)
{
	struct group group;
	struct mac mac;
	int ret = turn_begin(g);

	memcpy(mac.addr, event->mac.addr, sizeof(mac.addr));
	if (!ret)
		ret = store_group_lookup(
			g->store, (int64_t)event->record_id, &group);
	if (!ret)
		ret = count(g, &group, &mac, event->network);
	if (!ret)
		ret = end_credits(g, &group);
	if (ret && ret != -ENOENT)
		log_error("counting a group: %s", strerror(-ret));
}

static int start_one(struct gatehoused *g, struct group *group, void *data)
{
	struct gh_client record;
	int ret = group_lookup(g->dp, (uint32_t)group->id, &record);

	if (ret == -ENOENT)
		return restart(g, group);
	return ret ? ret : fold(g, group, &record, NULL, 0);
}

int groups_start(struct gatehoused *g)
{
	return each_row(g, start_one, NULL);
}

void groups_touch(struct gatehoused *g, int64_t id)
{
	ARRAY_GROW(g->groups_touched, g->groups_touched_count,
		g->groups_touched_size);
	g->groups_touched[g->groups_touched_count++] = id;
}

void groups_forget(struct gatehoused *g)
{
	free(TAKE_PTR(g->groups_touched));
	g->groups_touched_count = g->groups_touched_size = 0;
}

static int put_one(struct gatehoused *g, struct group *group, void *data)
{
	struct gh_policy policy = group_policy(group);
	struct gh_client record;
	uint32_t id = (uint32_t)group->id;
	int ret = group_lookup(g->dp, id, &record);

	if (!ret && client_policy_equal(&policy, &record.policy))
		return 0;
	ret = group_put(g->dp, id, &policy);
	if (ret == -ESTALE) {
		/* Somebody else's is in the way. */
		ret = group_remove(g->dp, id);
		if (!ret)
			ret = group_put(g->dp, id, &policy);
	}
	if (ret)
		log_error("the record of group \"%s\": %s", group->name,
			strerror(-ret));
	return 0;
}

static void log_failed(const char *what, int ret)
{
	if (ret)
		log_error("%s: %s", what, strerror(-ret));
}

void groups_put_all(struct gatehoused *g)
{
	log_failed("reading the groups", each_row(g, put_one, NULL));
}

void groups_put(struct gatehoused *g)
{
	struct group group;
	int ret = 0;

	for (size_t i = 0; g->dp && i < g->groups_touched_count; i++) {
		ret = store_group_lookup(g->store, g->groups_touched[i], &group);
		if (!ret)
			put_one(g, &group, NULL);
		else if (ret != -ENOENT)
			log_failed("reading a group", ret);
	}
}

struct removal {
	struct gatehoused *g;
	bool has_waited;
};

static int remove_one(void *data, uint32_t id, const struct gh_client *record)
{
	struct removal *removal = data;
	struct group group;

	if (store_group_lookup(removal->g->store, id, &group) != -ENOENT)
		return 0;
	/* Packets that saw a client name it may still count there. */
	if (!removal->has_waited)
		clients_wait_for_packets();
	removal->has_waited = true;
	return group_remove(removal->g->dp, id);
}

void groups_remove_unknown(struct gatehoused *g)
{
	struct removal removal = {.g = g};

	log_failed("removing the records of groups",
		group_each(g->dp, remove_one, &removal));
}

void groups_remove(struct gatehoused *g)
{
	struct removal removal = {.g = g};

	for (size_t i = 0; g->dp && i < g->groups_touched_count; i++)
		log_failed("removing the record of a group",
			remove_one(&removal, (uint32_t)g->groups_touched[i], NULL));
}

static int report_repair(
	struct gatehoused *g, const struct group *group, const char *why)
{
	char text[STORE_NAME + 32];

	log_warning("repaired the record of group \"%s\": %s", group->name, why);
	g->repaired_sec = clock_wall_sec();
	groups_touch(g, group->id);
	snprintf(text, sizeof(text), "group %s: %s", group->name, why);
	return store_audit(g->store, g->repaired_sec, "gatehoused", "repair",
		NULL, 0, text);
}

static int sweep_one(struct gatehoused *g, struct group *group, void *data)
{
	struct gh_policy policy = group_policy(group);
	struct gh_client record;
	int ret;

	if (group_is_of_credits(group) && !group->devices) {
		groups_touch(g, group->id);
		return store_group_delete(g->store, group->id);
	}
	ret = group_lookup(g->dp, (uint32_t)group->id, &record);
	if (ret == -ENOENT) {
		ret = report_repair(g, group, "missing");
		return ret ? ret : restart(g, group);
	}
	if (ret)
		return ret;
	if (!client_policy_equal(&policy, &record.policy))
		ret = report_repair(g, group, "changed by somebody else");
	if (!ret)
		ret = fold(g, group, &record, NULL, 0);
	return ret ? ret : end_credits(g, group);
}

int groups_sweep(struct gatehoused *g, int64_t *after, bool *ret_more)
{
	return some_rows(g, sweep_one, NULL, after, ret_more);
}

int groups_sweep_all(struct gatehoused *g)
{
	return each_row(g, sweep_one, NULL);
}

struct verification {
	void (*fn)(void *data, const char *group, const struct gh_policy *want,
		const struct gh_policy *found);
	void *data;
};

static int verify_one(struct gatehoused *g, struct group *group, void *data)
{
	const struct verification *v = data;
	struct gh_policy want = group_policy(group);
	struct gh_client record;
	int ret = group_lookup(g->dp, (uint32_t)group->id, &record);

	if (ret == -ENOENT)
		v->fn(v->data, group->name, &want, NULL);
	else if (!ret && !client_policy_equal(&want, &record.policy))
		v->fn(v->data, group->name, &want, &record.policy);
	return ret == -ENOENT ? 0 : ret;
}

int groups_verify(struct gatehoused *g,
	void (*fn)(void *data, const char *group, const struct gh_policy *want,
		const struct gh_policy *found),
	void *data)
{
	struct verification v = {fn, data};

	return each_row(g, verify_one, &v);
}
