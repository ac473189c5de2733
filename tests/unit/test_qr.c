/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes and WIFI: strings. Protects: what is written is read back, whatever
 * the SSID and the password are; a logo covers no more than its place. That a
 * camera reads the pictures is shown by tests/portal/test_qr.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/qr.h"
#include "base/util.h"
#include "base/wifi_uri.h"
#include "lib/wifi_reader.h"

static void test_wifi(void **state)
{
	static const struct {
		const char *ssid, *security, *password;
		bool hidden;
		const char *text; /* NULL: there can be none */
	} rows[] = {
		{"cafe", "nopass", "", false, "WIFI:T:nopass;S:cafe;;"},
		{"cafe", "WPA", "12345678", true, "WIFI:T:WPA;S:cafe;P:12345678;H:true;;"},
		{"a;b,c:d\"e\\f", "SAE", "\\\";:,", false,
			"WIFI:T:SAE;S:a\\;b\\,c\\:d\\\"e\\\\f;P:\\\\\\\"\\;\\:\\,;;"},
		{"CAFE", "WPA", "deadbeef", false, "WIFI:T:WPA;S:CAFE;P:deadbeef;;"},
		{"\xd9\x85\xd9\x82\xd9\x87\xd9\x89", "nopass", "", false,
			"WIFI:T:nopass;S:\xd9\x85\xd9\x82\xd9\x87\xd9\x89;;"},
		{"\xff;", "nopass", "", false, "WIFI:T:nopass;S:FF3B;;"},
		{"tab\t", "nopass", "", false, "WIFI:T:nopass;S:74616209;;"},
		{"", "nopass", "", false, NULL},
		{"123456789012345678901234567890123", "nopass", "", false, NULL},
		{"x", "nopass", "12345678", false, NULL},
		{"x", "WPA", "1234567", false, NULL},
		{"x", "WPA", "", false, NULL},
		{"x", "WPA",
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			false,
			"WIFI:T:WPA;S:x;P:0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef;;"},
		{"x", "WPA",
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
			false, NULL},
		{"x", "WEP", "abcde", false, "WIFI:T:WEP;S:x;P:abcde;;"},
		{"x", "WEP", "0123456789", false, "WIFI:T:WEP;S:x;P:0123456789;;"},
		{"x", "WEP", "012345678x", false, NULL},
		{"x", "WPA", "line\nbreak", false, NULL},
		{"x", "WPA2", "12345678", false, NULL},
	};
	char text[WIFI_URI_SIZE];
	struct wifi_read back;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wifi_net net = {rows[i].ssid, strlen(rows[i].ssid),
			rows[i].security, rows[i].password, rows[i].hidden};

		if (!rows[i].text) {
			assert_int_equal(wifi_uri_format(&net, text), -EINVAL);
			continue;
		}
		assert_int_equal(wifi_uri_format(&net, text), 0);
		assert_string_equal(text, rows[i].text);
		assert_true(wifi_read(text, &back));
		assert_string_equal(back.password, rows[i].password);
		assert_string_equal(back.security, rows[i].security);
	}
}

/* Every SSID of one byte and of two beside each other, and a longest of all. */
static void test_any_ssid(void **state)
{
	char ssid[WIFI_SSID_MAX], text[WIFI_URI_SIZE], password[WIFI_PASSWORD_MAX + 1];
	struct wifi_net net = {ssid, 2, "nopass", "", false};
	struct wifi_read back;
	int first, second;

	for (first = ' '; first < 127; first++)
		for (second = ' '; second < 127; second++) {
			ssid[0] = (char)first;
			ssid[1] = (char)second;
			assert_int_equal(wifi_uri_format(&net, text), 0);
			assert_true(wifi_read(text, &back));
			assert_int_equal(strlen(back.ssid), 2);
			assert_memory_equal(back.ssid, ssid, 2);
		}
	memset(ssid, ';', sizeof(ssid));
	memset(password, '\\', WIFI_PASSWORD_MAX);
	password[WIFI_PASSWORD_MAX] = '\0';
	net = (struct wifi_net){ssid, sizeof(ssid), "SAE", password, true};
	assert_int_equal(wifi_uri_format(&net, text), 0);
	assert_true(wifi_read(text, &back));
	assert_string_equal(back.password, password);
}

static void test_logo_has_its_place(void **state)
{
	char text[1200];
	struct qr_look look = {.logo = "x"};
	struct qr_code code;
	size_t len;
	int x, from;

	for (len = 1; len < sizeof(text); len += 37) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(qr_code_init(&code, text, &look), 0);
		assert_int_equal(code.hole % 2, 1);
		assert_true(code.hole * 4 <= code.width && code.hole >= 5);
		from = (code.width - code.hole) / 2;
		for (x = 0; x < code.hole; x++)
			assert_int_equal(code.dark[(from + x) * code.width + from + x], 0);
		qr_code_fini(&code);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		char level;
		size_t most;
	} rows[] = {{'L', 2953}, {0, 2331}, {'M', 2331}, {'Q', 1663}, {'H', 1273}};
	char text[3000];
	struct qr_code code;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct qr_look look = {.level = rows[i].level};

		memset(text, 'a', sizeof(text));
		text[rows[i].most] = '\0';
		assert_int_equal(qr_code_init(&code, text, &look), 0);
		qr_code_fini(&code);
		text[rows[i].most] = 'a';
		text[rows[i].most + 1] = '\0';
		assert_int_equal(qr_code_init(&code, text, &look), -EMSGSIZE);
	}
}

static void test_data_url(void **state)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xff\xff", "////"}};
	size_t i, len = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		FILE *out = open_memstream(&text, &len);

		qr_put_data_url(out, "x/y", rows[i][0], strlen(rows[i][0]));
		fclose(out);
		assert_memory_equal(text, "data:x/y;base64,", 16);
		assert_string_equal(text + 16, rows[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wifi),
		cmocka_unit_test(test_any_ssid),
		cmocka_unit_test(test_logo_has_its_place),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_data_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
