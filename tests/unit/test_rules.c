/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions and their credits against a real store in memory: one test per promise
 * of docs/design.md (P6). Vouchers and tokens have files of their own; all of it
 * at random: test_model.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/grant.h"
#include "rules/device.h"
#include "rules/pause.h"
#include "rules/refund.h"
#include "rules/sale.h"
#include "rules/session.h"
#include "rules/token.h"
#include "rules/voucher.h"
#include "store/payments.h"

#include "lib/fixture.h"
#include "lib/world.h"

/* Every event from every state: where it leads, where it may not, what is told. */
static void test_transitions(void **state)
{
	enum { NO = -1, R = SESSION_RUNNING, P = SESSION_PAUSED, H = SESSION_HELD,
		E = SESSION_ENDED };
	static const struct {
		int to[4]; /* from running, paused, held, ended */
		const char *end_reason;
	} rows[] = {
		[SESSION_EVENT_STARTED] = {{R, P, H, NO}},
		[SESSION_EVENT_EXTENDED] = {{R, P, H, NO}},
		[SESSION_EVENT_REDUCED] = {{R, P, H, NO}},
		[SESSION_EVENT_PAUSED] = {{P, NO, NO, NO}},
		[SESSION_EVENT_RESUMED] = {{NO, R, NO, NO}},
		[SESSION_EVENT_STANDS] = {{R, NO, NO, NO}},
		[SESSION_EVENT_GOES_ON] = {{R, NO, NO, NO}},
		[SESSION_EVENT_HELD] = {{H, H, NO, NO}},
		[SESSION_EVENT_RELEASED] = {{NO, NO, R, NO}},
		[SESSION_EVENT_RELEASED_PAUSED] = {{NO, NO, P, NO}},
		[SESSION_EVENT_BLOCKED] = {{R, P, H, NO}},
		[SESSION_EVENT_UNBLOCKED] = {{R, P, H, NO}},
		[SESSION_EVENT_MOVED] = {{R, P, H, NO}},
		[SESSION_EVENT_EXPIRED] = {{E, E, E, NO}, "expired"},
		[SESSION_EVENT_USED_UP] = {{E, E, E, NO}, "used up"},
		[SESSION_EVENT_EMPTIED] = {{E, E, E, NO}, "empty"},
		[SESSION_EVENT_KICKED] = {{E, E, E, NO}, "ended by operator"},
		[SESSION_EVENT_REMOVED] = {{E, E, E, NO}, "removed by its guest"},
		[SESSION_EVENT_JOINED] = {{E, E, E, NO}, "joined another"},
		[SESSION_EVENT_FORGOTTEN] = {{E, E, E, NO}, "over before restore"},
		[SESSION_EVENT_REFUNDED] = {{R, P, H, NO}},
		[SESSION_EVENT_ENDED_BY_REFUND] = {{E, E, E, NO}, "refunded"},
	};
	const struct moment now = {5 * NSEC_PER_SEC, 1000};
	size_t i;
	int from;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (from = R; from <= E; from++) {
			int to = rows[i].to[from];
			struct account account = {
				.session.state = (enum session_state)from};

			assert_int_equal(account_change(&account,
						 (enum session_event)i, "why", &now),
				to != NO);
			assert_int_equal(account.happened_count, to != NO);
			assert_int_equal(
				account.session.state, to == NO ? from : to);
			assert_string_equal(account.session.end_reason,
				to == E ? rows[i].end_reason : "");
			assert_int_equal(
				account.session.ended_at, to == E ? 1000 : 0);
		}
}

/* P6: credits. */

