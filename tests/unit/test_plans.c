/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan says of time (docs/design.md 6.3): hours of the day, on days of
 * 23 and 25 hours too; clocks that stand in silence; days after which it is
 * over; which bytes count; and what a change of it changes. Protects: no
 * second is used up that could not be used, and none is made of nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/grant.h"
#include "rules/hours.h"
#include "rules/pause.h"
#include "rules/session.h"
#include "rules/standing.h"

#include "lib/fixture.h"

#define MINUTE 60LL
#define HOUR   3600LL
#define DAY    86400LL

struct world {
	struct rules rules;
	struct moment now;
	struct mac mac;
	int64_t seen_ns;
};

static int64_t seen(void *data, const struct mac *mac)
{
	return ((struct world *)data)->seen_ns;
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* Local time as UTC seconds. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1,
		.tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_isdst = -1};

	return mktime(&tm);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	set_zone("UTC");
	lib_rules_open(&w->rules);
	w->rules.seen = seen;
	w->rules.data = w;
	w->mac = lib_mac(1);
	w->now = (struct moment){1000 * HOUR * NSEC_PER_SEC, at(2026, 11, 21, 12, 0)};
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	lib_rules_close(&w->rules);
	free(w);
	return 0;
}

static void wait_sec(struct world *w, int64_t seconds)
{
	lib_wait(&w->now, seconds * NSEC_PER_SEC);
}

