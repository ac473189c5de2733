/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs to a device whatever session it has: exemptions over clocks that
 * step, and rates of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "rules/device.h"

#define START 1800000000LL
#define BOOT  (100 * NSEC_PER_SEC)

static void test_an_exemption_follows_its_date(void **state)
{
	/* Seconds on each clock since it was given for an hour; what is left
	 * of it then, and whether the row changes. */
	static const struct {
		int64_t mono, wall, left;
		bool changes;
	} rows[] = {
		{0, 0, 3600, false},
		{10, 10, 3590, false},
		{10, 12, 3590, false},	  /* slewed: not worth a new record */
		{10, 1810, 1790, true},	  /* stepped by half an hour */
		{10, -3590, 7190, true},  /* back */
		{3600, 3598, 0, true},	  /* the kernel ended it: so it is */
		{3598, 3600, 2, false},	  /* the kernel will */
		{10, 4000, 0, true},	  /* the date is long gone */
		{4000, 4000, 0, true},
		{4000, 10, 3590, true},	  /* the date is to come again */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct moment now = {BOOT, START};
		struct device device = {.id = 1};
		int64_t left;

		device_exempt(&device, "guest", START + 3600, &now);
		now.mono_ns += rows[i].mono * NSEC_PER_SEC;
		now.wall_sec += rows[i].wall;
		assert_int_equal(exemption_settle(&device.exemption, &now),
			rows[i].changes);
		left = MAX(device.exemption.deadline_ns - now.mono_ns, 0);
		assert_int_equal(left / NSEC_PER_SEC, rows[i].left);
		assert_int_equal(exemption_holds(&device.exemption, &now),
			rows[i].left > 0);
		/* The date stays what was said, whatever the clock is. */
		assert_int_equal(device.exemption.until, START + 3600);
		assert_false(exemption_settle(&device.exemption, &now));
	}
}

static void test_one_that_was_ended_stays_so(void **state)
{
	struct moment now = {BOOT, START};
	struct device device = {.id = 1};

	device_exempt(&device, "guest", START + 3600, &now);
	device_end_exemption(&device);
	assert_false(exemption_settle(&device.exemption, &now));
	assert_false(exemption_holds(&device.exemption, &now));
}

static void test_the_lower_rate_holds(void **state)
{
	static const struct {
		struct rates plan, device, both;
	} rows[] = {
		{{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
		{{0, 0, 0, 0}, {500, 0, 0, 0}, {500, 0, 0, 0}},
		{{1000, 2000, 0, 0}, {0, 0, 0, 0}, {1000, 2000, 0, 0}},
		{{1000, 2000, 0, 0}, {500, 9000, 0, 0}, {500, 2000, 0, 0}},
		/* No fair use comes of it, and none is faster than before. */
		{{1000, 2000, 256, 256}, {100, 0, 0, 0}, {100, 2000, 100, 256}},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rates both =
			rates_lower(&rows[i].plan, &rows[i].device);

		assert_memory_equal(&both, &rows[i].both, sizeof(both));
	}
}

static void test_dates_are_read(void **state)
{
	int64_t at;

	assert_int_equal(time_parse("2026-12-24T18:00:00Z", &at), 0);
	assert_int_equal(at, 1798135200);
	setenv("TZ", "Africa/Dar_es_Salaam", 1);
	tzset();
	assert_int_equal(time_parse("2026-12-24", &at), 0);
	assert_int_equal(at, 1798146000); /* 24:00 there, 21:00 UTC */
	/* A day of 23 hours. */
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(time_parse("2026-03-29", &at), 0);
	assert_int_equal(at, 1774821600);
	assert_int_equal(time_parse("2026-12-24T18:00", &at), -EINVAL);
	assert_int_equal(time_parse("tomorrow", &at), -EINVAL);
	assert_int_equal(time_parse("", &at), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_exemption_follows_its_date),
		cmocka_unit_test(test_one_that_was_ended_stays_so),
		cmocka_unit_test(test_the_lower_rate_holds),
		cmocka_unit_test(test_dates_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
