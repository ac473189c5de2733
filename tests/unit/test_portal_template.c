/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates: everything that a guest, an operator or the daemon can put into a
 * page arrives escaped; a malformed template fails on every rendering; every
 * template of the tree renders in every language.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/embed.h"
#include "base/util.h"
#include "template.h"

static struct arena arena;

static int set_up(void **state)
{
	return i18n_init();
}

static int tear_down(void **state)
{
	i18n_fini();
	arena_fini(&arena);
	return 0;
}

static struct view *sample(void)
{
	struct view *view = view_new(&arena), *row;

	view_set(view, "evil", "<script>\"&'`</script>");
	view_set(view, "name", "Ann");
	view_set(view, "empty", "");
	view_set(view, "host", "a<b");
	row = view_add_row(view, "rows");
	view_set(row, "cell", "<1>");
	row = view_add_row(view, "rows");
	view_set(row, "cell", "2");
	view_set(row, "name", "Bob");
	return view;
}

static const struct {
	const char *source;
	int ret;
	const char *text;
} cases[] = {
	{"plain <b>", 0, "plain <b>"},
	{"{{name}}", 0, "Ann"},
	{"{{missing}}.", 0, "."},
	{"<a href=\"{{evil}}\">",
		0, "<a href=\"&lt;script&gt;&quot;&amp;&#39;&#96;&lt;/script&gt;\">"},
	{"{{#name}}yes{{/name}}{{^name}}no{{/name}}", 0, "yes"},
	{"{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", 0, "no"},
	{"{{#missing}}{{name}}{{/missing}}{{^missing}}no{{/missing}}", 0, "no"},
	{"{{#rows}}{{cell}}-{{name}};{{/rows}}", 0, "&lt;1&gt;-Ann;2-Bob;"},
	{"{{#rows}}{{#name}}{{cell}}{{/name}}{{/rows}}", 0, "&lt;1&gt;2"},
	/* A translation carries values, escaped like everything. */
	{"{{t.continue_to}}", 0, "Continue to a&lt;b"},
	{"{{t.no_such_key}}", -EBADMSG, NULL},
	{"{{#name}}open", -EBADMSG, NULL},
	{"{{/name}}", -EBADMSG, NULL},
	{"{{#name}}{{/other}}", -EBADMSG, NULL},
	{"{{name", -EBADMSG, NULL},
	{"{{}}", -EBADMSG, NULL},
	{"{{&evil}}", -EBADMSG, NULL},
	{"{{{evil}}}", -EBADMSG, NULL},
	/* Also in a part that is not shown. */
	{"{{#missing}}{{t.no_such_key}}{{/missing}}", -EBADMSG, NULL},
	{"{{>no-such-file.html}}", -ENOENT, NULL},
};

static void test_cases(void **state)
{
	const struct view *view = sample();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf buf = {0};
		int ret = template_render_text(cases[i].source,
			strlen(cases[i].source), view, i18n_lookup("en"), &buf);

		if (ret != cases[i].ret)
			fail_msg("%s: expected %d, got %d", cases[i].source,
				cases[i].ret, ret);
		if (!ret && strcmp(buf.data ? buf.data : "", cases[i].text))
			fail_msg("%s: expected %s, got %s", cases[i].source,
				cases[i].text, buf.data);
		buf_fini(&buf);
	}
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name);

	return len > strlen(suffix) &&
	       !strcmp(name + len - strlen(suffix), suffix);
}

static void test_every_template_in_every_language(void **state)
{
	const struct embed *file;
	const struct lang *lang;
	int i, rendered = 0;

	for (file = embed_portal; file->name; file++)
		for (i = 0; (lang = i18n_at(i)); i++) {
			struct buf buf = {0};
			int ret;

			if (!has_suffix(file->name, ".html"))
				continue;
			ret = template_render(file->name, sample(), lang, &buf);
			if (ret)
				fail_msg("%s in %s: %d", file->name,
					lang_code(lang), ret);
			buf_fini(&buf);
			rendered++;
		}
	assert_true(rendered >= 7 * 10);
}

static void test_nesting_is_bounded(void **state)
{
	struct buf buf = {0};
	char deep[40 * 11 + 1] = "";
	int i;

	for (i = 0; i < 40; i++)
		memcpy(deep + 10 * i, "{{#name}}a", 11);
	assert_int_equal(template_render_text(deep, strlen(deep), sample(),
				 i18n_lookup("en"), &buf),
		-EBADMSG);
	buf_fini(&buf);
}

static void test_a_page_is_bounded(void **state)
{
	static const char block[1024];
	struct buf buf = {0};
	int i;

	for (i = 0; i < 1000; i++)
		buf_put(&buf, block, sizeof(block));
	assert_true(buf.overflow);
	assert_true(buf.len < BUF_MAX);
	buf_fini(&buf);
}

static void test_languages(void **state)
{
	static const struct {
		const char *accept, *code;
	} rows[] = {
		{NULL, "en"},
		{"", "en"},
		{"sw", "sw"},
		{"SW-tz", "sw"},
		{"de-DE,de;q=0.9", "en"},
		{"de;q=0.9, id;q=0.8, en;q=0.7", "id"},
		{"en;q=0.5,sw;q=0.8", "sw"},
		{"tl-PH", "fil"},
		{"fil", "fil"},
		{"in-ID", "id"},
		{"es-419,es;q=0.9,en;q=0.8", "es"},
		{"fr-CI", "fr"},
		{"ar-EG,en;q=0.5", "ar"},
		{"sw;q=0", "en"},
		{",,,;;;q=9,-", "en"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,"
		 "sw",
			"sw"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			lang_code(i18n_pick(rows[i].accept)), rows[i].code);
	assert_string_equal(lang_text(i18n_lookup("sw"), "welcome"), "Karibu");
	assert_null(lang_text(i18n_lookup("sw"), "nothing"));
	assert_true(lang_is_rtl(i18n_lookup("ar")));
	assert_false(lang_is_rtl(i18n_lookup("fr")));
}

/* A name or an address in a sentence that runs from right to left. */
static void test_a_value_is_kept_apart_in_rtl(void **state)
{
	static const char source[] = "{{t.continue_to}}|{{host}}";
	struct buf buf = {0};

	assert_int_equal(template_render_text(source, sizeof(source) - 1,
				 sample(), i18n_lookup("ar"), &buf),
		0);
	assert_non_null(strstr(buf.data, "\u2068a&lt;b\u2069"));
	assert_non_null(strstr(buf.data, "|a&lt;b"));
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_every_template_in_every_language),
		cmocka_unit_test(test_nesting_is_bounded),
		cmocka_unit_test(test_a_page_is_bounded),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_a_value_is_kept_apart_in_rtl),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