static void give(struct world *w, struct plan *plan)
{
	struct allowance allowance = {.plan = plan, .bytes = plan->bytes,
		.seconds = plan->seconds};
	enum outcome outcome = OUTCOME_CONFLICT;
	struct account account;

	snprintf(plan->currency, sizeof(plan->currency), "TZS");
	if (!plan->id)
		assert_int_equal(store_plan_insert(w->rules.store, plan, &plan->id), 0);
	assert_int_equal(session_allow(&w->rules, &w->mac, &allowance, &w->now,
				 &account, &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
}

static struct plan plan_of(const char *name, int64_t seconds)
{
	struct plan plan = {.seconds = seconds, .bytes = UNLIMITED,
		.token_days = UNLIMITED, .is_active = true, .devices = 1};

	snprintf(plan.name, sizeof(plan.name), "%s", name);
	return plan;
}

/* False: captive. */
static bool look(struct world *w, struct view *ret_view, struct grant *ret_grant)
{
	struct holder holder;
	struct account account;
	int ret = account_load(&w->rules, &w->mac, &w->now, &account);

	if (ret)
		return false;
	account_view(&account, &w->now, ret_view);
	assert_int_equal(store_holder_lookup(w->rules.store, &w->mac, &holder), 0);
	*ret_grant = grant_of(&holder, &w->now);
	return true;
}

static void assert_left_(int line, struct world *w, int64_t seconds, enum grant_state state)
{
	struct view view = {0};
	struct grant grant = {0};

	if (!look(w, &view, &grant) || view.credit_ns / NSEC_PER_SEC != seconds ||
		grant.state != state)
		fail_msg("line %d: %lld s, state %d", line,
			(long long)(view.credit_ns / NSEC_PER_SEC), grant.state);
}
#define assert_left(w, seconds, state) assert_left_(__LINE__, (w), (seconds), (state))

static void test_hours_are_read(void **state)
{
	static const struct {
		const char *text, *hours;
	} rows[] = {
		{"any", ""},
		{"08:00-22:00", "08:00-22:00"},
		{" 08:00-12:00, 14:00-24:00 ", "08:00-12:00 14:00-24:00"},
		{"22:30-06:00", "22:30-06:00"},
		{"00:00-24:00", "00:00-24:00"},
	};
	static const char *const bad[] = {"", " ", "8:00-22:00", "08:00", "08:00-",
		"08:60-09:00", "25:00-26:00", "24:00-01:00", "08:00-08:00",
		"08:00-22:00x", "08:00 -22:00", "24:01-02:00",
		"00:00-00:01 00:02-00:03 00:04-00:05 00:06-00:07 00:08-00:09 "
		"00:10-00:11 00:12-00:13 00:14-00:15"};
	char hours[STORE_HOURS];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(hours_parse(rows[i].text, hours), 0);
		assert_string_equal(hours, rows[i].hours);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(hours_parse(bad[i], hours) < 0);
}

static void test_hours_hold(void **state)
{
	static const struct {
		const char *zone, *hours;
		int month, day, hour, minute;
		bool holds;
		int until_minutes; /* that pass; -1: for ever */
	} rows[] = {
		{"UTC", "", 11, 21, 3, 0, true, -1},
		{"UTC", "00:00-24:00", 11, 21, 3, 0, true, -1},
		{"UTC", "08:00-22:00", 11, 21, 8, 0, true, 14 * 60},
		{"UTC", "08:00-22:00", 11, 21, 7, 59, false, 1},
		{"UTC", "08:00-22:00", 11, 21, 22, 0, false, 600},
		{"UTC", "22:00-06:00", 11, 21, 23, 30, true, 390},
		{"UTC", "22:00-06:00", 11, 21, 12, 0, false, 600},
		{"UTC", "08:00-12:00 12:00-14:00", 11, 21, 11, 0, true, 180},
		{"Africa/Dar_es_Salaam", "18:00-24:00", 11, 21, 18, 0, true, 360},
		/* The hour 2 to 3 is not there on 29 March, twice on 25 October. */
		{"Europe/Berlin", "22:00-06:00", 3, 28, 22, 0, true, 7 * 60},
		{"Europe/Berlin", "22:00-06:00", 10, 24, 22, 0, true, 9 * 60},
		{"Europe/Berlin", "02:15-02:45", 3, 29, 1, 0, false, 24 * 60 + 15},
		{"Europe/Berlin", "00:00-02:30", 3, 29, 1, 0, true, 60},
		{"Europe/Berlin", "02:30-05:00", 3, 29, 1, 0, false, 60},
		{"Europe/Berlin", "08:00-22:00", 3, 28, 22, 0, false, 9 * 60},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t from, until;
		bool holds;

		set_zone(rows[i].zone);
		from = at(2026, rows[i].month, rows[i].day, rows[i].hour,
			rows[i].minute);
		holds = hours_hold(rows[i].hours, from, &until);
		if (holds != rows[i].holds ||
			(rows[i].until_minutes < 0
					? until != UNLIMITED
					: until - from !=
						  rows[i].until_minutes * MINUTE))
			fail_msg("row %zu: %d, %lld minutes", i, holds,
				(long long)((until - from) / 60));
	}
	set_zone("UTC");
}

/* What it says of the next change is what is so minute by minute. */
static void test_hours_agree_with_every_minute(void **state)
{
	static const char *const hours = "01:30-02:30 06:00-09:00 22:00-00:30";
	static const int starts[][2] = {{3, 28}, {10, 24}, {6, 1}};
	size_t i;

	set_zone("Europe/Berlin");
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		int64_t now = at(2026, starts[i][0], starts[i][1], 12, 0), n, until;
		int64_t next = 0, unused;
		bool holds = false;

		for (n = 0; n < 2 * DAY; n += MINUTE) {
			bool is = hours_hold(hours, now + n, &unused);

			if (next)
				assert_int_equal(is, now + n < next ? holds : !holds);
			if (next && now + n < next)
				continue;
			holds = hours_hold(hours, now + n, &until);
			next = until;
		}
	}
	set_zone("UTC");
}

static void test_an_end_is_foreseen(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR), other = plan_of("any", HOUR);
	struct grant grant;
	struct view view;

	set_zone("Europe/Berlin");
	assert_int_equal(hours_end("22:00-06:00", at(2026, 3, 28, 21, 0), 8 * HOUR),
		at(2026, 3, 29, 23, 0));
	assert_int_equal(hours_end("", at(2026, 3, 28, 21, 0), 8 * HOUR),
		at(2026, 3, 29, 6, 0));
	assert_int_equal(hours_end("02:30-02:31", at(2026, 1, 1, 0, 0), 10000 * HOUR),
		UNLIMITED);
	set_zone("UTC");
	/* An hour today, three tomorrow, then one of the other. */
	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	give(w, &other);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.ends_at, at(2026, 11, 22, 12, 0));
	assert_int_equal(view.turn_at, at(2026, 11, 21, 13, 0));
	wait_sec(w, 5 * HOUR);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.ends_at, at(2026, 11, 22, 12, 0));
	assert_int_equal(view.turn_at, at(2026, 11, 22, 8, 0));
}

