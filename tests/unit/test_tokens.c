/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens, moves and holds against a real store in memory: one test per promise of
 * docs/design.md (P1, P5). A session belongs to its token, not to a MAC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/device.h"
#include "rules/session.h"
#include "rules/token.h"
#include "rules/voucher.h"
#include "store/keeping.h"
#include "store/payments.h"

#include "lib/fixture.h"
#include "lib/world.h"

static void assert_state(struct world *w, int client, enum session_state state,
	const char *held_for)
{
	struct account account;

	assert_int_equal(account_load(&w->rules, &w->macs[client], &w->now, &account), 0);
	assert_int_equal(account.session.state, state);
	assert_string_equal(account.session.held_for, held_for);
	assert_int_equal(account.session.held_at != 0, held_for[0] != '\0');
}

/* It stands still, and goes on for who has the token, here or elsewhere. */
static void test_a_session_that_is_held(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct activated a;
	struct restored r;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	wait_ns(w, 600 * NSEC_PER_SEC);
	hold(w, 0, true);
	hold(w, 0, false);
	wait_ns(w, 7200 * NSEC_PER_SEC);
	assert_seconds(w, 0, 3000);
	assert_state(w, 0, SESSION_HELD, "two_networks");
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_true(r.released && !r.migrated);
	assert_state(w, 0, SESSION_RUNNING, "");
	wait_ns(w, 600 * NSEC_PER_SEC);
	assert_seconds(w, 0, 2400);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_false(r.released);
	hold(w, 0, true);
	wait_ns(w, 600 * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_true(r.released && r.migrated);
	assert_state(w, 1, SESSION_RUNNING, "");
	assert_seconds(w, 1, 2400);
}

/* Who has the MAC and no token: no code, no token, no session of his own. */
static void test_no_way_around_a_hold(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct activated a, other, more;
	struct account account;
	struct restored r;
	char token[TOKEN_TEXT];
	bool handed;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 1, w->code, &other), OUTCOME_OK);
	hold(w, 0, true);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &more), OUTCOME_SESSION_HELD);
	assert_int_equal(restore(w, 0, other.token, &r), OUTCOME_SESSION_HELD);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	account.session.token_handed = false;
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, token), 0);
	assert_false(handed);
	assert_state(w, 0, SESSION_HELD, "two_networks");
	assert_state(w, 1, SESSION_RUNNING, "");
	/* An old token does not do either. */
	wait_ns(w, 40 * 86400 * NSEC_PER_SEC);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	assert_state(w, 0, SESSION_HELD, "two_networks");
}

/* P1, P5: tokens. */

static void test_a_voucher_session_stays_with_its_device(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct restored r;
	struct activated a;
	char bad[TOKEN_TEXT];

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_NOT_TRANSFERABLE);
	assert_seconds(w, 0, 3600);
	assert_seconds(w, 1, 0);
	/* The same MAC gets its own back. */
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 0, "short", &r), OUTCOME_SESSION_UNKNOWN);
	memcpy(bad, a.token, sizeof(bad));
	bad[63] = bad[63] == '0' ? '1' : '0';
	assert_int_equal(restore(w, 0, bad, &r), OUTCOME_SESSION_UNKNOWN);
}

static void test_moves_are_counted(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 3600, UNLIMITED, 2);
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, HOUR / 4);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_true(r.migrated);
	assert_memory_equal(&r.from, &w->macs[0], sizeof(r.from));
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 2700);
	/* Staying costs nothing. */
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_NOT_TRANSFERABLE);
	assert_seconds(w, 0, 2700);
}

static void test_what_may_not_move_stays(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct restored r;
	struct activated a;

	/* A voucher in use, an operator's half hour behind it. */
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 0, 1800, UNLIMITED);
	wait_ns(w, HOUR / 6);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_seconds(w, 0, 3000);
	assert_seconds(w, 1, 1800);
	/* Both clocks run now. */
	wait_ns(w, HOUR / 6);
	assert_seconds(w, 0, 2400);
	assert_seconds(w, 1, 1200);
}

