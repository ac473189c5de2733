/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins against a real store in memory: who has the slot, whose a coin is, what
 * it buys; and then ten thousands of random steps after each of which no money
 * may be missing and none may be there twice. A crash is played between any two
 * steps: what was journalled is given to its lock later, as at a start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/coin.h"
#include "store/handle.h"

#include "lib/fixture.h"

#define SEC NSEC_PER_SEC
#define CLIENTS 3
#define STEPS 10000

struct world {
	struct rules rules;
	struct moment now;
	struct mac macs[CLIENTS];
	int64_t seq;
	struct coin_lock lock; /* the last one given */
	int64_t wait_ns;
	struct coin_started started;
};

static void add_plan(struct world *w, const char *name, int64_t price, int64_t minutes)
{
	struct plan plan = lib_plan(name, minutes * 60);

	plan.price_minor = price;
	memcpy(plan.currency, "PHP", 4);
	plan.coin = true;
	lib_plan_add(&w->rules, &plan);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int i;

	lib_rules_open(&w->rules);
	w->now = (struct moment){1000 * SEC, 1800000000};
	for (i = 0; i < CLIENTS; i++)
		w->macs[i] = lib_mac(i + 1);
	add_plan(w, "one", 100, 10);
	add_plan(w, "five", 500, 60);
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

static void wait_sec(struct world *w, int64_t sec)
{
	lib_wait(&w->now, sec * SEC);
	assert_true(coin_expire(&w->rules, &w->now) >= 0);
}

static enum outcome lock(struct world *w, int client)
{
	const struct guest guest = {&w->macs[client], "lan"};
	enum outcome outcome = OUTCOME_OK;

	assert_int_equal(coin_lock(&w->rules, &guest, "main", "PHP", &w->now,
				 &w->lock, &w->wait_ns, &outcome), 0);
	return outcome;
}

static bool journal(struct world *w, int64_t seq, int64_t amount)
{
	struct coin_pulse pulse = {.slot = "main", .seq = seq, .currency = "PHP",
		.at = w->now.wall_sec, .at_ns = w->now.mono_ns,
		.amount_minor = amount};
	bool is_new = false;

	assert_int_equal(coin_journal(&w->rules, &pulse, &is_new), 0);
	return is_new;
}

static void settle(struct world *w)
{
	assert_true(coin_settle(&w->rules, &w->now) >= 0);
}

static void coin(struct world *w, int64_t amount)
{
	assert_true(journal(w, ++w->seq, amount));
	settle(w);
}

static struct coin_lock reload(struct world *w, int64_t id)
{
	struct coin_lock row;

	assert_int_equal(store_coin_lock_lookup(w->rules.store, id, &row), 0);
	return row;
}

static enum outcome start_as(struct world *w, int client, const char *key,
	int64_t minutes, int64_t amount)
{
	const struct coin_claim claim = {minutes, amount, "main"};
	const struct guest guest = {&w->macs[client], "lan"};
	enum outcome outcome = OUTCOME_OK;

	assert_int_equal(store_savepoint(w->rules.store), 0);
	assert_int_equal(coin_start(&w->rules, &guest, key, &claim, &w->now,
				 &w->started, &outcome), 0);
	assert_int_equal(outcome ? store_rollback_to(w->rules.store)
				 : store_release(w->rules.store), 0);
	return outcome;
}

static enum outcome start(struct world *w, int client)
{
	return start_as(w, client, w->lock.key, UNLIMITED, UNLIMITED);
}

static void check_sums(struct world *w)
{
	struct coin_sums sums;

	assert_int_equal(store_coin_sums(w->rules.store, &sums), 0);
	assert_int_equal(sums.pulses_minor, sums.paid_minor + sums.rest_minor);
}

static void test_lock_pulses_start(void **state)
{
	struct world *w = *state;
	struct session session;
	struct view view;
	int i;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	assert_true(coin_is_open(&w->lock, &w->now));
	for (i = 0; i < 5; i++)
		coin(w, 100);
	assert_int_equal(start_as(w, 0, w->lock.key, 60, 500), OUTCOME_OK);
	account_view(&w->started.account, &w->now, &view);
	assert_int_equal(view.kind, KIND_COIN);
	assert_int_equal(view.remaining_ns, 3600 * SEC);
	assert_int_equal(w->started.account.session.total_paid_minor, 500);
	assert_int_equal(strlen(w->started.token), TOKEN_TEXT - 1);
	/* Nobody gets another one without a proof. */
	assert_int_equal(store_session_of(w->rules.store, &w->macs[0], &session), 0);
	assert_true(session.token_handed);
	assert_int_equal(reload(w, w->lock.id).state, COIN_LOCK_DONE);
	check_sums(w);
	/* The reply was lost: the same again, and not twice. */
	assert_int_equal(start(w, 0), OUTCOME_OK);
	assert_int_equal(w->started.paid_minor, 0);
	account_view(&w->started.account, &w->now, &view);
	assert_int_equal(view.remaining_ns, 3600 * SEC);
	check_sums(w);
}

static void test_what_the_browser_claims(void **state)
{
	struct world *w = *state;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	assert_int_equal(start(w, 0), OUTCOME_AMOUNT_SMALL);
	assert_int_equal(start_as(w, 0, w->lock.key, 60, 500),
		OUTCOME_AMOUNT_DIFFERS);
	coin(w, 100);
	assert_int_equal(start_as(w, 0, w->lock.key, 60, 500),
		OUTCOME_AMOUNT_DIFFERS);
	assert_int_equal(w->started.lock.credited_minor, 100);
	assert_int_equal(w->started.offer.seconds, 600);
	assert_int_equal(start_as(w, 0, w->lock.key, 60, UNLIMITED),
		OUTCOME_AMOUNT_DIFFERS);
	assert_int_equal(start_as(w, 0, "0123", 10, 100), OUTCOME_LOCK_UNKNOWN);
	/* Another client has the key, and not the MAC. */
	assert_int_equal(start_as(w, 1, w->lock.key, 10, 100),
		OUTCOME_LOCK_UNKNOWN);
	assert_int_equal(start_as(w, 0, w->lock.key, 10, 100), OUTCOME_OK);
}

static void test_whose_slot(void **state)
{
	struct world *w = *state;
	int64_t first;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	first = w->lock.id;
	assert_int_equal(lock(w, 0), OUTCOME_OK);
	assert_int_equal(w->lock.id, first);
	assert_int_equal(lock(w, 1), OUTCOME_SLOT_BUSY);
	assert_int_equal(w->wait_ns, 15 * SEC);
	wait_sec(w, 14);
	assert_int_equal(lock(w, 1), OUTCOME_SLOT_BUSY);
	wait_sec(w, 1);
	assert_int_equal(lock(w, 1), OUTCOME_OK);
	assert_int_equal(reload(w, first).state, COIN_LOCK_TAKEN);
	/* What was on its way is still the first one's. */
	wait_sec(w, 1);
	coin(w, 100);
	assert_int_equal(reload(w, first).credited_minor, 100);
	wait_sec(w, 1);
	coin(w, 200);
	assert_int_equal(reload(w, w->lock.id).credited_minor, 200);
	/* A coin in it: nobody takes it any more, and the first waits. */
	wait_sec(w, 30);
	assert_int_equal(lock(w, 2), OUTCOME_SLOT_BUSY);
	assert_int_equal(start(w, 1), OUTCOME_OK);
	assert_int_equal(lock(w, 0), OUTCOME_SLOT_BUSY);
	assert_int_equal(w->wait_ns, 28 * SEC);
	assert_int_equal(lock(w, 2), OUTCOME_OK);
	wait_sec(w, 28);
	assert_int_equal(lock(w, 0), OUTCOME_OK);
	/* What fell late is in it. */
	assert_int_equal(w->lock.credited_minor, 100);
	check_sums(w);
}

static void test_how_long(void **state)
{
	struct world *w = *state;
	int i;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	wait_sec(w, 59);
	coin(w, 100);
	wait_sec(w, 30);
	w->lock = reload(w, w->lock.id);
	assert_true(coin_is_open(&w->lock, &w->now));
	/* Pulses of one coin are one coin. */
	coin(w, 100);
	coin(w, 100);
	assert_int_equal(reload(w, w->lock.id).coins, 2);
	for (i = 0; i < 18; i++) {
		w->now.mono_ns += SEC;
		coin(w, 100);
	}
	w->lock = reload(w, w->lock.id);
	assert_int_equal(w->lock.until_ns - w->lock.from_ns, 300 * SEC);
	wait_sec(w, 193);
	assert_int_equal(reload(w, w->lock.id).state, COIN_LOCK_OVER);
	/* Over is the slot's time, not the money's. */
	assert_int_equal(start_as(w, 0, w->lock.key, UNLIMITED, 2100), OUTCOME_OK);
	check_sums(w);
}

static void test_nobodys(void **state)
{
	struct world *w = *state;
	const struct guest guest = {&w->macs[2], NULL};
	struct coin_lock rows[4];
	enum outcome outcome = OUTCOME_OK;

	coin(w, 100);
	wait_sec(w, 5);
	coin(w, 500);
	wait_sec(w, 61);
	coin(w, 100);
	assert_int_equal(store_coin_lock_rests(w->rules.store, NULL, UNLIMITED,
				 rows, 4), 2);
	assert_int_equal(rows[1].state, COIN_LOCK_UNCLAIMED);
	assert_int_equal(rows[1].credited_minor, 600);
	assert_int_equal(rows[1].coins, 2);
	/* It helps nobody to reserve the slot now. */
	assert_int_equal(lock(w, 0), OUTCOME_OK);
	assert_int_equal(w->lock.credited_minor, 0);
	assert_int_equal(coin_claim(&w->rules, rows[1].id, &guest, &w->now,
				 &w->started, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(w->started.paid_minor, 600);
	assert_int_equal(coin_claim(&w->rules, rows[1].id, &guest, &w->now,
				 &w->started, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_LOCK_UNKNOWN);
	check_sums(w);
}

/* A number that comes again is the same coin; what crashed between the journal
 * and the credit is credited once, to the lock that was open then. */
static void test_journal(void **state)
{
	struct world *w = *state;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	assert_true(journal(w, 7, 100));
	assert_false(journal(w, 7, 100));
	wait_sec(w, 120);
	settle(w);
	settle(w);
	assert_false(journal(w, 7, 100));
	settle(w);
	assert_int_equal(reload(w, w->lock.id).credited_minor, 100);
	assert_true(journal(w, UNLIMITED, 100));
	assert_true(journal(w, UNLIMITED, 100));
	settle(w);
	check_sums(w);
}

static void expect_offer(struct world *w, int64_t amount, int64_t minutes, int64_t cost)
{
	const struct guest guest = {&w->macs[0], "lan"};
	struct coin_offer offer;

	assert_int_equal(coin_offer(&w->rules, &guest, "PHP", amount, &offer), 0);
	assert_int_equal(offer.seconds, minutes * 60);
	assert_int_equal(offer.minor, cost);
}

static void test_offers(void **state)
{
	struct world *w = *state;

	expect_offer(w, 0, 0, 0);
	expect_offer(w, 99, 0, 0);
	expect_offer(w, 100, 10, 100);
	expect_offer(w, 450, 40, 400);
	expect_offer(w, 700, 80, 700);
	expect_offer(w, 1000, 120, 1000);
	add_plan(w, "four", 400, 55);
	/* Twice four is more than five and three times one. */
	expect_offer(w, 800, 110, 800);
	expect_offer(w, 900, 120, 900);
	add_plan(w, "odd", 333, 41);
	expect_offer(w, 666, 82, 666);
	/* A great sum: most of it at the best price, and quickly. */
	expect_offer(w, 400 * 100000, 55 * 100000, 400 * 100000);
	/* Not worth more money. */
	add_plan(w, "dear", 600, 60);
	expect_offer(w, 600, 75, 600);
}

static void test_rest_is_kept(void **state)
{
	struct world *w = *state;

	assert_int_equal(lock(w, 0), OUTCOME_OK);
	coin(w, 150);
	assert_int_equal(start_as(w, 0, w->lock.key, 10, 150), OUTCOME_OK);
	check_sums(w);
	assert_int_equal(reload(w, w->lock.id).spent_minor, 100);
	/* The reply was lost: the rest does not make another start of it. */
	assert_int_equal(start_as(w, 0, w->lock.key, 10, 150), OUTCOME_OK);
	assert_int_equal(w->started.paid_minor, 0);
	check_sums(w);
	/* After the coin's way. */
	assert_int_equal(lock(w, 0), OUTCOME_OK);
	wait_sec(w, 3);
	assert_int_equal(w->lock.credited_minor, 50);
	coin(w, 50);
	assert_int_equal(start_as(w, 0, w->lock.key, 10, 100), OUTCOME_OK);
	assert_int_equal(w->started.account.session.total_paid_minor, 200);
	check_sums(w);
}

static void random_step(struct world *w, struct coin_lock held[CLIENTS])
{
	int client = (int)crypto_random_below(CLIENTS);
	enum outcome outcome = OUTCOME_OK;

	switch (crypto_random_below(8)) {
	case 0:
	case 1:
		if (!lock(w, client))
			held[client] = w->lock;
		break;
	case 2:
	case 3:
		/* Journalled only: a crash. */
		journal(w, ++w->seq, (1 + crypto_random_below(10)) * 50);
		journal(w, w->seq, 100);
		break;
	case 4:
		coin(w, (1 + crypto_random_below(10)) * 50);
		break;
	case 5:
		wait_sec(w, crypto_random_below(40));
		break;
	case 6:
		outcome = start_as(w, client, held[client].key, UNLIMITED, UNLIMITED);
		assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_AMOUNT_SMALL ||
			    outcome == OUTCOME_LOCK_UNKNOWN ||
			    outcome == OUTCOME_CONFLICT);
		break;
	case 7:
		/* With another's key. */
		outcome = start_as(w, client, held[(client + 1) % CLIENTS].key,
			UNLIMITED, UNLIMITED);
		assert_int_equal(outcome, OUTCOME_LOCK_UNKNOWN);
		break;
	}
}

static int64_t number(struct world *w, const char *sql)
{
	int64_t n;

	assert_int_equal(db_one(w->rules.store->db, db_read_int, &n, sql, ""), 0);
	return n;
}

static void test_no_money_is_lost(void **state)
{
	struct world *w = *state;
	struct coin_lock held[CLIENTS] = {0};
	struct coin_sums sums;
	int i;

	for (i = 0; i < STEPS; i++) {
		random_step(w, held);
		if (i % 10)
			continue;
		assert_int_equal(store_coin_sums(w->rules.store, &sums), 0);
		assert_int_equal(sums.pulses_minor,
			sums.paid_minor + sums.rest_minor +
				number(w, "SELECT coalesce(sum(amount_minor), 0) FROM"
					  " coin_pulses WHERE lock_id IS NULL"));
		assert_true(number(w, "SELECT count(*) FROM coin_locks"
				      " WHERE state = 'open'") <= 1);
	}
	assert_int_equal(store_coin_sums(w->rules.store, &sums), 0);
	assert_true(sums.paid_minor > 0);
	assert_int_equal(sums.paid_minor,
		number(w, "SELECT sum(total_paid_minor) FROM sessions"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lock_pulses_start),
		TEST(test_what_the_browser_claims),
		TEST(test_whose_slot),
		TEST(test_how_long),
		TEST(test_nobodys),
		TEST(test_journal),
		TEST(test_offers),
		TEST(test_rest_is_kept),
		TEST(test_no_money_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
