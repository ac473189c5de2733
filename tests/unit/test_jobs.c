/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Daily jobs run once on each local date, whatever the clock does (N7): days of
 * 23 and 25 hours, ends of years, days missed, a clock that was wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "daemon/jobs.h"

/* Berlin: on 29 March 2026 there is no 02:xx, on 25 October there are two. */
static int set_up(void **state)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute};

	return timegm(&tm);
}

/* How often it runs when it is looked at every minute. */
static int runs(int64_t *last, int64_t from, int64_t to)
{
	int count = 0;

	for (; from < to; from += 60)
		if (jobs_daily_is_due(*last, from)) {
			*last = from;
			count++;
		}
	return count;
}

static void test_once_a_day(void **state)
{
	int64_t last = 0;

	/* The first time after two in the morning, local time. */
	assert_int_equal(runs(&last, utc(2026, 7, 1, 22, 0),
				 utc(2026, 7, 2, 0, 0)),
		0);
	assert_int_equal(runs(&last, utc(2026, 7, 2, 0, 0),
				 utc(2026, 7, 12, 0, 0)),
		10);
	assert_int_equal(last, utc(2026, 7, 11, 0, 0));
	/* Over the end of a year, and of a leap year. */
	last = utc(2026, 12, 30, 12, 0);
	assert_int_equal(runs(&last, last, utc(2027, 1, 3, 12, 0)), 4);
	last = utc(2028, 12, 30, 12, 0);
	assert_int_equal(runs(&last, last, utc(2029, 1, 3, 12, 0)), 4);
}

static void test_once_on_days_of_23_and_25_hours(void **state)
{
	int64_t last = utc(2026, 3, 28, 12, 0);

	assert_int_equal(runs(&last, last, utc(2026, 3, 29, 12, 0)), 1);
	last = utc(2026, 10, 24, 12, 0);
	assert_int_equal(runs(&last, last, utc(2026, 10, 25, 12, 0)), 1);
}

static void test_a_missed_one_runs_once(void **state)
{
	int64_t last = utc(2026, 7, 1, 0, 30);

	assert_int_equal(runs(&last, utc(2026, 7, 9, 15, 0),
				 utc(2026, 7, 9, 23, 0)),
		1);
}

static void test_a_clock_that_was_a_year_ahead(void **state)
{
	int64_t last = utc(2027, 7, 1, 0, 30);

	assert_int_equal(runs(&last, utc(2026, 7, 9, 15, 0),
				 utc(2026, 7, 10, 23, 0)),
		2);
}

/* What is shown as due is when it will run. */
static void test_when_it_is_next(void **state)
{
	/* Two o'clock is midnight UTC in summer. */
	int64_t last = utc(2026, 7, 2, 0, 0);

	assert_int_equal(jobs_daily_next(last, last + 1), utc(2026, 7, 3, 0, 0));
	assert_int_equal(jobs_daily_next(last, utc(2026, 7, 2, 23, 59)),
		utc(2026, 7, 3, 0, 0));
	assert_int_equal(jobs_daily_next(last, utc(2026, 7, 3, 9, 0)),
		utc(2026, 7, 3, 9, 0));
	/* From summer time to the other. */
	last = utc(2026, 10, 24, 0, 0);
	assert_int_equal(jobs_daily_next(last, utc(2026, 10, 24, 12, 0)),
		utc(2026, 10, 25, 0, 0));
	last = utc(2026, 10, 25, 0, 0);
	assert_int_equal(jobs_daily_next(last, utc(2026, 10, 25, 12, 0)),
		utc(2026, 10, 26, 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_a_day),
		cmocka_unit_test(test_when_it_is_next),
		cmocka_unit_test(test_once_on_days_of_23_and_25_hours),
		cmocka_unit_test(test_a_missed_one_runs_once),
		cmocka_unit_test(test_a_clock_that_was_a_year_ahead),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
