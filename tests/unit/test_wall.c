/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which date is believed, on boxes without a battery, with time servers that
 * step by years, and with people who set the clock; and what that does to the
 * ends of tokens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "rules/token.h"
#include "rules/wall.h"

#define YEAR  (365 * SEC_PER_DAY)
#define RIGHT 1800000000LL /* the date when the box starts */

enum { SYNC = 1 };

struct look {
	int64_t after;	/* seconds since the start */
	int64_t real;	/* what the box's clock then says; 0: no look more */
	int flags;
	int64_t believed;
	int64_t step;
};

static const struct {
	const char *name;
	int64_t last, real;
	int flags;
	int64_t believed;
	struct look looks[8];
} cases[] = {
	{"a good clock", RIGHT - 60, RIGHT, 0, RIGHT,
		{{5, RIGHT + 5, 0, RIGHT + 5, 0},
			{3600, RIGHT + 3600, 0, RIGHT + 3600, 0}}},
	{"it was off for a month", RIGHT - 30 * SEC_PER_DAY, RIGHT, 0, RIGHT,
		{{5, RIGHT + 5, 0, RIGHT + 5, 0}}},
	{"slewed, and a leap second", RIGHT - 60, RIGHT, 0, RIGHT,
		{{5, RIGHT + 6, 0, RIGHT + 6, 0},
			{10, RIGHT + 8, 0, RIGHT + 8, 0}}},
	{"no battery: 1970, then a time server", RIGHT - 86400, 10, 0,
		RIGHT - 86400,
		{{5, 15, 0, RIGHT - 86395, 0},
			{3600, 3610, 0, RIGHT - 82800, 0},
			{3605, RIGHT + 3605, SYNC, RIGHT + 3605, 86400},
			{3610, RIGHT + 3610, SYNC, RIGHT + 3610, 0}}},
	{"no battery, never run before", 0, 10, 0, WALL_WRITTEN,
		{{60, 70, 0, WALL_WRITTEN + 60, 0},
			{65, RIGHT, SYNC, RIGHT, RIGHT - WALL_WRITTEN - 65}}},
	{"no battery, then set by hand", RIGHT - 86400, 10, 0, RIGHT - 86400,
		{{60, RIGHT + 60, 0, RIGHT + 60, 86400}}},
	{"a clock kept in a file: an hour old", RIGHT, RIGHT - 3600, 0, RIGHT,
		{{5, RIGHT - 3595, 0, RIGHT + 5, 0},
			{65, RIGHT + 125, SYNC, RIGHT + 125, 60}}},
	{"a year ahead by a time server, and back", RIGHT, RIGHT, 0, RIGHT,
		{{5, RIGHT + 5 + YEAR, SYNC, RIGHT + 5 + YEAR, YEAR},
			{10, RIGHT + 10 + YEAR, SYNC, RIGHT + 10 + YEAR, 0},
			{15, RIGHT + 15, SYNC, RIGHT + 15, -YEAR}}},
	{"a year back by a time server, and ahead", RIGHT, RIGHT, 0, RIGHT,
		{{5, RIGHT + 5 - YEAR, SYNC, RIGHT + 5 - YEAR, -YEAR},
			{15, RIGHT + 15, SYNC, RIGHT + 15, YEAR}}},
	{"a year ahead by a slip of the hand", RIGHT, RIGHT, 0, RIGHT,
		{{5, RIGHT + 5 + YEAR, 0, RIGHT + 5, 0},
			{500, RIGHT + 500 + YEAR, 0, RIGHT + 500, 0},
			{505, RIGHT + 505, 0, RIGHT + 505, 0},
			/* Again: it begins anew. */
			{510, RIGHT + 510 + YEAR, 0, RIGHT + 510, 0},
			{1000, RIGHT + 1000 + YEAR, 0, RIGHT + 1000, 0},
			{1110, RIGHT + 1110 + YEAR, 0, RIGHT + 1110 + YEAR,
				YEAR}}},
	{"to 1970 while it runs", RIGHT, RIGHT, 0, RIGHT,
		{{5, 5, 0, RIGHT + 5, 0}, {7200, 7200, 0, RIGHT + 7200, 0}}},
	{"it ran a year ahead, and a time server knows", RIGHT + YEAR, RIGHT,
		SYNC, RIGHT, {{5, RIGHT + 5, SYNC, RIGHT + 5, 0}}},
	{"it ran a year ahead, and nobody knows", RIGHT + YEAR, RIGHT, 0,
		RIGHT + YEAR,
		{{5, RIGHT + 5, 0, RIGHT + YEAR + 5, 0},
			{700, RIGHT + 700, 0, RIGHT + 700, -YEAR}}},
};

