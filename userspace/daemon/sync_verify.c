/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing the kernel's records with the store, and repair (G2). A record
 * that is not as it should be is put right by the turn; one that nobody wants
 * is removed at once.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/group_records.h"
#include "daemon/sync_state.h"

#define REMOVE_MAX 1024 /* at once; the next verification finds the others */

/* `done` is what was done to the record, `why` what was wrong with it. */
static void report_repair(struct sync *sync, const struct mac *mac,
	const char *done, const char *why)
{
	char text[MAC_TEXT];

	log_warning("%s the record of %s: %s", done, mac_format(mac, text), why);
	sync->g->repaired_sec = clock_wall_sec();
	if (turn_begin(sync->g) == 0)
		store_audit(sync->g->store, sync->g->repaired_sec, "gatehoused",
			"repair", mac, 0, why);
}

void sync_repair_client(
	struct sync *sync, const struct mac *mac, const char *why)
{
	report_repair(sync, mac, "repaired", why);
	sync_touch(sync, mac);
	record_cache_find(sync->cache, mac)->stale = true;
}

int sync_remove_unknown(struct sync *sync, struct client *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		report_repair(sync, &rows[i].mac, "removed",
			"no grant for this client");
	return n ? clients_remove(sync->g->dp, rows, n) : 0;
}

struct verification {
	struct sync *sync;
	bool repair;
	void (*fn)(void *data, const struct sync_difference *difference);
	void *data;
	struct moment now;
	struct wants wants;
	struct client unknown[REMOVE_MAX];
	size_t unknown_count;
};

#define FIELD(f) {#f, offsetof(struct gh_policy, f), sizeof(((struct gh_policy *)0)->f)}

static const struct {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(state), FIELD(expires_ns), FIELD(quota_bytes), FIELD(up_price),
	FIELD(down_price), FIELD(slow_up_price), FIELD(slow_down_price),
	FIELD(networks), FIELD(record_id), FIELD(session),
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

static void report(struct verification *v, const char *group,
	const struct mac *mac, const char *field, const char *expected,
	const char *found)
{
	struct sync_difference difference = {
		.group = group, .mac = *mac, .field = field};

	snprintf(difference.expected, sizeof(difference.expected), "%s",
		expected);
	snprintf(difference.found, sizeof(difference.found), "%s", found);
	v->fn(v->data, &difference);
}

static void report_fields(struct verification *v, const char *group,
	const struct mac *mac, const struct gh_policy *want,
	const struct gh_policy *have)
{
	char expected[24], found[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t a = field_of(want, i);
		uint64_t b = field_of(have, i);

		if (a == b)
			continue;
		snprintf(expected, sizeof(expected), "%" PRIu64, a);
		snprintf(found, sizeof(found), "%" PRIu64, b);
		report(v, group, mac, fields[i].name, expected, found);
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
		report(v, NULL, mac, "record", "there", "missing");
		break;
	case CLIENT_UNKNOWN:
		report(v, NULL, mac, "record", "none", "there");
		if (v->unknown_count < REMOVE_MAX)
			v->unknown[v->unknown_count++] = *have;
		return 0;
	case CLIENT_OTHER:
	case CLIENT_DIFFERENT:
		report_fields(v, NULL, mac, &want->policy,
			&have->record.policy);
		break;
	}
	if (v->repair)
		sync_repair_client(v->sync, mac, "differs from the store");
	return 0;
}

static void on_group(void *data, const char *group,
	const struct gh_policy *want, const struct gh_policy *found)
{
	static const struct mac nobody;
	struct verification *v = data;

	if (found)
		report_fields(v, group, &nobody, want, found);
	else
		report(v, group, &nobody, "record", "there", "missing");
}

static int gather_want(void *data, const struct holder *holder)
{
	struct verification *v = data;
	struct grant grant = grant_of(holder, &v->now);
	struct client_want *want;

	if (grant.state == GRANT_NONE)
		return 0;
	want = wants_add(&v->wants, &holder->mac);
	want->policy = sync_policy(&v->sync->g->config, &grant,
		holder->record.id,
		holder->record.raw_up + holder->record.raw_down);
	return 0;
}

int sync_verify(struct sync *sync, bool repair,
	void (*fn)(void *data, const struct sync_difference *difference),
	void *data, size_t *ret_checked)
{
	_cleanup_free_ struct verification *v = xcalloc(1, sizeof(*v));
	int ret;

	*v = (struct verification){.sync = sync, .repair = repair, .fn = fn,
		.data = data, .now = moment_now()};
	ret = store_holder_each(sync->g->store, gather_want, v);
	if (!ret)
		ret = clients_compare(sync->g->dp, v->wants.list,
			v->wants.count, on_difference, v);
	if (!ret && repair)
		ret = sync_remove_unknown(
			sync, v->unknown, v->unknown_count);
	if (!ret)
		ret = groups_verify(sync->g, on_group, v);
	/* Puts right what it finds. */
	if (!ret && repair)
		ret = groups_sweep_all(sync->g);
	*ret_checked = v->wants.count;
	wants_free(&v->wants);
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
