/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The meter of the BPF programs on the host: what a burst is, what a rate is,
 * and the ends of its range, with prices as the daemon makes them.
 */
#include <setjmp.h>
#include <stdarg.h>

/* clang-format off: in this order */
#include <arpa/inet.h>
#include "../host_bpf.h"
#include "../../bpf/ratelimit.h"
/* clang-format on */

#include <cmocka.h>
#include <pthread.h>

#include "base/util.h"
#include "datapath/datapath.h"

#define SEC  1000000000ULL
#define YEAR (365 * 86400 * SEC)
#define NOW  (3600 * SEC)

/* How many packets in a row pass at one moment. */
static int burst(__u64 *meter, __u64 price, uint32_t bytes, __u64 now,
	__u64 tolerance)
{
	int n = 0;

	while (n < 100000 && gh_meter_admit(meter, price, bytes, now, tolerance))
		n++;
	return n;
}

static void test_no_price_no_limit(void **state)
{
	__u64 meter = ~0ULL;

	assert_int_equal(burst(&meter, 0, 65535, NOW, 0), 100000);
	assert_int_equal(meter, ~0ULL);
}

static void test_a_burst_is_the_tolerance_and_one_packet(void **state)
{
	/* 8 kbit/s: 1000 bytes/s, so 100 bytes are 0.1 s. */
	__u64 price = datapath_price(8), meter = 0;

	assert_int_equal(burst(&meter, price, 100, NOW, SEC), 11);
	assert_int_equal(meter, (NOW + SEC + SEC / 10) * GH_NS);
	/* Nothing for 0.1 s less a nanosecond, then one. */
	assert_int_equal(burst(&meter, price, 100, NOW + SEC / 10 - 1, SEC), 0);
	assert_int_equal(burst(&meter, price, 100, NOW + SEC / 10, SEC), 1);
	meter = 0;
	assert_int_equal(burst(&meter, price, 100, NOW, 0), 1);
}

static void test_a_packet_of_any_size_begins(void **state)
{
	__u64 price = datapath_price(1), meter = 0;

	/* 64 KiB at 1 kbit/s are 524 s; until then nothing else. */
	assert_true(gh_meter_admit(&meter, price, 65535, NOW, SEC));
	assert_false(gh_meter_admit(&meter, price, 1, NOW, SEC));
	assert_false(gh_meter_admit(&meter, price, 1, NOW + 522 * SEC, SEC));
	assert_true(gh_meter_admit(&meter, price, 1, NOW + 524 * SEC, SEC));
}

static void test_silence_saves_nothing_up(void **state)
{
	__u64 price = datapath_price(8), meter = 0;

	assert_int_equal(burst(&meter, price, 100, SEC, SEC), 11);
	assert_int_equal(burst(&meter, price, 100, 30 * YEAR, SEC), 11);
}

/* A minute of packets at twice the rate: the rate passes. */
static void test_the_rate_in_the_long_run(void **state)
{
	static const uint32_t rates[] = {1, 8, 1000, 100000, 10000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		__u64 price = datapath_price(rates[i]), meter = 0;
		__u64 per_sec = rates[i] * 125ULL, passed = 0;
		uint32_t size = rates[i] < 1000 ? 10 : 1500;
		__u64 step = size * SEC / per_sec / 2;
		__u64 t, span = 10000 * step;

		for (t = 0; t < span; t += step)
			if (gh_meter_admit(&meter, price, size, NOW + t, 0))
				passed += size;
		assert_in_range(passed * SEC / per_sec, span * 99 / 100,
			span * 101 / 100);
	}
}

/* What a second of full packets costs a meter: a second, to 0.01 %. */
static void test_a_price_is_its_rate(void **state)
{
	static const int64_t rates[] = {
		64, 250, 1000, 10000, 100000, 500000, 1000000, 10000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		__u64 price = datapath_rate_price(rates[i]);
		__u64 second = rates[i] * 125;
		__u64 cost = second / 1500 * gh_meter_cost(price, 1500) +
			     gh_meter_cost(price, (__u32)(second % 1500));

		assert_in_range(cost, SEC * GH_NS * 9999 / 10000,
			SEC * GH_NS * 10001 / 10000);
	}
}

static void test_a_meter_from_another_rate_is_forgotten(void **state)
{
	__u64 price = datapath_price(8);
	__u64 meter = (NOW + GH_METER_STALE_NS) * GH_NS;

	assert_false(gh_meter_admit(&meter, price, 100, NOW, SEC));
	meter++;
	assert_true(gh_meter_admit(&meter, price, 100, NOW, SEC));
	assert_int_equal(meter, (NOW + SEC / 10) * GH_NS);
}

static void test_what_is_refused_costs_nothing(void **state)
{
	__u64 price = datapath_price(8), meter = 0, before;

	burst(&meter, price, 100, NOW, SEC);
	before = meter;
	assert_false(gh_meter_admit(&meter, price, 65535, NOW, SEC));
	assert_int_equal(meter, before);
}

struct hammer {
	__u64 *meter;
	int passed;
};

static void *hammer(void *data)
{
	struct hammer *h = data;
	__u64 price = datapath_price(8000);

	for (int i = 0; i < 50000; i++)
		h->passed += gh_meter_admit(h->meter, price, 100, NOW, SEC);
	return NULL;
}

/* 1 MB/s and a second of tolerance: 10,001 packets, whoever sends them. */
static void test_threads_share_one_meter(void **state)
{
	__u64 meter = 0;
	struct hammer hammers[4];
	pthread_t threads[4];
	int passed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		hammers[i] = (struct hammer){&meter, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer,
					 &hammers[i]),
			0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], NULL);
		passed += hammers[i].passed;
	}
	assert_int_equal(passed, 10001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_price_no_limit),
		cmocka_unit_test(test_a_burst_is_the_tolerance_and_one_packet),
		cmocka_unit_test(test_a_packet_of_any_size_begins),
		cmocka_unit_test(test_silence_saves_nothing_up),
		cmocka_unit_test(test_the_rate_in_the_long_run),
		cmocka_unit_test(test_a_price_is_its_rate),
		cmocka_unit_test(test_a_meter_from_another_rate_is_forgotten),
		cmocka_unit_test(test_what_is_refused_costs_nothing),
		cmocka_unit_test(test_threads_share_one_meter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
