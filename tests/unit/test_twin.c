/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device or two, on the host: what counts as coming back, and when it is
 * over; what of a SYN tells systems apart. Times as they may be over a day.
 */
#include <setjmp.h>
#include <stdarg.h>

/* clang-format off: in this order */
#include "../host_bpf.h"
#define GH_SEC 1000000000ULL
#include "../../bpf/twin.h"
/* clang-format on */

#include <cmocka.h>
#include <string.h>

#include "base/util.h"

#define MSEC (GH_SEC / 1000)
#define NOW  (3600 * GH_SEC)

static bool hear(struct gh_turns *turns, int network, uint64_t at_ns)
{
	struct gh_guise guise = {.seen_ns = at_ns, .network = (__u8)network};
	struct gh_turn_rule rule = GH_TWIN_NETWORKS;

	return gh_take_turn(turns, &guise, &rule);
}

/* Two devices, each sending every `gap_ms`. Returns ms until it is noticed. */
static int until_noticed(uint64_t gap_ms)
{
	struct gh_turns turns = {.returns = 0};
	uint64_t ms;

	hear(&turns, 1, NOW - GH_SEC);
	for (ms = 0; ms < 60000; ms++) {
		bool two = false;

		if (ms % gap_ms == 0)
			two = hear(&turns, 2, NOW + ms * MSEC);
		if (ms % gap_ms == gap_ms / 2)
			two |= hear(&turns, 1, NOW + ms * MSEC);
		if (!two)
			continue;
		assert_int_equal(turns.first.network, 1);
		return (int)ms;
	}
	return -1;
}

static void test_two_are_noticed_in_ten_seconds(void **state)
{
	static const uint64_t gaps_ms[] = {2, 10, 100, 1000, 1900};

	for (size_t i = 0; i < ARRAY_SIZE(gaps_ms); i++) {
		int ms = until_noticed(gaps_ms[i]);

		assert_in_range(ms, 750, 10000);
	}
}

/* To and fro for a day, sending every 10 ms where it is. */
static void test_one_that_roams_is_one(void **state)
{
	struct gh_turns turns = {.returns = 0};

	for (uint64_t ms = 0; ms < 24 * 3600 * 1000; ms += 10)
		assert_false(hear(&turns, 1 + (int)(ms / 2100 % 2), NOW + ms * MSEC));
}

/* Frames of before and after a change of network, through each other. */
static void test_a_burst_is_one_return(void **state)
{
	struct gh_turns turns = {.returns = 0};

	for (int i = 0; i < 1000; i++)
		assert_false(hear(&turns, 1 + i % 2, NOW + i * MSEC / 5));
	assert_int_equal(turns.returns, 1);
	/* And each time it moves, far apart. */
	for (int move = 1; move < 20; move++)
		for (int i = 0; i < 100; i++)
			assert_false(hear(&turns, 1 + i % 2,
				NOW + move * 4 * GH_SEC + i * MSEC));
}

static void test_it_is_over_when_one_is_silent(void **state)
{
	struct gh_turns turns = {.returns = 0};
	uint64_t at = NOW;

	while (!hear(&turns, 1 + (int)(at / MSEC / 300 % 2), at))
		at += 300 * MSEC;
	assert_true(hear(&turns, 1, at + 2 * GH_SEC));
	assert_false(hear(&turns, 1, at + 6 * GH_SEC));
	assert_false(hear(&turns, 2, at + 7 * GH_SEC));
	/* The next time counts from the start, and may begin elsewhere. */
	assert_false(hear(&turns, 1, at + 7 * GH_SEC + 100 * MSEC));
	assert_int_equal(turns.returns, 1);
	assert_int_equal(turns.first.network, 1);
}

#define LINUX	(struct gh_guise){.mss = 1460, .options = 0x2483, .ttl = 64, .scale = 8}
#define WINDOWS (struct gh_guise){.mss = 1460, .options = 0x234, .ttl = 128, .scale = 9}

static bool same(struct gh_guise a, struct gh_guise b)
{
	bool one = gh_is_same_guise(&a, &b);

	assert_int_equal(gh_is_same_guise(&b, &a), one);
	return one;
}

static struct gh_guise with(struct gh_guise guise, __u16 options, __u16 mss, __u8 scale)
{
	guise.options = options;
	guise.mss = mss;
	guise.scale = scale;
	return guise;
}

static void test_what_tells_systems_apart(void **state)
{
	struct gh_guise far = LINUX;

	far.ttl = 128;
	assert_true(same(LINUX, LINUX));
	assert_false(same(LINUX, WINDOWS));
	assert_false(same(LINUX, far));
	assert_false(same(LINUX, with(LINUX, 0x2348, 1460, 8)));
	/* Another path, another program; both at once are another system. */
	assert_true(same(LINUX, with(LINUX, 0x2483, 1380, 8)));
	assert_true(same(LINUX, with(LINUX, 0x2483, 1460, 3)));
	assert_false(same(LINUX, with(LINUX, 0x2483, 1380, 3)));
	/* Repeated, with less. */
	assert_true(same(LINUX, with(LINUX, 0, 1460, 0)));
	assert_true(same(LINUX, with(LINUX, 0, 536, 0)));
	assert_true(same(LINUX, with(LINUX, 0, 0, 0)));
}

static struct gh_guise read_syn(const char *options, __u32 len)
{
	struct gh_syn syn = {.len = len};

	assert_in_range(len, 0, GH_SYN_OPTIONS_BYTES);
	memcpy(syn.options, options, len);
	gh_syn_read(&syn);
	return syn.guise;
}

static void test_options_of_a_syn(void **state)
{
	static const char linux_syn[] =
		"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07";
	static const char windows_syn[] =
		"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02";
	struct gh_guise guise = read_syn(linux_syn, sizeof(linux_syn) - 1);

	assert_int_equal(guise.options, 0x2483);
	assert_int_equal(guise.mss, 1460);
	assert_int_equal(guise.scale, 8);
	guise = read_syn(windows_syn, sizeof(windows_syn) - 1);
	assert_int_equal(guise.options, 0x234);
	guise = read_syn("\x02\x04\x05\xb4\x04\x02", 6);
	assert_int_equal(guise.options, 0);
	assert_int_equal(guise.mss, 1460);
	/* An option that says it is longer than what is there ends it. */
	guise = read_syn("\x03\x03\x07\x02\x09", 5);
	assert_int_equal(guise.options, 3);
}

static void test_where_a_ttl_began(void **state)
{
	assert_int_equal(gh_first_ttl(64), 64);
	assert_int_equal(gh_first_ttl(63), 64);
	assert_int_equal(gh_first_ttl(127), 128);
	assert_int_equal(gh_first_ttl(255), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_are_noticed_in_ten_seconds),
		cmocka_unit_test(test_one_that_roams_is_one),
		cmocka_unit_test(test_a_burst_is_one_return),
		cmocka_unit_test(test_it_is_over_when_one_is_silent),
		cmocka_unit_test(test_what_tells_systems_apart),
		cmocka_unit_test(test_options_of_a_syn),
		cmocka_unit_test(test_where_a_ttl_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
