/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every verdict reason has a name of its own, in the form that tables and
 * JSON print, and a meaning in words; whoever adds a reason to abi.h and
 * forgets a row is told here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "datapath/reasons.h"

/* Room for new reasons of a kind, behind its last one. */
static bool is_gap(int reason)
{
	return (reason > GH_PASS_STEERED && reason < GH_ANSWERS) ||
	       (reason > GH_ANSWER_PROHIBITED && reason < GH_DROPS);
}

static void test_every_reason_has_its_own_name(void **state)
{
	int i, j;

	for (i = 0; i < GH_REASONS; i++) {
		const char *name = reason_name(i);

		if (is_gap(i)) {
			assert_string_equal(name, "?");
			continue;
		}
		if (strcmp(name, "?") == 0)
			fail_msg("reason %d has no name", i);
		if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
			fail_msg("reason %d: bad name '%s'", i, name);
		for (j = 0; j < i; j++)
			assert_string_not_equal(name, reason_name(j));
		if (strcmp(reason_meaning(i), "?") == 0)
			fail_msg("reason %d (%s) has no meaning", i, name);
	}
}

static void test_unknown_reasons_have_none(void **state)
{
	assert_string_equal(reason_name(GH_REASONS), "?");
	assert_string_equal(reason_name(-1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_reason_has_its_own_name),
		cmocka_unit_test(test_unknown_reasons_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