static void test_outside_of_the_hours_the_clock_stands(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 6 * HOUR);
	struct view view;
	struct grant grant;

	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	assert_true(look(w, &view, &grant));
	assert_int_equal(grant.state, GRANT_RUNNING);
	/* The kernel ends it by itself. */
	assert_int_equal(grant.expires_ns, w->now.mono_ns + HOUR * NSEC_PER_SEC);
	wait_sec(w, HOUR);
	assert_left(w, 5 * HOUR, GRANT_PAUSED);
	wait_sec(w, 5 * HOUR);
	assert_left(w, 5 * HOUR, GRANT_PAUSED);
	assert_true(look(w, &view, &grant));
	assert_true(view.is_resting);
	assert_int_equal(view.turn_at, at(2026, 11, 22, 8, 0));
	/* Nobody looked at eight: until somebody does nothing passes. */
	wait_sec(w, 15 * HOUR);
	assert_left(w, 5 * HOUR, GRANT_RUNNING);
	wait_sec(w, HOUR);
	assert_left(w, 4 * HOUR, GRANT_RUNNING);
	/* Nor at the end of the hours: the kernel has kept it. */
	wait_sec(w, 2 * HOUR + 24 * HOUR);
	assert_left(w, HOUR, GRANT_RUNNING);
	wait_sec(w, HOUR);
	assert_false(look(w, &view, &grant));
}

static void test_a_session_without_an_end_rests_too(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("open", UNLIMITED);
	struct grant grant;
	struct view view;

	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	wait_sec(w, HOUR);
	assert_true(look(w, &view, &grant));
	assert_int_equal(grant.state, GRANT_PAUSED);
	wait_sec(w, 19 * HOUR);
	assert_true(look(w, &view, &grant));
	assert_int_equal(grant.state, GRANT_RUNNING);
	assert_int_equal(view.credit_ns, UNLIMITED);
}

/* The wall clock is set; the kernel's is not. */
static void test_hours_follow_a_clock_that_is_set(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR);

	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	w->now.wall_sec += 365 * DAY + 2 * HOUR;
	assert_left(w, 4 * HOUR, GRANT_PAUSED);
	w->now.mono_ns += HOUR * NSEC_PER_SEC;
	assert_left(w, 4 * HOUR, GRANT_PAUSED);
	w->now.wall_sec -= 2 * 365 * DAY + 2 * HOUR;
	assert_left(w, 4 * HOUR, GRANT_RUNNING);
	wait_sec(w, HOUR / 2);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_RUNNING);
}

static void test_a_pause_over_the_hours(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR);
	enum outcome outcome;
	bool changed;

	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	wait_sec(w, HOUR / 2);
	assert_int_equal(session_pause(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
				 &changed, &outcome), 0);
	wait_sec(w, 2 * HOUR);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_PAUSED);
	/* It goes on in the evening: the hours still forbid it. */
	assert_int_equal(session_resume(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
				 &changed, &outcome), 0);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_PAUSED);
	wait_sec(w, HOUR);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_PAUSED);
	wait_sec(w, 17 * HOUR);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_RUNNING);
}

