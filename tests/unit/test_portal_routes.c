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
#include "ctl/probes.h"
#include "pages.h"
#include "routes.h"

static void test_every_probe_has_an_answer(void **state)
{
	const struct route *route;
	int i, count = 0;

	for (i = 0; (route = routes_at(i)); i++) {
		if (route->handler != captive_probe)
			continue;
		assert_int_equal(route->kind, ROUTE_PROBE);
		if (!probes_lookup(route->path))
			fail_msg("%s has no answer in probes.c", route->path);
		count++;
	}
	assert_true(count > 0);
}

static void test_every_answer_has_a_route(void **state)
{
	const struct route *route;
	const struct probe *probe;
	int i;

	for (i = 0; (probe = probes_at(i)); i++)
		if (strcmp(probe->path, "/") != 0 &&
			(routes_lookup(INSTANCE_GUEST, METHOD_GET, probe->path,
				 &route) ||
				route->handler != captive_probe))
			fail_msg("%s has no route", probe->path);
}

/* What is answered here is what the system asks for, by its own judgement. */
static void test_answers_mean_internet(void **state)
{
	const struct probe *probe, *row;
	int i;

	for (i = 0; (probe = probes_at(i)); i++) {
		row = probes_lookup(probe->path) ?: probe;
		if (probes_judge(probe, row->status, NULL, row->body,
			    strlen(row->body)) != VERDICT_INTERNET)
			fail_msg("%s: %s is answered as by %s", probe->asker,
				probe->path, row->host);
	}
}

static const struct {
	const char *asker;
	int status;
	const char *location, *body;
	enum verdict verdict;
} judged[] = {
	{"Android", 204, NULL, "", VERDICT_INTERNET},
	{"Android", 302, "http://10.77.0.1/", "", VERDICT_PORTAL},
	{"Android", 200, NULL, "<html>", VERDICT_PORTAL},
	/* Android 10: a broken proxy. */
	{"Android", 200, NULL, "", VERDICT_NONE},
	{"Android", 200, NULL, "1234", VERDICT_NONE},
	{"Android", 302, NULL, "", VERDICT_NONE},
	{"Android", 503, NULL, "sorry", VERDICT_NONE},
	{"Android", 0, NULL, NULL, VERDICT_NONE},
	{"iPhone, iPad", 200, NULL, "<HTML><HEAD><TITLE>Success</TITLE></HEAD>"
		"<BODY>Success</BODY></HTML>\n", VERDICT_INTERNET},
	{"iPhone, iPad", 200, NULL, "<html>Sign in", VERDICT_PORTAL},
	{"Windows, Xbox", 200, NULL, "Microsoft Connect Test", VERDICT_INTERNET},
	{"Windows, Xbox", 200, NULL, "Microsoft NCSI", VERDICT_PORTAL},
	{"GNOME", 200, NULL, "NetworkManager is online\n", VERDICT_INTERNET},
	{"Firefox", 307, "https://portal.example/", NULL, VERDICT_PORTAL},
};

static void test_verdicts(void **state)
{
	const struct probe *probe;
	size_t i;
	int at;

	for (i = 0; i < ARRAY_SIZE(judged); i++) {
		for (at = 0; (probe = probes_at(at)); at++)
			if (!strcmp(probe->asker, judged[i].asker))
				break;
		assert_non_null(probe);
		if (probes_judge(probe, judged[i].status, judged[i].location,
			    judged[i].body,
			    judged[i].body ? strlen(judged[i].body) : 0) !=
			judged[i].verdict)
			fail_msg("%s, %d: %s", judged[i].asker,
				judged[i].status, judged[i].body ?: "-");
	}
}

/* T2: what is for operators is not on the guests' instance, and the other way;
 * passwords have one place. */
static void test_instances_are_apart(void **state)
{
	static const char *const operators[] = {
		"/api/login", "/api/logout", "/api/operator/x"};
	/* Guests log in by QR code, and at most with a PIN. */
	static const char *const other[] = {"/login", "/logout"};
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
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		void (*handler)(struct request *req);

		assert_int_equal(routes_lookup(INSTANCE_OPERATOR, METHOD_POST,
					 other[i], &route),
			0);
		handler = route->handler;
		assert_int_equal(routes_lookup(INSTANCE_GUEST, METHOD_POST,
					 other[i], &route),
			0);
		assert_true(route->handler != handler);
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
		cmocka_unit_test(test_answers_mean_internet),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_instances_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
