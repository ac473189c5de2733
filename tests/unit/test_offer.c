/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest is shown before he buys, and how much of a credit there was in all.
 * Protects: nobody is offered what he cannot use there or what is not for sale, and
 * a ring on a page is never drawn against too little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/offer.h"
#include "rules/session.h"

#include "lib/fixture.h"

#define HOUR (3600LL * NSEC_PER_SEC)

struct world {
	struct rules rules;
	struct moment now;
	struct mac mac;
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	lib_rules_open(&w->rules);
	w->mac = lib_mac(1);
	w->now = (struct moment){1000 * HOUR, 1800000000};
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

static void sell(struct world *w, const char *name, int64_t price_minor,
	int64_t seconds, const char *networks)
{
	struct plan plan = {.seconds = seconds, .bytes = UNLIMITED, .devices = 1,
		.token_days = UNLIMITED, .is_active = true, .currency = "TZS",
		.price_minor = price_minor};

	snprintf(plan.name, sizeof(plan.name), "%s", name);
	snprintf(plan.networks, sizeof(plan.networks), "%s", networks);
	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
}

static void assert_offered(struct world *w, const char *network, int max,
	const char *names)
{
	struct guest guest = {&w->mac, network};
	struct plan plans[OFFER_PLANS_MAX];
	char text[256] = "";
	int i, n = offer_plans(&w->rules, &guest, plans, max);

	assert_in_range(n, 0, max);
	for (i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
			plans[i].name);
	assert_string_equal(text, names);
}

static void test_what_is_offered(void **state)
{
	struct world *w = *state;
	struct plan gone;

	assert_offered(w, "guest", OFFER_PLANS_MAX, "");
	sell(w, "week", 500000, 604800, "");
	sell(w, "short", 50000, 1800, "");
	sell(w, "hour", 50000, 3600, "guest staff");
	sell(w, "staff", 40000, 3600, "staff");
	sell(w, "gift", 0, 3600, "");
	sell(w, "old", 10000, 3600, "");
	assert_int_equal(store_plan_by_name(w->rules.store, "old", &gone), 0);
	assert_int_equal(store_plan_remove(w->rules.store, gone.id), 0);
	assert_offered(w, "guest", OFFER_PLANS_MAX, "hour short week ");
	assert_offered(w, "staff", OFFER_PLANS_MAX, "staff hour short week ");
	assert_offered(w, "bar", OFFER_PLANS_MAX, "short week ");
	assert_offered(w, "staff", 2, "staff hour ");
}

static void test_more_than_a_page(void **state)
{
	struct world *w = *state;
	char name[16];
	int i;

	for (i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		sell(w, name, 100000 - i, 3600, "");
	}
	assert_offered(w, "guest", 3, "p79 p78 p77 ");
}

static void give(struct world *w, int64_t seconds)
{
	struct allowance allowance = {.seconds = seconds, .bytes = UNLIMITED};
	enum outcome outcome = OUTCOME_CONFLICT;
	struct account account;

	assert_int_equal(session_allow(&w->rules, &w->mac, &allowance, &w->now,
				 &account, &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
}

static void assert_full(struct world *w, int64_t full_ns, int64_t left_ns)
{
	struct account account;
	struct credit *credit;

	assert_int_equal(
		account_load(&w->rules, &w->mac, &w->now, &account), 0);
	credit = account_in_use(&account);
	assert_int_equal(credit->full_ns, full_ns);
	assert_int_equal(credit_time_left(credit, w->now.mono_ns), left_ns);
}

static void test_how_much_there_was(void **state)
{
	struct world *w = *state;

	give(w, 2 * 3600);
	assert_full(w, 2 * HOUR, 2 * HOUR);
	lib_wait(&w->now, HOUR);
	assert_full(w, 2 * HOUR, HOUR);
	give(w, 3600);
	assert_full(w, 3 * HOUR, 2 * HOUR);
	give(w, -3600);
	assert_full(w, 2 * HOUR, HOUR);
	give(w, UNLIMITED);
	assert_full(w, UNLIMITED, UNLIMITED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_offered),
		TEST(test_more_than_a_page),
		TEST(test_how_much_there_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