static struct wall_reading at(int64_t after, int64_t real, int flags)
{
	return (struct wall_reading){(100 + after) * NSEC_PER_SEC,
		real * NSEC_PER_SEC, flags & SYNC};
}

static int64_t believed(
	const struct wall *wall, const struct wall_reading *reading)
{
	return (reading->mono_ns + wall->offset_ns) / NSEC_PER_SEC;
}

static void test_what_is_believed(void **state)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wall_reading reading = at(0, cases[i].real, cases[i].flags);
		struct wall wall;

		print_message("%s\n", cases[i].name);
		wall_start(&wall, &reading, cases[i].last);
		assert_int_equal(believed(&wall, &reading), cases[i].believed);
		for (j = 0; cases[i].looks[j].real; j++) {
			const struct look *look = &cases[i].looks[j];

			reading = at(look->after, look->real, look->flags);
			assert_int_equal(wall_look(&wall, &reading), look->step);
			assert_int_equal(
				believed(&wall, &reading), look->believed);
		}
	}
}

static void test_when_it_is_settled(void **state)
{
	struct wall_reading reading = at(0, 10, 0);
	struct wall wall;

	wall_start(&wall, &reading, RIGHT);
	assert_string_equal(wall_state_name(&wall), "guess");
	assert_false(wall_is_settled(&wall, reading.mono_ns));
	reading = at(60, RIGHT + 3600, SYNC);
	wall_look(&wall, &reading);
	assert_string_equal(wall_state_name(&wall), "ok");
	assert_false(wall_is_settled(&wall, reading.mono_ns));
	assert_true(wall_is_settled(
		&wall, reading.mono_ns + SEC_PER_DAY * NSEC_PER_SEC));
	reading = at(90000, RIGHT + 93540 + YEAR, 0);
	wall_look(&wall, &reading);
	assert_string_equal(wall_state_name(&wall), "doubt");
	assert_false(wall_is_settled(
		&wall, reading.mono_ns + SEC_PER_DAY * NSEC_PER_SEC));
}

/* A session's token over every case: never lost, however the date goes. */
static void test_tokens_last_their_days(void **state)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rules rules = {.token_days = 3};
		struct wall_reading reading = at(0, cases[i].real, cases[i].flags);
		struct mac mac = {{2, 0, 0, 0, 0, 1}};
		enum outcome outcome = OUTCOME_OK;
		struct restored restored;
		struct account account;
		char token[TOKEN_TEXT];
		struct moment now;
		struct wall wall;

		assert_int_equal(store_open(":memory:", &rules.store), 0);
		store_begin(rules.store);
		wall_start(&wall, &reading, cases[i].last);
		now = (struct moment){
			reading.mono_ns, believed(&wall, &reading)};
		assert_int_equal(session_allow(&rules, &mac,
					 &(struct allowance){.seconds = 36000,
						 .bytes = UNLIMITED},
					 &now, &account, &outcome),
			0);
		assert_int_equal(
			token_make(&rules, &account, &now, token), 0);
		for (j = 0; cases[i].looks[j].real; j++) {
			const struct look *look = &cases[i].looks[j];
			int64_t step;

			reading = at(look->after, look->real, look->flags);
			step = wall_look(&wall, &reading);
			if (step)
				store_clock_step(rules.store, step);
			now = (struct moment){
				reading.mono_ns, believed(&wall, &reading)};
			assert_int_equal(token_restore(&rules,
						 &(struct guest){.mac = &mac},
						 token, &now, &restored,
						 &outcome),
				0);
			assert_int_equal(outcome, OUTCOME_OK);
			assert_int_equal(credit_time_left(
						 &restored.account.credits[0],
						 now.mono_ns),
				(36000 - look->after) * NSEC_PER_SEC);
		}
		/* And it does end. */
		now.wall_sec += 3 * SEC_PER_DAY + 7200;
		assert_int_equal(token_restore(&rules,
					 &(struct guest){.mac =
						&(struct mac){{2, 0, 0, 0, 0, 2}}},
					 token, &now, &restored, &outcome),
			0);
		assert_int_equal(outcome, OUTCOME_TOKEN_EXPIRED);
		store_rollback(rules.store);
		store_close(rules.store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_believed),
		cmocka_unit_test(test_when_it_is_settled),
		cmocka_unit_test(test_tokens_last_their_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
