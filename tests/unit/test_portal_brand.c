/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a venue may change: colours that can be read, and pages that stay
 * inside their frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "brand_html.h"
#include "colour.h"

static struct colour colour(const char *text)
{
	struct colour colour;

	assert_int_equal(colour_parse(text, &colour), 0);
	return colour;
}

static void test_contrast(void **state)
{
	char text[COLOUR_TEXT];
	struct colour none;

	assert_true(colour_contrast(colour("#000"), colour("#fff")) > 20.9);
	assert_true(colour_contrast(colour("#777777"), colour("#ffffff")) < 4.5);
	assert_true(colour_contrast(colour("#767676"), colour("#ffffff")) > 4.5);
	assert_string_equal(colour_format(colour("#fA0"), text), "#ffaa00");
	assert_int_equal(colour_parse("red", &none), -EINVAL);
	assert_int_equal(colour_parse("#12345g", &none), -EINVAL);
	assert_int_equal(colour_parse("#1234567", &none), -EINVAL);
}

/* Whatever the colour is: the text on it can be read, and so can it be made. */
static void test_every_colour_can_be_used(void **state)
{
	const struct colour page = colour("#f4f5f2"), card = colour("#fff");
	int step;

	for (step = 0; step < 0x1000; step++) {
		struct colour any = {(uint8_t)(step >> 8) * 17,
			(uint8_t)(step >> 4 & 15) * 17, (uint8_t)(step & 15) * 17};
		struct colour near = colour_until_readable(
			any, colour("#000"), page, card);

		assert_true(colour_contrast(any, colour_text_on(any)) >= 4.3);
		assert_true(colour_contrast(near, page) >= COLOUR_READABLE);
		assert_true(colour_contrast(near, colour_text_on(near)) >=
			    COLOUR_READABLE);
	}
}

static void test_pages(void **state)
{
	static const struct {
		const char *text;
		int line; /* of the fault; 0: none */
	} rows[] = {
		{"<h1>A</h1>", 0},
		{"<!-- note\n -->\n<h1>A &amp; B</h1><p>x<br>y<hr>", 3},
		{"<h1>A</h1><p>x<br/>y</p><img src='images/a.png' alt=''>", 0},
		{"<H1 CLASS=\"x\">A</h1><a href=\"/plans\">x</a>", 0},
		{"<h1>A</h1><a href=\"#x\">x</a><a href=\"https://a.b/\">y</a>", 0},
		{"", 1},
		{"<p>x</p><h1>A</h1>", 1},
		{"<h1>A</h1>\n<h1>B</h1>", 2},
		{"<h1>A", 1},
		{"<h1>A</h1></main>", 1},
		{"<h1>A</h1>\n<p>1 < 2</p>", 2},
		{"<h1>A</h1>\n<script src=\"x\">", 2},
		{"<h1>A</h1><p style=\"x\">", 1},
		{"<h1>A</h1><p onload=\"x\">", 1},
		{"<h1>A</h1><a href=x>", 1},
		{"<h1>A</h1>\n\n<a href=\"x>", 3},
		{"<h1>A</h1><a href=\"//evil.example\">x</a>", 1},
		{"<h1>A</h1><a href=\"javascript:alert(1)\">x</a>", 1},
		{"<h1>A</h1><a href=\"tel:1\">x</a>", 1},
		{"<h1>A</h1><img src=\"https://a.b/c\" alt=\"\">", 1},
		{"<h1>A</h1><img src=\"images/a.png\">", 1},
		{"<h1>A</h1><!-- x", 1},
		{"<h1>A</h1><!----><!-- x - > y -->", 0},
		{"<h1>A</h1><!--><script>x</script>-->", 1},
		{"<h1>A</h1><!---><script>x</script>-->", 1},
		{"<h1>A</h1><!-- --!><script>x</script>-->", 1},
		{"<h1>A</h1><0123456789abcdefp>x</0123456789abcdefp>", 1},
		{"<h1>A</h1><", 1},
		{"<h1>A</h1><p", 1},
	};
	const char *why;
	size_t i;
	int line;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int ret = brand_html_check(rows[i].text, &line, &why);

		if (ret ? line != rows[i].line : rows[i].line)
			fail_msg("%s: %s in line %d", rows[i].text,
				ret ? why : "no fault", line);
	}
}

static void test_titles_and_plain_text(void **state)
{
	char title[BRAND_TITLE_MAX + 1];
	struct buf buf = {0};

	brand_html_title("<h1> The\n <b>bar</b> &amp;  more </h1>x", title);
	assert_string_equal(title, "The bar & more");
	brand_html_title("<p>", title);
	assert_string_equal(title, "");
	brand_html_from_text("\nHouse <rules>\r\n\n\none\ntwo\n \nthree", &buf);
	assert_string_equal(buf.data,
		"<h1>House &lt;rules&gt;</h1>\n<p>one<br>\ntwo</p>\n<p>three</p>\n");
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contrast),
		cmocka_unit_test(test_every_colour_can_be_used),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_titles_and_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
