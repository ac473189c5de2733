/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of routes and the table of probes say the same: a probe with a
 * route and no answer would never close a phone's sign-in page, one with an
 * answer and no route would never be asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "captive.h"
#include "pages.h"
#include "routes.h"

static bool has_answer(const char *path)
{
	const char *known;
	int i;

	for (i = 0; (known = captive_probe_at(i)); i++)
		if (!strcmp(known, path))
			return true;
	return false;
}

static void test_every_probe_has_an_answer(void **state)
{
	const struct route *route;
	int i, count = 0;

	for (i = 0; (route = routes_at(i)); i++) {
		if (route->handler != captive_probe)
			continue;
		assert_int_equal(route->kind, ROUTE_PROBE);
		if (!has_answer(route->path))
			fail_msg("%s has no answer in captive.c", route->path);
		count++;
	}
	assert_true(count > 0);
}

static void test_every_answer_has_a_route(void **state)
{
	const struct route *route;
	const char *path;
	int i;

	for (i = 0; (path = captive_probe_at(i)); i++)
		if (routes_lookup(INSTANCE_GUEST, METHOD_GET, path, &route) ||
			route->handler != captive_probe)
			fail_msg("%s has no route", path);
}

/* T2: what is for operators is not on the guests' instance, and the other way;
 * passwords have one place. */
static void test_instances_are_apart(void **state)
{
	static const char *const operators[] = {"/login", "/logout", "/api/login",
		"/api/logout", "/api/operator/x"};
	static const char *const guests[] = {
		"/activate", "/api/vouchers/activate", "/api/sessions/restore"};
	const struct route *route;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(operators); i++) {
		assert_int_equal(routes_lookup(INSTANCE_GUEST, METHOD_POST,
					 operators[i], &route),
			-ENOENT);
		assert_int_equal(routes_lookup(INSTANCE_OPERATOR, METHOD_POST,
					 operators[i], &route),
			0);
	}
	for (i = 0; i < ARRAY_SIZE(guests); i++)
		assert_int_equal(routes_lookup(INSTANCE_OPERATOR, METHOD_POST,
					 guests[i], &route),
			-ENOENT);
	assert_int_equal(routes_lookup(INSTANCE_GUEST, METHOD_GET,
				 "/dashboard/x", &route),
		0);
	assert_ptr_equal(route->handler, page_to_operators);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_probe_has_an_answer),
		cmocka_unit_test(test_every_answer_has_a_route),
		cmocka_unit_test(test_instances_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