static void test_a_moved_session_joins_the_one_that_is_there(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct restored r;
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 1, 1800, MEGA);
	w->raw_up[1] += 1000;
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 5400);
	wait_ns(w, HOUR + HOUR / 4);
	assert_true(look(w, 1, &view));
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_int_equal(view.remaining_bytes, MEGA - 1000);
	assert_int_equal(view.remaining_ns, HOUR / 4);
}

static void test_what_was_paid_is_kept_when_sessions_join(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct activated here, there;
	struct session ended;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &here);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	assert_int_equal(restore(w, 1, here.token, &r), OUTCOME_OK);
	assert_int_equal(r.account.session.total_paid_minor, 3 * 500);
	/* Once, not twice: the sum over all sessions is what was sold. */
	assert_int_equal(store_session_lookup(w->rules.store,
				 there.account.session.id, &ended),
		0);
	assert_int_equal(ended.state, SESSION_ENDED);
	assert_int_equal(ended.total_paid_minor, 0);
}

static void test_an_expired_token_ends_nothing(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	/* Three days, and each showing makes it three days again. */
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	wait_ns(w, 3 * DAY * NSEC_PER_SEC + NSEC_PER_SEC);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	/* Not for the MAC that has it, and not brought back by showing. */
	assert_seconds(w, 1, 23 * DAY - 1);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_TOKEN_EXPIRED);
}

static void test_a_plan_brings_its_own_token_days(void **state)
{
	struct world *w = *state;
	struct plan plan = {.seconds = 30 * DAY,
		.bytes = UNLIMITED,
		.currency = "TZS",
		.name = "month",
		.moves = 9,
		.token_days = 30,
		.is_active = true};
	struct restored r;
	struct activated a;

	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, 29 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
}

static bool is_shown(
	struct world *w, const struct account *account, const char *token)
{
	bool is_good;

	assert_int_equal(
		token_show(&w->rules, account, token, &w->now, &is_good), 0);
	return is_good;
}

static void test_a_token_shown_at_the_portal_is_renewed(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct activated a, b;
	struct account account;
	struct restored r;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &b);
	for (i = 0; i < 4; i++) {
		wait_ns(w, 2 * DAY * NSEC_PER_SEC);
		assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now,
					 &account),
			0);
		assert_true(is_shown(w, &account, a.token));
		/* Another's token, and what is none. */
		assert_false(is_shown(w, &account, b.token));
		assert_false(is_shown(w, &account, "zz"));
	}
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 3, b.token, &r), OUTCOME_TOKEN_EXPIRED);
	/* What is over is not brought back. */
	wait_ns(w, 4 * DAY * NSEC_PER_SEC);
	assert_int_equal(
		account_load(&w->rules, &w->macs[2], &w->now, &account), 0);
	assert_false(is_shown(w, &account, a.token));
	assert_int_equal(restore(w, 3, a.token, &r), OUTCOME_TOKEN_EXPIRED);
}

static int64_t expiry_of_token(struct world *w, const char *text)
{
	uint8_t token[CRYPTO_HASH], hash[CRYPTO_HASH];
	struct token row;

	assert_int_equal(hex_parse(text, sizeof(token), token), 0);
	crypto_sha256(token, sizeof(token), hash);
	assert_int_equal(store_token_lookup(w->rules.store, hash, &row), 0);
	return row.expires_at;
}

static void test_a_token_shown_in_a_loop_is_written_once_an_hour(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct restored r;
	struct activated a;
	int64_t made;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	made = expiry_of_token(w, a.token);
	for (i = 0; i < 59; i++) {
		wait_ns(w, HOUR / 60);
		assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
		assert_int_equal(expiry_of_token(w, a.token), made);
	}
	wait_ns(w, HOUR / 60);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_int_equal(expiry_of_token(w, a.token), made + 3600);
}

static void test_a_top_up_leaves_older_tokens(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, UNLIMITED);
	struct activated a[TOKENS_MAX + 1];
	struct restored r;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a[0]);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a[1]);
	/* The link saved first, and the one that the top-up gave. */
	assert_int_equal(restore(w, 1, a[0].token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, a[1].token, &r), OUTCOME_OK);
	assert_seconds(w, 2, 58 * DAY);
	/* Each has its own end: showing one keeps that one alive. */
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 3, a[1].token, &r), OUTCOME_OK);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 4, a[0].token, &r), OUTCOME_TOKEN_EXPIRED);
	assert_int_equal(restore(w, 4, a[1].token, &r), OUTCOME_OK);
	/* There are only so many of one session. */
	for (i = 0; i <= TOKENS_MAX; i++)
		activate(w, 4, make_code(w, &plan, UNLIMITED), &a[i]);
	assert_int_equal(restore(w, 4, a[0].token, &r), OUTCOME_SESSION_UNKNOWN);
	assert_int_equal(restore(w, 4, a[1].token, &r), OUTCOME_OK);
}