static void test_days_of_validity(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("ten hours in two days", 10 * HOUR);
	struct plan other = plan_of("hour", HOUR);
	enum outcome outcome;
	struct grant grant;
	struct view view;
	bool changed;

	plan.terms.valid_days = 2;
	give(w, &plan);
	give(w, &other);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.valid_until, w->now.wall_sec + 2 * DAY);
	assert_int_equal(session_pause(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
				 &changed, &outcome), 0);
	/* Paused: the days go on all the same. */
	wait_sec(w, 2 * DAY - HOUR);
	assert_int_equal(session_resume(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
				 &changed, &outcome), 0);
	assert_left(w, HOUR, GRANT_RUNNING);
	assert_true(look(w, &view, &grant));
	assert_int_equal(grant.expires_ns, w->now.mono_ns + HOUR * NSEC_PER_SEC);
	/* The next credit begins then. */
	wait_sec(w, HOUR);
	assert_true(look(w, &view, &grant));
	assert_string_equal(view.plan, "hour");
	assert_int_equal(view.credit_ns, HOUR * NSEC_PER_SEC);
	assert_int_equal(view.valid_until, 0);
}

static void listen(void *data, const struct happening *happening)
{
	char *told = data;
	size_t len = strlen(told);

	snprintf(told + len, 128 - len, "%s by %s, ", happening->name,
		happening->reason);
}

static void test_silence_stops_the_clock(void **state)
{
	struct world *w = *state;
	char told[128] = "";
	struct plan plan = plan_of("used", HOUR);
	struct grant grant;
	struct view view;

	plan.terms.idle_sec = 5 * MINUTE;
	give(w, &plan);
	w->rules.happened = listen;
	w->rules.listener = told;
	w->seen_ns = w->now.mono_ns;
	wait_sec(w, 4 * MINUTE);
	assert_left(w, HOUR - 4 * MINUTE, GRANT_RUNNING);
	/* Five minutes of silence: none of them counts. */
	wait_sec(w, MINUTE);
	assert_left(w, HOUR, GRANT_RUNNING);
	wait_sec(w, 10 * HOUR);
	assert_left(w, HOUR, GRANT_RUNNING);
	assert_true(look(w, &view, &grant));
	assert_true(view.is_idle && grant.is_idle);
	/* In the kernel it runs, with all its time: the first packet passes. */
	assert_int_equal(grant.expires_ns, w->now.mono_ns + HOUR * NSEC_PER_SEC);
	/* It is heard, and looked at 10 s later. */
	wait_sec(w, 20);
	w->seen_ns = w->now.mono_ns;
	wait_sec(w, 10);
	assert_left(w, HOUR - 10, GRANT_RUNNING);
	assert_string_equal(told, "pause by idle, resume by idle, ");
	wait_sec(w, MINUTE);
	w->seen_ns = w->now.mono_ns;
	assert_left(w, HOUR - 70, GRANT_RUNNING);
	/* Heard of again, but nobody had looked for an hour: it may all be use. */
	wait_sec(w, 6 * MINUTE);
	assert_left(w, HOUR - 70, GRANT_RUNNING);
	wait_sec(w, 30 * MINUTE);
	w->seen_ns = w->now.mono_ns;
	assert_left(w, HOUR - 70 - 30 * MINUTE, GRANT_RUNNING);
	/* Less was left than a silence is long: then it ends. */
	wait_sec(w, 28 * MINUTE + 50);
	w->seen_ns = w->now.mono_ns - 10 * NSEC_PER_SEC;
	assert_false(look(w, &view, &grant));
}

/* The kernel's end comes while the guest is silent. */
static void test_silence_outlives_the_deadline(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("used", 10 * MINUTE);

	plan.terms.idle_sec = 5 * MINUTE;
	give(w, &plan);
	wait_sec(w, 2 * MINUTE);
	w->seen_ns = w->now.mono_ns;
	wait_sec(w, 8 * MINUTE);
	assert_left(w, 8 * MINUTE, GRANT_RUNNING);
}

