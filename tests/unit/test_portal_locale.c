/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, money, times and dates as each language writes them, and the form
 * of a word that goes with a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "locale.h"

#define NBSP "\u00a0"

static struct arena arena;

static int set_up(void **state)
{
	setenv("TZ", "UTC", 1);
	return i18n_init();
}

static int tear_down(void **state)
{
	i18n_fini();
	arena_fini(&arena);
	return 0;
}

static void test_numbers(void **state)
{
	static const struct {
		const char *lang;
		long long number;
		const char *text;
	} rows[] = {
		{"en", 0, "0"},
		{"en", 999, "999"},
		{"en", 1000, "1,000"},
		{"en", -1234567, "-1,234,567"},
		{"id", 12500, "12.500"},
		{"fr", 12500, "12" NBSP "500"},
		{"ar", 12500, "12,500"},
		{"en", INT64_MIN, "-9,223,372,036,854,775,808"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_number(&arena, i18n_lookup(rows[i].lang),
					    rows[i].number),
			rows[i].text);
}

static void test_bytes(void **state)
{
	static const struct {
		const char *lang;
		long long bytes;
		const char *text;
	} rows[] = {
		{"en", 0, "0 B"},
		{"en", 999, "999 B"},
		{"en", 1000, "1.0 kB"},
		{"en", 1449999, "1.4 MB"},
		{"en", 99949999, "99.9 MB"},
		{"en", 99960000, "100 MB"},
		{"en", 999940000, "1.0 GB"},
		{"en", 2000000000000000, "2000 TB"},
		{"fr", 1400000000, "1,4 Go"},
		{"ar", 500000000, "500 ميغابايت"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_bytes(&arena, i18n_lookup(rows[i].lang),
					    rows[i].bytes),
			rows[i].text);
}

static void test_rates(void **state)
{
	static const struct {
		const char *lang;
		long long kbps;
		const char *text;
	} rows[] = {
		{"en", 512, "512 kbit/s"},
		{"en", 1000, "1 Mbit/s"},
		{"en", 1024, "1,024 kbit/s"},
		{"fr", 1500, "1,5 Mbit/s"},
		{"ar", 10000, "10 ميغابت/ث"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_rate(&arena, i18n_lookup(rows[i].lang),
					    rows[i].kbps),
			rows[i].text);
}

static void test_money(void **state)
{
	static const struct {
		const char *lang;
		long long minor;
		const char *currency, *text;
	} rows[] = {
		{"fil", 750, "PHP", "₱7.50"},
		{"fil", 500, "PHP", "₱5"},
		{"sw", 100000, "TZS", "TSh" NBSP "1,000"},
		{"id", 500000, "IDR", "Rp" NBSP "5.000"},
		{"fr", 50000, "XOF", "500" NBSP "FCFA"},
		{"fr", 1234550, "EUR", "12" NBSP "345,50" NBSP "€"},
		{"es", 2050, "MXN", "$20.50"},
		{"en", 5, "XYZ", "XYZ" NBSP "0.05"},
		{"en", -750, "PHP", "₱-7.50"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_money(&arena, i18n_lookup(rows[i].lang),
					    rows[i].minor, rows[i].currency),
			rows[i].text);
	assert_string_equal(
		lang_money_pattern(&arena, i18n_lookup("en"), "PHP"), "₱{n}");
}

static void test_counts(void **state)
{
	static const struct {
		const char *lang;
		long long n;
		const char *text;
	} rows[] = {
		{"en", 0, "0 days"},
		{"en", 1, "1 day"},
		{"en", 1500, "1,500 days"},
		{"fr", 0, "0 jour"},
		{"fr", 2, "2 jours"},
		{"id", 1, "1 hari"},
		{"sw", 3, "siku 3"},
		{"ar", 0, "0 يوم"},
		{"ar", 1, "يوم واحد"},
		{"ar", 2, "يومان"},
		{"ar", 3, "3 أيام"},
		{"ar", 11, "11 يوماً"},
		{"ar", 100, "100 يوم"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_count(&arena, i18n_lookup(rows[i].lang),
					    "days", rows[i].n),
			rows[i].text);
	assert_string_equal(
		lang_forms(&arena, i18n_lookup("en"), "minutes"),
		"{\"one\":\"{n} minute\",\"other\":\"{n} minutes\"}");
}

static void test_plural_rules(void **state)
{
	static const struct {
		const char *rule;
		long long n;
		const char *category;
	} rows[] = {
		{"none", 1, "other"},
		{"english", 1, "one"},
		{"french", 0, "one"},
		{"arabic", 103, "few"},
		{"arabic", 111, "many"},
		{"arabic", 102, "other"},
		{"russian", 21, "one"},
		{"russian", 11, "many"},
		{"russian", 22, "few"},
		{"polish", 21, "many"},
		{"polish", 24, "few"},
		{"polish", 13, "many"},
		{"czech", 4, "few"},
		{"czech", 5, "other"},
		{"klingon", 1, "other"},
	};
	const struct lang *lang;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(plural_category(rows[i].rule, rows[i].n),
			rows[i].category);
	for (i = 0; (lang = i18n_at((int)i)); i++)
		assert_true(plural_is_known(lang_text(lang, "plural")));
	assert_false(plural_is_known("klingon"));
}

static void test_durations(void **state)
{
	static const struct {
		const char *lang;
		long long seconds;
		const char *text;
	} rows[] = {
		{"en", 0, "0 seconds"},
		{"en", 59, "59 seconds"},
		{"en", 65, "1 minute"},
		{"en", 3600, "1 hour"},
		{"en", 5400, "1 hour 30 minutes"},
		{"en", 2 * 86400 + 3 * 3600 + 59, "2 days 3 hours"},
		{"en", 86400 + 1800, "1 day"},
		{"ar", 5400, "ساعة واحدة و30 دقيقة"},
		{"es", 7200, "2 horas"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(lang_duration(&arena,
					    i18n_lookup(rows[i].lang),
					    rows[i].seconds),
			rows[i].text);
}

static void test_dates(void **state)
{
	const time_t at = 1795271400; /* Sat 21 Nov 2026 14:30 */
	const time_t next_year = at + 60 * SEC_PER_DAY;
	static const struct {
		const char *lang, *same, *other;
	} rows[] = {
		{"en", "Sat 21 Nov, 14:30", "21 Nov 2026, 14:30"},
		{"fil", "Sab, Nob 21, 14:30", "Nob 21, 2026, 14:30"},
		{"fr", "sam. 21 nov. à 14:30", "21 nov. 2026 à 14:30"},
		{"ar", "السبت 21 نوفمبر، 14:30", "21 نوفمبر 2026، 14:30"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct lang *lang = i18n_lookup(rows[i].lang);

		assert_string_equal(
			lang_date_time(&arena, lang, at, at), rows[i].same);
		assert_string_equal(lang_date_time(&arena, lang, at, next_year),
			rows[i].other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_money),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_plural_rules),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
