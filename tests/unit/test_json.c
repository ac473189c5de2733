/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded JSON: what a peer may send, and how arguments land in a struct.
 * Protects: one bounded object per frame, no surprise reaches a handler.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/util.h"

struct parse_case {
	const char *name;
	const char *text;
	size_t len; /* 0: strlen */
	int ret;
};

static const struct parse_case parse_cases[] = {
	{"object", "{\"a\":1}", 0, 0},
	{"empty object", " {} ", 0, 0},
	{"nothing", "", 0, -EBADMSG},
	{"array", "[1]", 0, -EBADMSG},
	{"bare value", "1", 0, -EBADMSG},
	{"text behind", "{} x", 0, -EBADMSG},
	{"second object", "{}{}", 0, -EBADMSG},
	{"duplicate key", "{\"a\":1,\"a\":2}", 0, -EBADMSG},
	{"nested duplicate", "{\"a\":{\"b\":1,\"b\":1}}", 0, -EBADMSG},
	{"NUL escape", "{\"a\":\"x\\u0000y\"}", 0, -EBADMSG},
	{"NUL byte", "{\"a\":\"x\0y\"}", 11, -EBADMSG},
	{"bad UTF-8", "{\"a\":\"\xff\xfe\"}", 0, -EBADMSG},
	{"overlong UTF-8", "{\"a\":\"\xc0\x80\"}", 0, -EBADMSG},
	{"lone surrogate", "{\"a\":\"\\ud800\"}", 0, -EBADMSG},
	{"huge number", "{\"a\":99999999999999999999}", 0, -EBADMSG},
	{"not a number", "{\"a\":NaN}", 0, -EBADMSG},
	{"cut", "{\"a\":", 0, -EBADMSG},
	{"eight deep", "{\"a\":[[[[[[[1]]]]]]]}", 0, 0},
	{"nine deep", "{\"a\":[[[[[[[[1]]]]]]]]}", 0, -EBADMSG},
	{"brackets in text are no depth", "{\"a\":\"[[[[[[[[[[[[\"}", 0, 0},
	{"a quoted quote ends no text", "{\"a\":\"\\\"[[[[[[[[[[[[\"}", 0, 0},
};

static void test_parse(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		json_t *json = NULL;
		int ret = json_parse_object(
			c->text, c->len ? c->len : strlen(c->text), &json);

		if (ret != c->ret || (ret == 0) != (json != NULL))
			fail_msg("%s: expected %d, got %d", c->name, c->ret, ret);
		json_decref(json);
	}
}

/* A whole frame of one opening bracket must not eat the stack. */
static void test_deep_frame(void **state)
{
	static char text[64 * 1024];
	json_t *json = NULL;

	memset(text, '[', sizeof(text));
	assert_int_equal(
		json_parse_object(text, sizeof(text), &json), -EBADMSG);
	assert_null(json);
}

struct args {
	int64_t first; /* so that no offset of a "was given" is 0 */
	struct mac mac;
	char name[9];
	int64_t number;
	bool flag, name_set, number_set;
};

static const struct json_arg rows[] = {
	{"mac", JSON_ARG_MAC, true, offsetof(struct args, mac), 0, 0, 0},
	{"name", JSON_ARG_TEXT, false, offsetof(struct args, name), 1, 8,
		offsetof(struct args, name_set)},
	{"number", JSON_ARG_INT, false, offsetof(struct args, number), -5, 5,
		offsetof(struct args, number_set)},
	{"flag", JSON_ARG_BOOL, false, offsetof(struct args, flag), 0, 0, 0},
	{},
};

struct args_case {
	const char *text;
	int ret;
	const char *word; /* that the sentence must have */
};

#define M "\"mac\":\"02:00:00:00:00:01\""

static const struct args_case args_cases[] = {
	{"{" M "}", 0, NULL},
	{"{" M ",\"name\":\"12345678\",\"number\":-5,\"flag\":true}", 0, NULL},
	{"{}", -EINVAL, "mac"},
	{"{\"mac\":1}", -EINVAL, "mac"},
	{"{\"mac\":\"ff:ff:ff:ff:ff:ff\"}", -EINVAL, "mac"},
	{"{\"mac\":null}", -EINVAL, "mac"},
	{"{" M ",\"name\":\"\"}", -EINVAL, "name"},
	{"{" M ",\"name\":\"123456789\"}", -EINVAL, "name"},
	{"{" M ",\"name\":\"a\\nb\"}", -EINVAL, "name"},
	{"{" M ",\"name\":\"a\\u0085b\"}", -EINVAL, "name"},
	{"{" M ",\"name\":[]}", -EINVAL, "name"},
	{"{" M ",\"number\":6}", -EINVAL, "number"},
	{"{" M ",\"number\":1.0}", -EINVAL, "number"},
	{"{" M ",\"number\":\"1\"}", -EINVAL, "number"},
	{"{" M ",\"flag\":1}", -EINVAL, "flag"},
	{"{" M ",\"role\":\"admin\"}", -EINVAL, "role"},
};

static void test_args(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(args_cases); i++) {
		const struct args_case *c = &args_cases[i];
		struct args args = {0};
		char err[160] = "";
		json_t *json = NULL;
		int ret;

		assert_int_equal(
			json_parse_object(c->text, strlen(c->text), &json), 0);
		ret = json_args(json, rows, &args, err, sizeof(err));
		if (ret != c->ret || (c->word && !strstr(err, c->word)))
			fail_msg("%s: expected %d about %s, got %d: %s",
				c->text, c->ret, c->word ? c->word : "nothing",
				ret, err);
		json_decref(json);
	}
}

static void test_args_land(void **state)
{
	static const char text[] =
		"{" M ",\"name\":\"\xc3\xa4\",\"number\":-3,\"flag\":true}";
	struct args args = {0};
	char err[160];
	json_t *json = NULL;

	assert_int_equal(json_parse_object(text, strlen(text), &json), 0);
	assert_int_equal(json_args(json, rows, &args, err, sizeof(err)), 0);
	assert_int_equal(args.mac.addr[0], 2);
	assert_int_equal(args.mac.addr[5], 1);
	assert_string_equal(args.name, "\xc3\xa4");
	assert_int_equal(args.number, -3);
	assert_true(args.flag && args.name_set && args.number_set);
	json_decref(json);
}

static void test_a_device_has_two_names(void **state)
{
	static const struct json_arg one[] = {
		{"mac", JSON_ARG_DEVICE, true, 0, 0, 0, 0}, {}};
	static const struct {
		const char *text;
		int ret;
		int64_t number;
	} cases[] = {
		{"02:00:00:00:00:01", 0, 0},
		{"12", 0, 12},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", -EINVAL, 0},
		{"0", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"01:00:5e:00:00:01", -EINVAL, 0},
		{"", -EINVAL, 0},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_pack("{s:s}", "mac", cases[i].text);
		struct json_device device = {.number = -1};
		char err[160];

		assert_int_equal(
			json_args(json, one, &device, err, sizeof(err)),
			cases[i].ret);
		if (!cases[i].ret)
			assert_int_equal(device.number, cases[i].number);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_deep_frame),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_args_land),
		cmocka_unit_test(test_a_device_has_two_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