static void test_the_sweep_asks_for_what_changes(void **state)
{
	const int64_t s = NSEC_PER_SEC;

	assert_false(standing_is_silent(0, false, 0, 0, 10000 * s));
	assert_false(standing_is_silent(300, false, 100 * s, 200 * s, 499 * s));
	assert_true(standing_is_silent(300, false, 100 * s, 200 * s, 500 * s));
	assert_false(standing_is_silent(300, true, 500 * s, 200 * s, 529 * s));
	assert_true(standing_is_silent(300, true, 500 * s, 200 * s, 530 * s));
	assert_true(standing_is_silent(300, true, 500 * s, 501 * s, 502 * s));
}

static void test_one_direction_counts(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("up", HOUR);
	struct record record = {.mac = w->mac};
	struct holder holder;
	struct grant grant;
	struct view view;

	plan.bytes = 1000;
	plan.terms.counts = COUNTS_UP;
	give(w, &plan);
	assert_int_equal(store_holder_lookup(w->rules.store, &w->mac, &holder), 0);
	assert_int_equal(store_record_insert(w->rules.store, &record), 0);
	assert_int_equal(store_record_bind(w->rules.store, record.id,
				 holder.session.id, holder.credit.id), 0);
	assert_int_equal(store_record_fold(w->rules.store, record.id, 600, 5000), 0);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.remaining_bytes, 400);
	assert_int_equal(grant.bytes_left, 400);
	assert_int_equal(grant.counts, COUNTS_UP);
	assert_int_equal(store_record_fold(w->rules.store, record.id, 1000, 5000), 0);
	assert_false(look(w, &view, &grant));
}

static int count_clients(void *data, const struct mac *mac, bool is_new, int64_t group_id)
{
	*(int *)data += mac && is_new;
	return 0;
}

static void test_a_changed_plan_is_for_who_begins(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR), found;
	struct grant grant;
	struct view view;
	int64_t after = 0;
	int clients = 0;

	plan.rates = (struct rates){.up = 1000, .down = 1000};
	give(w, &plan);
	plan.rates.up = 2000;
	plan.seconds = HOUR;
	snprintf(plan.terms.hours, STORE_HOURS, "08:00-22:00");
	assert_int_equal(store_plan_update(w->rules.store, &plan), 0);
	assert_int_equal(store_plan_by_name(w->rules.store, "day", &found), 0);
	assert_memory_equal(&found.terms, &plan.terms, sizeof(plan.terms));
	assert_int_equal(found.seconds, HOUR);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.rates.up, 1000);
	assert_string_equal(view.terms->hours, "");
	/* Bought now it is another credit, not more of the first. */
	give(w, &plan);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.credit_ns, 4 * HOUR * NSEC_PER_SEC);
	assert_int_equal(view.remaining_ns, 5 * HOUR * NSEC_PER_SEC);
	/* Applied: how, but not how much. */
	assert_int_equal(store_plan_apply(w->rules.store, &plan, &after, 1,
				 count_clients, &clients), 1);
	assert_int_equal(store_plan_apply(w->rules.store, &plan, &after, 2,
				 count_clients, &clients), 0);
	assert_int_equal(clients, 1);
	assert_true(look(w, &view, &grant));
	assert_int_equal(view.rates.up, 2000);
	assert_int_equal(view.credit_ns, 4 * HOUR * NSEC_PER_SEC);
	assert_int_equal(grant.expires_ns, w->now.mono_ns + 4 * HOUR * NSEC_PER_SEC);
	assert_int_equal(view.turn_at, at(2026, 11, 21, 22, 0));
}

/* A reboot: the clock of the kernel begins anew, and nobody knows what the time
 * is before somebody says so. */
