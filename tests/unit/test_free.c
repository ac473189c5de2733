/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free time: once per device and local day, whatever became of the session, on
 * days of 23 and 25 hours as well; and made-up addresses so many times an hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "rules/free.h"
#include "rules/share.h"

#include "lib/fixture.h"

#define START 1774735200LL /* 2026-03-28 23:00 in Berlin; a day of 23 h follows */
#define HOUR_SEC 3600

struct world {
	struct rules rules;
	struct moment now;
	struct free_terms terms;
};

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct plan plan = lib_plan("Free", 900);

	plan.rates.down = 500;
	plan.devices = 3;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	lib_rules_open(&w->rules);
	w->now = (struct moment){1000 * NSEC_PER_SEC, START};
	w->terms = (struct free_terms){"free", 1000, 2};
	lib_plan_add(&w->rules, &plan);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	lib_rules_close(&w->rules);
	free(w);
	return 0;
}

/* The maker's address number `n`, or one that is made up. */
static struct mac address(int n, bool is_random)
{
	return (struct mac){{is_random ? 2 : 0, 17, 34, 0, 0, (uint8_t)n}};
}

static enum outcome take(
	struct world *w, struct mac mac, const char *network, struct freed *freed)
{
	const struct guest guest = {&mac, network};
	enum outcome outcome = OUTCOME_OK;

	assert_int_equal(free_take(&w->rules, &guest, &w->terms, &w->now, freed,
				 &outcome),
		0);
	return outcome;
}

static void later(struct world *w, int64_t seconds)
{
	w->now.mono_ns += seconds * NSEC_PER_SEC;
	w->now.wall_sec += seconds;
}

static void test_once_a_day(void **state)
{
	/* Hours since the start, and whether there is some. */
	static const struct {
		int hours;
		enum outcome outcome;
	} rows[] = {
		{0, OUTCOME_OK}, /* 23:00 */
		{1, OUTCOME_OK}, /* 00:00 */
		{2, OUTCOME_FREE_USED},
		{23, OUTCOME_FREE_USED}, /* 23:00 again: an hour was left out */
		{24, OUTCOME_OK},
		{47, OUTCOME_FREE_USED},
		{48, OUTCOME_OK},
	};
	struct world *w = *state;
	struct freed freed;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		w->now.wall_sec = START + rows[i].hours * HOUR_SEC;
		w->now.mono_ns = (1000 + rows[i].hours * HOUR_SEC) * NSEC_PER_SEC;
		assert_int_equal(take(w, address(1, false), "guest", &freed),
			rows[i].outcome);
	}
}

static void test_what_it_is(void **state)
{
	struct world *w = *state;
	struct credit *credit;
	struct freed freed;
	int64_t max;

	assert_int_equal(
		take(w, address(1, false), "guest", &freed), OUTCOME_OK);
	credit = account_in_use(&freed.account);
	assert_int_equal(credit->kind, KIND_FREE);
	/* The lower of both; and it stays where it is. */
	assert_int_equal(credit->rates.up, 1000);
	assert_int_equal(credit->rates.down, 500);
	assert_int_equal(strlen(freed.token), TOKEN_TEXT - 1);
	assert_int_equal(share_max(&w->rules, &freed.account, &max), 0);
	assert_int_equal(max, 1);
	assert_int_equal(take(w, address(1, false), "guest", &freed),
		OUTCOME_FREE_NOT_NEEDED);
	later(w, 901);
	assert_int_equal(
		take(w, address(1, false), "guest", &freed), OUTCOME_FREE_USED);
	/* Off, or of a plan that is not on sale. */
	w->terms.plan = "";
	assert_int_equal(
		take(w, address(2, false), "guest", &freed), OUTCOME_FREE_OFF);
	w->terms.plan = "Other";
	assert_int_equal(
		take(w, address(2, false), "guest", &freed), OUTCOME_FREE_OFF);
}

static void test_made_up_addresses(void **state)
{
	struct world *w = *state;
	struct freed freed;

	assert_int_equal(take(w, address(1, true), "guest", &freed), OUTCOME_OK);
	later(w, 1800);
	assert_int_equal(take(w, address(2, true), "guest", &freed), OUTCOME_OK);
	assert_int_equal(
		take(w, address(3, true), "guest", &freed), OUTCOME_FREE_FULL);
	/* Others are not kept out by them. */
	assert_int_equal(take(w, address(3, true), "bar", &freed), OUTCOME_OK);
	assert_int_equal(take(w, address(4, false), "guest", &freed), OUTCOME_OK);
	later(w, 1801);
	assert_int_equal(take(w, address(5, true), "guest", &freed), OUTCOME_OK);
	assert_int_equal(
		take(w, address(6, true), "guest", &freed), OUTCOME_FREE_FULL);
}

static void test_who_is_kept_out(void **state)
{
	struct world *w = *state;
	struct device device = {.mac = address(1, false), .blocked = true};
	struct freed freed;

	store_device_put(w->rules.store, &device);
	assert_int_equal(take(w, address(1, false), "guest", &freed),
		OUTCOME_CLIENT_BLOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_made_up_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_is_kept_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