static void test_same_plan_adds_up_another_waits(void **state)
{
	struct world *w = *state;
	struct plan hour = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct plan day = make_plan(w, "day", DAY, UNLIMITED, 0);
	struct activated a;
	struct view view;

	assert_int_equal(
		activate(w, 0, make_code(w, &hour, UNLIMITED), &a), OUTCOME_OK);
	wait_ns(w, HOUR / 2);
	assert_int_equal(
		activate(w, 0, make_code(w, &hour, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.count, 1);
	assert_seconds(w, 0, 5400);
	assert_int_equal(
		activate(w, 0, make_code(w, &day, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.count, 2);
	assert_seconds(w, 0, 5400 + DAY);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "hour");
	/* No gap and no overlap: the second begins where the first ended,
	 * however late somebody looks. */
	wait_ns(w, 3 * HOUR);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "day");
	assert_int_equal(view.remaining_ns,
		5400 * NSEC_PER_SEC + DAY * NSEC_PER_SEC - 3 * HOUR);
	wait_ns(w, 24 * HOUR);
	assert_seconds(w, 0, 0);
}

static void test_a_session_is_topped_up_for_ever(void **state)
{
	struct world *w = *state;
	struct plan plans[] = {make_plan(w, "a", 60, UNLIMITED, 0),
		make_plan(w, "b", 60, UNLIMITED, 0)};
	struct activated a;
	struct view view;
	int i;

	/* Two at a time: there is always one in use and one that waits. */
	for (i = 0; i < 3 * CREDITS_MAX; i++) {
		assert_int_equal(activate(w, 0,
					 make_code(w, &plans[i % 2], UNLIMITED),
					 &a),
			OUTCOME_OK);
		w->raw_up[0] += 1000;
		w->raw_down[0] += 10;
		sync_records(w);
		wait_ns(w, (i ? 60 : 1) * NSEC_PER_SEC);
	}
	assert_int_equal(a.account.session.total_paid_minor,
		3 * CREDITS_MAX * 500);
	/* What was used up long ago is counted all the same. */
	assert_true(look(w, 0, &view));
	assert_int_equal(view.bytes_up, 3 * CREDITS_MAX * 1000);
	assert_int_equal(view.bytes_down, 3 * CREDITS_MAX * 10);
}

static void test_too_many_waiting_credits_are_refused(void **state)
{
	struct world *w = *state;
	struct plan plans[] = {make_plan(w, "a", 60, UNLIMITED, 0),
		make_plan(w, "b", 60, UNLIMITED, 0)};
	struct activated a;
	int i;

	for (i = 0; i < CREDITS_MAX; i++)
		assert_int_equal(activate(w, 0,
					 make_code(w, &plans[i % 2], UNLIMITED),
					 &a),
			OUTCOME_OK);
	make_code(w, &plans[0], UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_CONFLICT);
	assert_int_equal(allow(w, 1, 600, UNLIMITED), OUTCOME_OK);
	assert_int_equal(move(w, 0, 1), OUTCOME_CONFLICT);
	assert_seconds(w, 0, CREDITS_MAX * 60);
	assert_seconds(w, 1, 600);
	/* One is used: there is room again, and the code is still good. */
	wait_ns(w, 60 * NSEC_PER_SEC);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_seconds(w, 0, CREDITS_MAX * 60);
}

static void test_bytes_end_a_credit_and_start_the_next(void **state)
{
	struct world *w = *state;
	struct plan small = make_plan(w, "small", 3600, MEGA, 0);
	struct plan big = make_plan(w, "big", 3600, 5 * MEGA, 0);
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &small, UNLIMITED), &a);
	activate(w, 0, make_code(w, &big, UNLIMITED), &a);
	w->raw_up[0] += 400000;
	w->raw_down[0] += 599999;
	assert_true(look(w, 0, &view));
	/* What the kernel enforces now; the sum is of time alone. */
	assert_int_equal(view.remaining_bytes, 1);
	assert_int_equal(view.credit_ns, HOUR);
	assert_int_equal(view.remaining_ns, 2 * HOUR);
	assert_string_equal(view.plan, "small");
	/* One byte left, but the next packet has more. */
	w->exhausted[0] = true;
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "big");
	assert_int_equal(view.remaining_bytes, 5 * MEGA);
	assert_int_equal(view.remaining_ns, HOUR);
	/* What was counted is still shown. */
	assert_int_equal(view.bytes_up, 400000);
	assert_int_equal(view.bytes_down, 599999);
	sync_records(w);
	w->raw_down[0] += 5 * MEGA;
	assert_seconds(w, 0, 0);
}

static struct grant grant_now(struct world *w, int client)
{
	struct holder holder = {.mac = w->macs[client]};
	struct account account;

	assert_int_equal(account_load(&w->rules, &w->macs[client], &w->now,
				 &account),
		0);
	holder.session = account.session;
	holder.credit = *account_in_use(&account);
	return grant_of(&holder, &w->now);
}

static void test_fair_use_ends_nothing(void **state)
{
	struct world *w = *state;
	struct plan fair = {.name = "fair", .seconds = 3600, .bytes = MEGA,
		.rates = {.up = 1000, .down = 2000, .slow_up = 64, .slow_down = 128},
		.currency = "TZS", .token_days = UNLIMITED};
	struct activated a;
	struct grant grant;
	struct view view;

	assert_int_equal(store_plan_insert(w->rules.store, &fair, &fair.id), 0);
	activate(w, 0, make_code(w, &fair, UNLIMITED), &a);
	grant = grant_now(w, 0);
	assert_int_equal(grant.bytes_left, MEGA);
	assert_memory_equal(&grant.rates, &fair.rates, sizeof(fair.rates));
	w->raw_down[0] += MEGA - 1;
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, 1);
	assert_int_equal(view.remaining_bytes, UNLIMITED);
	/* The quota stays where it was, in absolute numbers. */
	w->raw_down[0] += 5001;
	w->exhausted[0] = true;
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, 0);
	assert_int_equal(view.remaining_ns, HOUR);
	assert_int_equal(grant_now(w, 0).bytes_left, -5000);
	/* What went slowly does not count against what is bought now. */
	activate(w, 0, make_code(w, &fair, UNLIMITED), &a);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, MEGA);
	assert_int_equal(view.remaining_ns, 2 * HOUR);
}