static void test_a_reboot_outside_of_the_hours(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR);
	bool rebooted;

	assert_int_equal(store_boot_enter(w->rules.store, "one", w->now.mono_ns,
				 &rebooted), 0);
	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	give(w, &plan);
	wait_sec(w, HOUR / 2);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_RUNNING);
	assert_int_equal(store_boot_touch(w->rules.store, w->now.mono_ns), 0);
	/* Off for two hours. */
	w->now = (struct moment){20 * NSEC_PER_SEC, w->now.wall_sec + 2 * HOUR};
	assert_int_equal(store_boot_enter(w->rules.store, "two", w->now.mono_ns,
				 &rebooted), 0);
	assert_true(rebooted);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_PAUSED);
	wait_sec(w, 18 * HOUR);
	assert_left(w, 4 * HOUR - HOUR / 2, GRANT_RUNNING);
}

/* Nothing is due any more once it was looked at: a start would not end. */
static void test_what_is_due_is_settled(void **state)
{
	struct world *w = *state;
	struct plan plan = plan_of("day", 4 * HOUR);
	struct mac macs[4];
	int64_t next, after = 0;
	struct grant grant;
	struct view view;
	int i;

	snprintf(plan.terms.hours, STORE_HOURS, "08:00-13:00");
	plan.terms.valid_days = 3;
	give(w, &plan);
	assert_int_equal(store_credit_dated(w->rules.store, &after, macs, 4), 1);
	for (i = 0; i < 20 && look(w, &view, &grant); i++) {
		assert_int_equal(store_credit_next(w->rules.store, &next), 0);
		assert_true(next > w->now.mono_ns && next != UNLIMITED);
		assert_int_equal(store_credit_due(w->rules.store, w->now.mono_ns,
					 macs, 4), 0);
		wait_sec(w, (next - w->now.mono_ns) / NSEC_PER_SEC);
		assert_true(store_credit_due(w->rules.store, w->now.mono_ns, macs,
				    4) > 0);
	}
	/* Closed, opened, used up; then there is nothing more. */
	assert_in_range(i, 2, 5);
	assert_int_equal(store_credit_next(w->rules.store, &next), 0);
	assert_int_equal(next, UNLIMITED);
}

/*
 * The model knows nothing of hours: it plays the kernel, which lets a packet
 * pass as its last grant says, and counts how long it would have. Whatever
 * happens, that and what is left are what was given.
 */
struct kernel {
	struct grant grant;
	int64_t since_ns;
	int64_t used_ns; /* of time that has an end */
};

static void kernel_goes_on(struct kernel *kernel, int64_t now_ns)
{
	int64_t until_ns = MIN(now_ns, kernel->grant.expires_ns);

	if (kernel->grant.state == GRANT_RUNNING && until_ns > kernel->since_ns)
		kernel->used_ns += until_ns - kernel->since_ns;
	kernel->since_ns = now_ns;
}

/* What all credits have; `ret_waiting`: how many are to come. */
static int64_t kernel_is_told(
	struct world *w, struct kernel *kernel, int *ret_waiting)
{
	struct account account;
	struct holder holder;
	int64_t left = 0;
	int ret = account_load(&w->rules, &w->mac, &w->now, &account), i;

	kernel->grant = (struct grant){.state = GRANT_NONE};
	*ret_waiting = 0;
	if (ret)
		return 0;
	assert_int_equal(store_holder_lookup(w->rules.store, &w->mac, &holder), 0);
	kernel->grant = grant_of(&holder, &w->now);
	for (i = 0; i < account.count; i++) {
		left += credit_time_left(&account.credits[i], w->now.mono_ns);
		*ret_waiting += account.credits[i].state == CREDIT_WAITING;
	}
	return left;
}

static uint64_t dice;

/* xorshift64*, so that a seed says what was done. */
static int64_t random_below(int64_t n)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (int64_t)((dice * 2685821657736338717ULL >> 33) % (uint64_t)n);
}

