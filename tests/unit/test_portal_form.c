/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What browsers send as text: forms, cookies, the page first asked for; the
 * form token and the rate of refusals. What is not clean is as if it were not
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ip.h"
#include "base/util.h"
#include "csrf.h"
#include "form.h"
#include "url.h"
#include "routes.h"
#include "refusals.h"

static struct arena arena;

static int tear_down(void **state)
{
	arena_fini(&arena);
	return 0;
}

static const struct {
	const char *text, *value; /* of the field "a" */
} form_rows[] = {
	{"a=b", "b"},
	{"a=", ""},
	{"x=1&a=b&a=c", "b"},
	{"a=b+c%20d", "b c d"},
	{"%61=b", "b"},
	{"a=%C3%A9", "\xc3\xa9"},
	{"a=b=c", "b=c"},
	{"&&&a=b&&", "b"},
	{"", NULL},
	{"a", NULL},
	{"=b", NULL},
	{"a=%", NULL},
	{"a=%4", NULL},
	{"a=%zz", NULL},
	{"a=%00", NULL},
	{"a=%0d%0aSet-Cookie:x", NULL},
	{"a=%C2%85", NULL},
	{"a=%FF", NULL},
	{"a=%C0%80", NULL},
	{"a=%ED%A0%80", NULL},
	{"a=%F4%90%80%80", NULL},
	{"a=%E2%82", NULL},
};

static void test_form(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(form_rows); i++) {
		const char *text = form_rows[i].text, *want = form_rows[i].value;
		struct form form;
		const char *got;

		form_parse(&arena, text, strlen(text), &form);
		got = form_get(&form, "a");
		if (!got != !want || (got && strcmp(got, want)))
			fail_msg("%s: expected %s, got %s", text,
				want ? want : "nothing", got ? got : "nothing");
	}
}

static void test_form_is_bounded(void **state)
{
	char text[FORM_VALUE_MAX + 4] = "a=";
	struct form form;
	int i;

	memset(text + 2, 'x', FORM_VALUE_MAX);
	form_parse(&arena, text, FORM_VALUE_MAX + 2, &form);
	assert_int_equal(form.count, 1);
	text[FORM_VALUE_MAX + 2] = 'x';
	form_parse(&arena, text, FORM_VALUE_MAX + 3, &form);
	assert_int_equal(form.count, 0);
	for (i = 0; i < 100; i++)
		memcpy(text + 4 * i, "a=b&", 4);
	form_parse(&arena, text, 400, &form);
	assert_int_equal(form.count, FORM_FIELDS_MAX);
}

static void test_escape_is_undone_by_parse(void **state)
{
	const char *text = "http://h/?a=b&c=%20d+e\xc3\xa9#f";
	const char *query =
		arena_printf(&arena, "u=%s", form_escape(&arena, text));
	struct form form;

	form_parse(&arena, query, strlen(query), &form);
	assert_string_equal(form_get(&form, "u"), text);
}

static const struct {
	const char *header, *value; /* of the cookie "s" */
} cookie_rows[] = {
	{NULL, NULL},
	{"", NULL},
	{"s=1", "1"},
	{"a=b; s=1; c=d", "1"},
	{"xs=2;s=1 ", "1"},
	{"s=", ""},
	{"S=1", NULL},
	{"s", NULL},
	{"ss=1", NULL},
	{"s=\x01", NULL},
	{"s=\xff", NULL},
	{";;; ;s=1", "1"},
};

static void test_cookie(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cookie_rows); i++) {
		const char *want = cookie_rows[i].value;
		const char *got = cookie_get(&arena, cookie_rows[i].header, "s");

		if (!got != !want || (got && strcmp(got, want)))
			fail_msg("row %zu: expected %s, got %s", i,
				want ? want : "nothing", got ? got : "nothing");
	}
}