static void test_tokens_of_a_joined_session_find_the_other(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct activated here, there;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &here);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	assert_int_equal(restore(w, 1, here.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, there.token, &r), OUTCOME_OK);
	assert_true(r.migrated);
	assert_seconds(w, 2, 7200);
}

static void test_expired_tokens_are_cleaned_up(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	int64_t before[RETENTION_COUNT] = {0};
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, 4 * DAY * NSEC_PER_SEC);
	before[RETENTION_TOKENS] = w->now.wall_sec - 2 * DAY;
	assert_int_equal(store_clean_up(w->rules.store, before), 0);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	before[RETENTION_TOKENS] = w->now.wall_sec;
	assert_int_equal(store_clean_up(w->rules.store, before), 1);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_SESSION_UNKNOWN);
	/* The session goes on where it is. */
	assert_seconds(w, 0, 26 * DAY);
}

static void test_a_session_that_is_used_up(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct session session;
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(token_session(&w->rules, a.token, &session), 0);
	assert_int_equal(session.state, SESSION_RUNNING);
	wait_ns(w, HOUR);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_SESSION_USED_UP);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_SESSION_USED_UP);
	assert_seconds(w, 0, 0);
	assert_int_equal(token_session(&w->rules, a.token, &session), 0);
	assert_string_equal(session.end_reason, "expired");
	assert_int_equal(token_session(&w->rules, "none", &session), -ENOENT);
	/* Nothing of it is the device's any more. */
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_VOUCHER_USED);
}

static void test_a_token_is_handed_out_once(void **state)
{
	struct world *w = *state;
	char token[TOKEN_TEXT], again[TOKEN_TEXT];
	struct account account;
	struct restored r;
	bool handed;

	allow(w, 0, 3600, UNLIMITED);
	assert_int_equal(
		account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, token), 0);
	assert_true(handed);
	assert_int_equal(
		account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, again), 0);
	assert_false(handed);
	assert_int_equal(restore(w, 1, token, &r), OUTCOME_OK);
	assert_true(r.migrated);
}

static void test_nobody_gets_rid_of_a_block_by_moving(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct device device = {.mac = w->macs[0], .blocked = true};
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_CLIENT_BLOCKED);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_CLIENT_BLOCKED);
}

static void test_the_desk_moves_everything(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct activated a;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 0, 1800, UNLIMITED);
	assert_int_equal(move(w, 0, 1), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 5400);
	assert_int_equal(move(w, 0, 1), OUTCOME_NOT_FOUND);
	/* The token goes with it. */
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	/* To where it is already: nothing happens. */
	assert_int_equal(move(w, 1, 1), OUTCOME_OK);
	assert_seconds(w, 1, 5400);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_session_that_is_held),
		TEST(test_no_way_around_a_hold),
		TEST(test_a_voucher_session_stays_with_its_device),
		TEST(test_moves_are_counted),
		TEST(test_what_may_not_move_stays),
		TEST(test_a_moved_session_joins_the_one_that_is_there),
		TEST(test_what_was_paid_is_kept_when_sessions_join),
		TEST(test_an_expired_token_ends_nothing),
		TEST(test_a_plan_brings_its_own_token_days),
		TEST(test_a_token_shown_at_the_portal_is_renewed),
		TEST(test_a_token_shown_in_a_loop_is_written_once_an_hour),
		TEST(test_a_top_up_leaves_older_tokens),
		TEST(test_tokens_of_a_joined_session_find_the_other),
		TEST(test_expired_tokens_are_cleaned_up),
		TEST(test_a_session_that_is_used_up),
		TEST(test_a_token_is_handed_out_once),
		TEST(test_nobody_gets_rid_of_a_block_by_moving),
		TEST(test_the_desk_moves_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