/* An operation; the nanoseconds that it gives. */
static int64_t do_something(struct world *w, struct plan *plans, int n, int waiting)
{
	struct plan *plan = &plans[random_below(n)];
	enum outcome outcome;
	bool changed;
	int ret = 0;

	switch (random_below(6)) {
	case 0:
		if (waiting > 1)
			return 0;
		give(w, plan);
		return plan->seconds * NSEC_PER_SEC;
	case 1:
		ret = session_pause(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
			&changed, &outcome);
		break;
	case 2:
	case 3:
		ret = session_resume(&w->rules, &w->mac, SESSION_BY_USER, &w->now,
			&changed, &outcome);
		break;
	case 4:
		ret = session_hold(&w->rules, &w->mac, SESSION_HELD_BY_HAND, &w->now,
			&changed, &outcome);
		break;
	default:
		ret = session_release(&w->rules, &w->mac, SESSION_BY_OPERATOR, &w->now,
			&changed, &outcome);
	}
	assert_int_equal(ret, 0);
	return 0;
}

static void test_random_days(void **state)
{
	static const char *const hours[] = {"", "08:00-13:00",
		"22:00-02:30 06:00-07:00", "02:10-02:20"};
	struct world *w = *state;
	struct plan plans[ARRAY_SIZE(hours)];
	struct kernel kernel = {.grant = {.state = GRANT_NONE}};
	int64_t given = 0, left = 0, next, wait;
	const char *seed = getenv("SEED");
	int i, waiting = 0;

	dice = seed ? strtoull(seed, NULL, 0) : (uint64_t)clock_mono_ns() | 1;
	print_message("SEED=%llu\n", (unsigned long long)dice);
	set_zone("Europe/Berlin");
	/* A few days before its clocks are put forward. */
	w->now.wall_sec = at(2026, 3, 20, 0, 0);
	kernel.since_ns = w->now.mono_ns;
	for (i = 0; i < (int)ARRAY_SIZE(hours); i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%d", i);
		plans[i] = plan_of(name, (1 + random_below(i < 3 ? 300 : 15)) * MINUTE);
		snprintf(plans[i].terms.hours, STORE_HOURS, "%s", hours[i]);
	}
	for (i = 0; i < 15000; i++) {
		assert_int_equal(store_credit_next(w->rules.store, &next), 0);
		wait = random_below(4 * 3600) * NSEC_PER_SEC + random_below(1000000);
		/* The daemon is there for what comes next, or it is away. */
		if (next != UNLIMITED && (waiting || random_below(10)))
			wait = MIN(wait, MAX(next - w->now.mono_ns, 0) + 1000);
		w->now.mono_ns += wait;
		w->now.wall_sec += wait / NSEC_PER_SEC;
		if (!random_below(500))
			w->now.wall_sec += random_below(2 * 86400) - 86400;
		kernel_goes_on(&kernel, w->now.mono_ns);
		left = kernel_is_told(w, &kernel, &waiting);
		if (!random_below(4)) {
			given += do_something(w, plans, ARRAY_SIZE(plans), waiting);
			left = kernel_is_told(w, &kernel, &waiting);
		}
		/* Each credit begins a microsecond late, as the daemon does. */
		if (llabs(given - left - kernel.used_ns) > i * 1000LL)
			fail_msg("step %d: given %lld, left %lld, used %lld", i,
				(long long)given, (long long)left,
				(long long)kernel.used_ns);
	}
	set_zone("UTC");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hours_are_read),
		TEST(test_hours_hold),
		TEST(test_hours_agree_with_every_minute),
		TEST(test_an_end_is_foreseen),
		TEST(test_outside_of_the_hours_the_clock_stands),
		TEST(test_a_session_without_an_end_rests_too),
		TEST(test_hours_follow_a_clock_that_is_set),
		TEST(test_a_pause_over_the_hours),
		TEST(test_days_of_validity),
		TEST(test_silence_stops_the_clock),
		TEST(test_silence_outlives_the_deadline),
		TEST(test_the_sweep_asks_for_what_changes),
		TEST(test_one_direction_counts),
		TEST(test_a_changed_plan_is_for_who_begins),
		TEST(test_a_reboot_outside_of_the_hours),
		TEST(test_what_is_due_is_settled),
		TEST(test_random_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
