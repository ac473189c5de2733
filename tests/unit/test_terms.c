/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terms of use (I9): who must accept them, and what is kept of it. Protects:
 * nobody begins without, nobody is asked twice, and only what was in force was
 * accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/terms.h"
#include "store/keeping.h"
#include "store/terms.h"

#include "lib/fixture.h"

static int set_up(void **state)
{
	struct rules *rules = xcalloc(1, sizeof(*rules));

	lib_rules_open(rules);
	*state = rules;
	return 0;
}

static int tear_down(void **state)
{
	lib_rules_close(*state);
	free(*state);
	return 0;
}

static bool is_needed(struct rules *rules, int n, const char *version)
{
	struct mac mac = lib_mac(n);
	bool needed = false;

	assert_int_equal(terms_needed(rules, &mac, version, &needed), 0);
	return needed;
}

static bool accept(struct rules *rules, int n, const char *version,
	const char *given, int64_t at)
{
	struct mac mac = lib_mac(n);
	struct guest guest = {&mac, "guest"};
	struct moment now = {1, at};
	bool kept = false;

	assert_int_equal(
		terms_accept(rules, &guest, version, given, &now, &kept), 0);
	return kept;
}

static void test_who_must_accept(void **state)
{
	struct rules *rules = *state;

	assert_false(is_needed(rules, 1, ""));
	assert_true(is_needed(rules, 1, "2026-11"));
	/* What was read is not what is in force. */
	assert_false(accept(rules, 1, "2026-11", "2025-01", 1000));
	assert_true(is_needed(rules, 1, "2026-11"));
	assert_true(accept(rules, 1, "2026-11", "2026-11", 1000));
	assert_false(is_needed(rules, 1, "2026-11"));
	assert_true(is_needed(rules, 2, "2026-11"));
	/* The next version is to be accepted anew. */
	assert_true(is_needed(rules, 1, "2026-12"));
}

static void test_what_is_kept(void **state)
{
	struct rules *rules = *state;
	struct acceptance rows[4];
	struct mac one = lib_mac(1);

	accept(rules, 1, "a", "a", 1000);
	accept(rules, 2, "a", "a", 2000);
	accept(rules, 1, "a", "a", 3000); /* again: the first time counts */
	accept(rules, 1, "b", "b", 4000);
	assert_int_equal(
		store_terms_list(rules->store, NULL, UNLIMITED, rows, 4), 3);
	assert_string_equal(rows[0].version, "b");
	assert_int_equal(rows[0].at, 4000);
	assert_string_equal(rows[0].network, "guest");
	assert_int_equal(rows[2].at, 1000);
	assert_int_equal(store_terms_list(rules->store, &one, UNLIMITED, rows, 4), 2);
	assert_int_equal(
		store_terms_list(rules->store, &one, rows[0].id, rows, 4), 1);
	assert_string_equal(rows[0].version, "a");
}

static void test_they_leave_with_the_audit(void **state)
{
	struct rules *rules = *state;
	int64_t before[RETENTION_COUNT] = {[RETENTION_AUDIT] = 2000};

	accept(rules, 1, "a", "a", 1000);
	accept(rules, 2, "a", "a", 2000);
	assert_int_equal(store_clean_up(rules->store, before), 1);
	assert_true(is_needed(rules, 1, "a"));
	assert_false(is_needed(rules, 2, "a"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_must_accept),
		TEST(test_what_is_kept),
		TEST(test_they_leave_with_the_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