/* The host that is shown is the host that a browser goes to. */
static const struct {
	const char *url, *host; /* NULL: refused */
} url_rows[] = {
	{"http://example.com/a?b=c#d", "example.com"},
	{"HTTPS://Example.com", "Example.com"},
	{"http://example.com:8080/", "example.com:8080"},
	{"http://[fd00::1]:80/x", "[fd00::1]:80"},
	{"http://10.0.0.1/", "10.0.0.1"},
	{"http://xn--bcher-kva.example/%C3%A9", "xn--bcher-kva.example"},
	{"http://good.example@evil.example/", NULL},
	{"http://good.example\\@evil.example/", NULL},
	{"http://good.example%2f.evil.example/", NULL},
	{"http:///evil.example/", NULL},
	{"http://", NULL},
	{"http:/x", NULL},
	{"//evil.example/", NULL},
	{"/local", NULL},
	{"javascript:alert(1)", NULL},
	{"javascript://example.com/%0aalert(1)", NULL},
	{"data:text/html,x", NULL},
	{"ftp://example.com/", NULL},
	{"http://exa mple.com/", NULL},
	{"http://example.com/a b", NULL},
	{"http://example.com/\"onclick", NULL},
	{"http://example.com/<b>", NULL},
	{"http://ex\xc3\xa4mple.com/", NULL},
	{"http://example.com/\xe2\x80\xae", NULL},
	{"http://example.com:/", NULL},
	{"http://example.com:123456/", NULL},
	{"http://.example.com/", NULL},
	{"http://[fd00::1/", NULL},
	{"http://[]/", NULL},
	{"http://captive.apple.com/hotspot-detect.html", NULL},
	{"http://connectivitycheck.gstatic.com/generate_204", NULL},
};

static void test_url(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(url_rows); i++) {
		struct url url;
		int ret = url_parse(url_rows[i].url, &url);

		if (ret != (url_rows[i].host ? 0 : -EINVAL))
			fail_msg("%s: got %d", url_rows[i].url, ret);
		if (!ret) {
			assert_string_equal(url.host, url_rows[i].host);
			assert_string_equal(url.url, url_rows[i].url);
		}
	}
}

static void test_form_token(void **state)
{
	const int64_t hour = 3600 * NSEC_PER_SEC, now = 1000 * hour;
	const uint8_t key[CRYPTO_KEY] = {1}, other[CRYPTO_KEY] = {2};
	struct ipaddr a, b;
	char token[CSRF_TEXT];

	assert_int_equal(crypto_init(), 0);
	assert_int_equal(ip_parse("10.0.0.2", &a), 0);
	assert_int_equal(ip_parse("10.0.0.3", &b), 0);
	csrf_make(key, &a, now, token);
	assert_true(csrf_check(key, &a, now, token));
	assert_true(csrf_check(key, &a, now + hour, token));
	assert_false(csrf_check(key, &a, now + 2 * hour, token));
	assert_false(csrf_check(key, &a, now - hour, token));
	assert_false(csrf_check(key, &b, now, token));
	assert_false(csrf_check(other, &a, now, token));
	assert_false(csrf_check(key, &a, now, NULL));
	assert_false(csrf_check(key, &a, now, ""));
	token[31] ^= 1;
	assert_false(csrf_check(key, &a, now, token));
}

static void test_refusals_are_limited(void **state)
{
	struct refusals *refusals = refusals_new();
	int64_t now = 1000 * NSEC_PER_SEC;
	struct ipaddr a, b;
	int i;

	ip_parse("10.0.0.2", &a);
	ip_parse("10.0.0.3", &b);
	for (i = 0; i < 30; i++) {
		assert_int_equal(refusals_wait(refusals, &a, now), 0);
		refusals_note(refusals, &a, now);
	}
	assert_true(refusals_wait(refusals, &a, now) > 0);
	assert_int_equal(refusals_wait(refusals, &b, now), 0);
	/* Two a second. */
	now += NSEC_PER_SEC / 2;
	assert_int_equal(refusals_wait(refusals, &a, now), 0);
	refusals_note(refusals, &a, now);
	assert_true(refusals_wait(refusals, &a, now) > 0);
	now += 60 * NSEC_PER_SEC;
	for (i = 0; i < 30; i++) {
		assert_int_equal(refusals_wait(refusals, &a, now), 0);
		refusals_note(refusals, &a, now);
	}
	refusals_free(refusals);
}

static void test_routes(void **state)
{
	const struct route *route;
	int i;

	assert_int_equal(
		routes_lookup(INSTANCE_GUEST, METHOD_GET, "/", &route), 0);
	assert_int_equal(routes_lookup(INSTANCE_GUEST, METHOD_POST, "/", &route),
		-EOPNOTSUPP);
	assert_int_equal(routes_lookup(INSTANCE_GUEST, METHOD_GET, "/x", &route),
		-ENOENT);
	assert_int_equal(
		routes_lookup(INSTANCE_OPERATOR, METHOD_GET, "/help", &route),
		-ENOENT);
	/* What changes something is never a GET. */
	for (i = 0; (route = routes_at(i)); i++) {
		assert_non_null(route->handler);
		assert_true((route->kind == ROUTE_FORM) ==
			    (route->method == METHOD_POST &&
				    strncmp(route->path, "/api/", 5) != 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_is_bounded),
		cmocka_unit_test(test_escape_is_undone_by_parse),
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_form_token),
		cmocka_unit_test(test_refusals_are_limited),
		cmocka_unit_test(test_routes),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