static void test_rates_change_for_what_is_in_use(void **state)
{
	struct world *w = *state;
	struct rates rates = {RATE_KEEP, 512, RATE_KEEP, RATE_KEEP};
	enum outcome outcome = OUTCOME_OK;
	struct account account;

	assert_int_equal(session_rate(&w->rules, &w->macs[0], &rates, &w->now,
				 &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(allow(w, 0, 60, UNLIMITED), OUTCOME_OK);
	assert_int_equal(session_rate(&w->rules, &w->macs[0], &rates, &w->now,
				 &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(grant_now(w, 0).rates.down, 512);
	assert_int_equal(grant_now(w, 0).rates.up, 0);
	/* Time that names no rate is more of the same. */
	assert_int_equal(allow(w, 0, 60, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 120);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now,
				 &account),
		0);
	assert_int_equal(account.count, 1);
}

/* Credits with and without a limit: each is shown as it is. */
static void test_mixed_credits_are_shown_one_by_one(void **state)
{
	struct world *w = *state;
	struct plan small = make_plan(w, "small", 3600, 50 * MEGA, 0);
	struct plan day = make_plan(w, "day", DAY, UNLIMITED, 0);
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &small, UNLIMITED), &a);
	activate(w, 0, make_code(w, &day, UNLIMITED), &a);
	allow(w, 0, 600, UNLIMITED);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "small");
	assert_int_equal(view.kind, KIND_VOUCHER);
	assert_int_equal(view.credit_ns, HOUR);
	assert_int_equal(view.remaining_bytes, 50 * MEGA);
	assert_int_equal(view.remaining_ns,
		HOUR + (DAY + 600) * NSEC_PER_SEC);
	/* The bytes are gone: so is what was left of that credit's time. */
	wait_ns(w, HOUR / 4);
	w->raw_up[0] += 50 * MEGA;
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "day");
	assert_int_equal(view.credit_ns, DAY * NSEC_PER_SEC);
	assert_int_equal(view.remaining_bytes, UNLIMITED);
	assert_int_equal(view.remaining_ns, (DAY + 600) * NSEC_PER_SEC);
	wait_ns(w, DAY * NSEC_PER_SEC + NSEC_PER_SEC);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_string_equal(view.plan, "");
	assert_int_equal(view.credit_ns, view.remaining_ns);
}

