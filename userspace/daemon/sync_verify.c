/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing the kernel's records with the store, and repair (G2). A record
 * that is not as it should be is put right by the turn; one that nobody wants
 * is removed at once.
 *
 * It goes in slices with turns of the loop between them, so that a million
 * records keep nobody waiting. First each client that the store gives something
 * is compared with its record; then each record whose client was not among them
 * is asked for by name, as it may have come meanwhile. What a slice compares is
 * of one moment: what was touched before it is in the kernel when it begins.
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

#define REMOVE_MAX 64 /* of one slice; the next verification finds the others */
#define VERIFY_MAX 8  /* under way at once */
#define HOLDERS	   64 /* of one step */
#define SLICE_NS   (10 * NSEC_PER_MSEC)
#define PAUSE_NS   NSEC_PER_MSEC

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
	struct verification *next;
	struct sync *sync;
	struct loop_timer timer;
	struct sync_verification wanted;
	uint32_t number;
	struct moment now; /* of the slice */
	struct holder_place at;
	struct clients_walk *walk; /* NULL: not yet */
	bool is_done;
	size_t checked;
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
	v->wanted.fn(v->wanted.data, &difference);
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

static void mend(struct verification *v, const struct mac *mac)
{
	if (v->wanted.repair)
		sync_repair_client(v->sync, mac, "differs from the store");
}

/* A client of the store's, and the kernel's record of it. */
static int check_holder(void *data, const struct holder *holder)
{
	struct verification *v = data;
	struct cached_record *entry = record_cache_find(v->sync->cache, &holder->mac);
	struct grant grant = grant_of(holder, &v->now);
	struct gh_policy policy;
	struct gh_client record;
	int ret;

	if (grant.state == GRANT_NONE)
		return 0;
	v->checked++;
	if (entry)
		entry->verified = v->number;
	/* About to change at this turn's end. */
	if (entry && entry->dirty)
		return 0;
	policy = sync_policy(&v->sync->g->config, &grant, holder->record.id,
		holder->record.raw_up, holder->record.raw_down);
	ret = clients_lookup(v->sync->g->dp, &holder->mac, &record);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret && client_policy_equal(&policy, &record.policy))
		return 0;
	if (ret)
		report(v, NULL, &holder->mac, "record", "there", "missing");
	else
		report_fields(v, NULL, &holder->mac, &policy, &record.policy);
	mend(v, &holder->mac);
	return 0;
}

/* A record of the kernel's: is there anybody who wants it? */
static int check_record(void *data, const struct client *client)
{
	struct verification *v = data;
	const struct cached_record *entry =
		record_cache_find(v->sync->cache, &client->mac);
	struct holder holder;
	struct grant grant;
	int ret;

	/* The last: on its way out, or about to change at this turn's end. */
	if (entry && (entry->verified == v->number || entry->dirty || entry->closing))
		return 0;
	ret = store_holder_lookup(v->sync->g->store, &client->mac, &holder);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret) {
		grant = grant_of(&holder, &v->now);
		if (grant.state != GRANT_NONE)
			return 0;
	}
	report(v, NULL, &client->mac, "record", "none", "there");
	if (v->unknown_count < REMOVE_MAX)
		v->unknown[v->unknown_count++] = *client;
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

/* What a slice is made of: a millisecond or so. */
static int step(struct verification *v)
{
	struct gatehoused *g = v->sync->g;
	bool more = true;
	int ret;

	if (!v->at.is_end)
		return store_holder_some(
			g->store, &v->at, HOLDERS, check_holder, v);
	if (!v->walk)
		v->walk = clients_walk_new(g->dp);
	ret = clients_walk_next(v->walk, check_record, v, &more);
	v->is_done = !more;
	return ret;
}

static int finish(struct verification *v)
{
	int ret = groups_verify(v->sync->g, on_group, v);

	/* Puts right what it finds. */
	if (!ret && v->wanted.repair)
		ret = groups_sweep_all(v->sync->g);
	return ret;
}

static int slice(struct verification *v)
{
	struct gatehoused *g = v->sync->g;
	int64_t begun = clock_mono_ns();
	int ret = turn_commit(g);

	if (!ret)
		ret = turn_begin(g);
	v->now = moment_now();
	while (!ret && !v->is_done && clock_mono_ns() - begun < SLICE_NS)
		ret = step(v);
	if (!ret && v->wanted.repair)
		ret = sync_remove_unknown(v->sync, v->unknown, v->unknown_count);
	v->unknown_count = 0;
	return !ret && v->is_done ? finish(v) : ret;
}

static void verification_free(struct verification *v)
{
	struct verification **at = &v->sync->verifications;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	loop_timer_stop(v->sync->g->loop, &v->timer);
	clients_walk_free(v->walk);
	free(v);
}

static void go_on(void *data)
{
	struct verification *v = data;
	int ret = v->sync->g->dp ? slice(v) : -ENODEV;

	if (!ret && !v->is_done) {
		loop_timer_start(v->sync->g->loop, &v->timer, PAUSE_NS, 0, go_on, v);
		return;
	}
	v->wanted.done(v->wanted.data, ret, v->checked);
	verification_free(v);
}

int sync_verify(struct sync *sync, const struct sync_verification *wanted)
{
	static uint32_t number;
	struct verification *v;
	int count = 0;

	for (v = sync->verifications; v; v = v->next)
		count++;
	if (count >= VERIFY_MAX)
		return -EBUSY;
	v = xcalloc(1, sizeof(*v));
	v->sync = sync;
	v->wanted = *wanted;
	v->number = ++number;
	v->next = sync->verifications;
	sync->verifications = v;
	loop_timer_start(sync->g->loop, &v->timer, 0, 0, go_on, v);
	return 0;
}

void sync_stop_verifying(struct sync *sync)
{
	struct verification *v;

	while ((v = sync->verifications)) {
		v->wanted.done(v->wanted.data, -ECANCELED, v->checked);
		verification_free(v);
	}
}

static void say_nothing(void *data, const struct sync_difference *difference)
{
}

static void repair_done(void *data, int result, size_t checked)
{
	if (result && result != -ECANCELED)
		log_warning("the verification failed: %s", strerror(-result));
}

int sync_repair(struct gatehoused *g)
{
	static const struct sync_verification wanted = {
		.repair = true, .fn = say_nothing, .done = repair_done};

	return sync_verify(g->sync, &wanted);
}
