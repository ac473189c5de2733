/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSV (T5). Protects: what is written is read back, and no cell that a guest
 * chose is a formula.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/util.h"

static void test_cells(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{"plain", "plain"},
		{"", ""},
		{NULL, ""},
		{"a,b", "\"a,b\""},
		{"say \"hi\"", "\"say \"\"hi\"\"\""},
		{"two\nlines", "\"two\nlines\""},
		{"=1+1", "\"'=1+1\""},
		{"+49", "\"'+49\""},
		{"-5", "\"'-5\""},
		{"@x", "\"'@x\""},
		{"\tx", "\"'\tx\""},
		{"a=1", "a=1"},
	};
	size_t i, len = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		FILE *out = open_memstream(&text, &len);

		csv_put(out, rows[i].text, true);
		fclose(out);
		assert_string_equal(text, rows[i].written);
	}
}

static void test_lines(void **state)
{
	static const struct {
		const char *line;
		int count;
		const char *cells[4];
	} rows[] = {
		{"a,b,c\r\n", 3, {"a", "b", "c"}},
		{"", 1, {""}},
		{"\n", 1, {""}},
		{"a,,\n", 3, {"a", "", ""}},
		{"\"a,b\",c", 2, {"a,b", "c"}},
		{"\"say \"\"hi\"\"\",x", 2, {"say \"hi\"", "x"}},
		{"\"open", 1, {"open"}},
		{"\"a\"junk,b", 2, {"a", "b"}},
		{"\"", 1, {""}},
		{"\"\"", 1, {""}},
		{"\"\"\"", 1, {"\""}},
		{"1,2,3,4,5", 4, {"1", "2", "3", "4"}},
	};
	char line[64], *cells[4];
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(line, sizeof(line), "%s", rows[i].line);
		assert_int_equal(csv_split(line, cells, 4), rows[i].count);
		for (j = 0; j < rows[i].count; j++)
			assert_string_equal(cells[j], rows[i].cells[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