static void test_an_operator_gives_and_takes(void **state)
{
	struct world *w = *state;
	struct session ended;
	struct view view;

	assert_int_equal(allow(w, 0, -60, UNLIMITED), OUTCOME_NOT_FOUND);
	assert_int_equal(allow(w, 0, 3600, 10 * MEGA), OUTCOME_OK);
	assert_int_equal(allow(w, 0, 1800, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 5400);
	/* Time alone lifts no limit of bytes. */
	assert_true(look(w, 0, &view));
	assert_int_equal(view.remaining_bytes, 10 * MEGA);
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_int_equal(allow(w, 0, -400, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 5000);
	/* Never below 0. */
	assert_int_equal(allow(w, 0, -100000, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_int_equal(store_session_list(w->rules.store, SESSION_ENDED,
				 UNLIMITED, &ended, 1),
		1);
	assert_string_equal(ended.end_reason, "ended by operator");
	assert_int_equal(allow(w, 0, -1, UNLIMITED), OUTCOME_NOT_FOUND);
}

/* Grants. */

static int keep_holder(void *data, const struct holder *holder)
{
	struct holder *kept = data;

	if (!memcmp(&kept->mac, &holder->mac, sizeof(kept->mac)))
		*kept = *holder;
	return 0;
}

/* All at once, in parts, and by name: they say the same. */
static struct grant grant_for(struct world *w, int client)
{
	struct holder holder = {.mac = w->macs[client]}, again = holder, named;
	struct holder_place place = {0};
	int ret;

	assert_int_equal(
		store_holder_each(w->rules.store, keep_holder, &holder), 0);
	while (!place.is_end)
		assert_int_equal(store_holder_some(w->rules.store, &place, 1,
					 keep_holder, &again),
			0);
	assert_memory_equal(&again, &holder, sizeof(holder));
	ret = store_holder_lookup(w->rules.store, &w->macs[client], &named);
	if (ret)
		assert_int_equal(ret, -ENOENT);
	else
		assert_memory_equal(&named, &holder, sizeof(holder));
	return grant_of(&holder, &w->now);
}

static void test_the_grant_follows_the_credit_in_use(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, MEGA, 0);
	struct device device = {.mac = w->macs[0]};
	struct activated a;
	struct grant g = grant_for(w, 0);

	assert_int_equal(g.state, GRANT_NONE);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	w->raw_up[0] += 1000;
	sync_records(w);
	g = grant_for(w, 0);
	assert_int_equal(g.state, GRANT_RUNNING);
	assert_int_equal(g.expires_ns, w->now.mono_ns + HOUR);
	assert_int_equal(g.bytes_left, MEGA - 1000);
	assert_int_equal(g.session_id, a.account.session.id);
	device_exempt(&device, "guest", w->now.wall_sec + 60, &w->now);
	store_device_put(w->rules.store, &device);
	assert_int_equal(grant_for(w, 0).state, GRANT_EXEMPT);
	device.blocked = true;
	store_device_put(w->rules.store, &device);
	assert_int_equal(grant_for(w, 0).state, GRANT_BLOCKED);
	device.blocked = false;
	store_device_put(w->rules.store, &device);
	g = grant_for(w, 0);
	assert_int_equal(g.state, GRANT_EXEMPT);
	assert_string_equal(g.networks, "guest");
	assert_int_equal(g.expires_ns, device.exemption.deadline_ns);
	/* Not charged to the session that it has besides. */
	assert_int_equal(g.credit_id, 0);
	wait_ns(w, 61 * NSEC_PER_SEC);
	assert_int_equal(grant_for(w, 0).state, GRANT_RUNNING);
	wait_ns(w, HOUR);
	sync_records(w);
	assert_int_equal(grant_for(w, 0).state, GRANT_NONE);
}

/* P6: pauses. */

static enum outcome pause_it(struct world *w, int client, bool *ret_changed)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	*ret_changed = false;
	assert_int_equal(session_pause(&w->rules, &w->macs[client],
				 SESSION_BY_USER, &w->now, ret_changed, &outcome), 0);
	sync_records(w);
	return outcome;
}

static void resume(struct world *w, int client)
{
	enum outcome outcome;
	bool changed = false;

	assert_int_equal(session_resume(&w->rules, &w->macs[client],
				 SESSION_BY_USER, &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_true(changed);
	sync_records(w);
}

static void test_a_paused_clock_stands(void **state)
{
	struct world *w = *state;
	struct view view;
	bool changed;

	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_FOUND);
	allow(w, 0, 3600, UNLIMITED);
	wait_ns(w, 100 * NSEC_PER_SEC + 1);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_true(changed);
	/* Years later, to the nanosecond. */
	wait_ns(w, 1000 * DAY * NSEC_PER_SEC);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_false(changed);
	resume(w, 0);
	wait_ns(w, 3500 * NSEC_PER_SEC - 2);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.remaining_ns, 1);
	wait_ns(w, 1);
	assert_false(look(w, 0, &view));
}

/* The credit in use says whether; what is redeemed goes on. */
static void test_what_may_be_paused(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct activated a;
	bool changed;

	allow(w, 0, 60, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_int_equal(activate(w, 0, make_code(w, &plan, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.session.state, SESSION_RUNNING);
	wait_ns(w, 60 * NSEC_PER_SEC);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
	allow(w, 0, 60, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
	assert_seconds(w, 0, 3660);
}

/* Held and released, it is paused again. */
static void test_a_hold_over_a_pause(void **state)
{
	struct world *w = *state;
	enum outcome outcome;
	struct account account;
	bool changed;

	allow(w, 0, 3600, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	hold(w, 0, true);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_SESSION_HELD);
	assert_int_equal(session_resume(&w->rules, &w->macs[0], SESSION_BY_USER,
				 &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_SESSION_HELD);
	assert_int_equal(session_release(&w->rules, &w->macs[0],
				 SESSION_BY_OPERATOR, &w->now, &changed, &outcome), 0);
	assert_true(changed);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account.session.state, SESSION_PAUSED);
	wait_ns(w, HOUR);
	assert_seconds(w, 0, 3600);
}

/* Each device would have the minutes that the other one stops. */
static void test_what_is_shared_is_not_paused(void **state)
{
	struct world *w = *state;
	struct credit credit = {.kind = KIND_COIN, .left_ns = HOUR,
		.bytes = UNLIMITED, .moves_left = UNLIMITED, .token_days = UNLIMITED};
	struct group group = {.devices_max = 2, .bytes = UNLIMITED, .name = "two"};
	enum outcome outcome;
	struct account account;
	bool changed;

	assert_int_equal(store_group_insert(w->rules.store, &group), 0);
	credit.group_id = group.id;
	assert_int_equal(account_open(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account_add(&w->rules, &account, &credit, &w->now, &outcome), 0);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
}

/* Refunds. */

static struct payment buy(struct world *w, int client, int64_t seconds, int64_t bytes)
{
	struct allowance allowance = {.seconds = seconds, .bytes = bytes};
	struct payment payment = {.paid_at = 1, .method = "cash", .amount_minor = 100,
		.currency = "TZS", .who = "test"};
	enum outcome outcome;
	struct account account;

	assert_int_equal(session_allow(&w->rules, &w->macs[client], &allowance,
				 &w->now, &account, &outcome), 0);
	assert_int_equal(sale_to_session(&w->rules, &account, &payment), 0);
	sync_records(w);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	return payment;
}

static void refund(struct world *w, const struct payment *payment)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(session_refund(&w->rules, payment, &w->now, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	sync_records(w);
}

static void test_a_refund_takes_what_it_bought(void **state)
{
	struct world *w = *state;
	struct payment first = buy(w, 0, 600, UNLIMITED), second = buy(w, 0, 300, UNLIMITED);
	struct account account;
	struct session session;

	wait_ns(w, 100 * NSEC_PER_SEC);
	/* Added up with the first, and 100 s are used: never more than it bought. */
	refund(w, &second);
	assert_seconds(w, 0, 500);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account.session.total_paid_minor, 100);
	/* Nor than is left; and that was the last. */
	refund(w, &first);
	assert_seconds(w, 0, 0);
	assert_int_equal(
		store_session_last(w->rules.store, &w->macs[0], &session), 0);
	assert_string_equal(session.end_reason, "refunded");
	assert_int_equal(session.total_paid_minor, 0);
}

/* It follows its credit to another MAC and into another session. */
static void test_a_refund_finds_its_credit(void **state)
{
	struct world *w = *state;
	struct payment payment = buy(w, 0, 600, 5 * MEGA);
	struct account account;

	assert_int_equal(move(w, 0, 1), OUTCOME_OK);
	allow(w, 2, 60, UNLIMITED);
	assert_int_equal(move(w, 1, 2), OUTCOME_OK);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	refund(w, &payment);
	assert_seconds(w, 2, 60);
	assert_int_equal(account_load(&w->rules, &w->macs[2], &w->now, &account), 0);
	assert_int_equal(account.session.total_paid_minor, 0);
}

static void test_a_refund_of_what_is_shared(void **state)
{
	struct world *w = *state;
	struct plan plan = make_shared_plan(w, 3);
	struct payment payment = {.paid_at = 1, .method = "cash", .amount_minor = 700,
		.currency = "TZS", .who = "test"};
	enum outcome outcome;
	struct activated a;
	struct voucher voucher;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(store_voucher_list(w->rules.store, -1, NULL, 0, &voucher, 1), 1);
	payment.voucher_id = voucher.id;
	assert_int_equal(store_payment_insert(w->rules.store, &payment), 0);
	/* Not redeemed yet: there is nothing to take. */
	assert_int_equal(session_refund(&w->rules, &payment, &w->now, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_int_equal(a.account.session.total_paid_minor, 700);
	assert_int_equal(activate(w, 1, w->code, &a), OUTCOME_OK);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	refund(w, &payment);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transitions),
		TEST(test_same_plan_adds_up_another_waits),
		TEST(test_a_session_is_topped_up_for_ever),
		TEST(test_too_many_waiting_credits_are_refused),
		TEST(test_fair_use_ends_nothing),
		TEST(test_rates_change_for_what_is_in_use),
		TEST(test_bytes_end_a_credit_and_start_the_next),
		TEST(test_mixed_credits_are_shown_one_by_one),
		TEST(test_an_operator_gives_and_takes),
		TEST(test_the_grant_follows_the_credit_in_use),
		TEST(test_a_paused_clock_stands),
		TEST(test_what_may_be_paused),
		TEST(test_a_hold_over_a_pause),
		TEST(test_what_is_shared_is_not_paused),
		TEST(test_a_refund_takes_what_it_bought),
		TEST(test_a_refund_finds_its_credit),
		TEST(test_a_refund_of_what_is_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
