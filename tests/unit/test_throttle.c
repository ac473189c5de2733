/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits on guessing (P3, P7). Protects: five wrong tries, then one a minute;
 * a guest with a right code gets its turn within 5 s while many others guess;
 * made-up MACs cost no memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/util.h"
#include "daemon/throttle.h"

#define START (1000 * NSEC_PER_SEC)

static struct mac mac_of(unsigned int n)
{
	return (struct mac){
		{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
			(uint8_t)n}};
}

static void test_five_then_one_a_minute(void **state)
{
	struct throttle *t = throttle_new();
	struct mac mac = mac_of(1);
	int64_t now = START;
	int i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(throttle_check(t, RATE_GUESS, &mac, 1, now), 0);
		throttle_missed(t, &mac, 1, now);
		now += NSEC_PER_MSEC;
	}
	assert_true(throttle_check(t, RATE_GUESS, &mac, 1, now) > 0);
	now = START + 61 * NSEC_PER_SEC;
	assert_int_equal(throttle_check(t, RATE_GUESS, &mac, 1, now), 0);
	throttle_missed(t, &mac, 1, now);
	assert_true(throttle_check(t, RATE_GUESS, &mac, 1, now) > 0);
	/* Another client is not meant. */
	mac = mac_of(2);
	assert_int_equal(throttle_check(t, RATE_GUESS, &mac, 1, now), 0);
	throttle_free(t);
}

/* Right codes are never counted. */
static void test_right_codes_are_free(void **state)
{
	struct throttle *t = throttle_new();
	struct mac mac = mac_of(1);
	int i;

	for (i = 0; i < 10000; i++)
		assert_int_equal(
			throttle_check(t, RATE_GUESS, &mac, 1, START), 0);
	throttle_free(t);
}

/* 100 made-up MACs try without pause, each new as soon as its tries are gone;
 * the guest comes back when it was told to. */
static void test_guest_among_guessers(void **state)
{
	struct throttle *t = throttle_new();
	struct mac guest = mac_of(1);
	int64_t now, back = 0, waited = -1;
	unsigned int next = 100;
	struct mac others[100];
	unsigned int tries[100] = {0}, i;

	for (i = 0; i < 100; i++)
		others[i] = mac_of(next++);
	for (now = START; now < START + 20 * NSEC_PER_SEC;
		now += 10 * NSEC_PER_MSEC) {
		for (i = 0; i < 100; i++) {
			if (throttle_check(t, RATE_GUESS, &others[i], 1, now))
				continue;
			throttle_missed(t, &others[i], 1, now);
			if (++tries[i] == 5) {
				others[i] = mac_of(next++);
				tries[i] = 0;
			}
		}
		/* The guest arrives when it is already busy. */
		if (now < START + 3 * NSEC_PER_SEC || waited >= 0 || now < back)
			continue;
		back = now + throttle_check(t, RATE_GUESS, &guest, 1, now);
		if (back == now)
			waited = now - (START + 3 * NSEC_PER_SEC);
	}
	if (waited < 0 || waited > 5100 * NSEC_PER_MSEC)
		fail_msg("the guest waited %lld ms",
			(long long)(waited / NSEC_PER_MSEC));
	throttle_free(t);
}

/* What a guest's browser is told: whole seconds. */
static int64_t in_seconds(int64_t wait)
{
	return (wait + NSEC_PER_SEC - 1) / NSEC_PER_SEC * NSEC_PER_SEC;
}

/* A new MAC for each guess, as many as a network carries: a guest who has just
 * come is in within 5 s all the same, and the guesses are not more than 20/s. */
static void test_guest_among_made_up_macs(void **state)
{
	struct mac guest = mac_of(1);
	int64_t now, back, waited;
	unsigned int next = 100, i, each, taken;
	struct throttle *t;

	for (each = 1; each <= 100; each *= 10) {
		t = throttle_new();
		back = 0;
		taken = 0;
		waited = -1;
		for (now = START; now < START + 30 * NSEC_PER_SEC;
			now += 10 * NSEC_PER_MSEC) {
			for (i = 0; i < each; i++) {
				struct mac mac = mac_of(next++);

				if (throttle_check(t, RATE_GUESS, &mac, 1, now))
					continue;
				throttle_missed(t, &mac, 1, now);
				taken++;
			}
			if (now < START + 10 * NSEC_PER_SEC || waited >= 0 ||
				now < back)
				continue;
			back = now + in_seconds(throttle_check(t, RATE_GUESS,
					     &guest, 1, now));
			if (back == now)
				waited = now - (START + 10 * NSEC_PER_SEC);
		}
		if (waited < 0 || waited > 5 * NSEC_PER_SEC)
			fail_msg("%u/s: the guest waited %lld ms", each * 100,
				(long long)(waited / NSEC_PER_MSEC));
		assert_in_range(taken, 1, 30 * 20 + 20);
		throttle_free(t);
	}
}

/* A hundred MACs at any time that grow old before each guesses once: who has
 * been there for as long as it takes to walk to the desk is not behind them. */
static void test_guest_among_patient_guessers(void **state)
{
	struct throttle *t = throttle_new();
	struct mac guest = mac_of(1), others[100];
	int64_t now, back = 0, waited = -1;
	int64_t begun = START + 90 * NSEC_PER_SEC;
	unsigned int next = 100, i, taken = 0;
	int64_t ready[100];

	for (i = 0; i < 100; i++) {
		others[i] = mac_of(next++);
		ready[i] = START + i * 100 * NSEC_PER_MSEC;
	}
	for (now = START; now < START + 120 * NSEC_PER_SEC;
		now += 50 * NSEC_PER_MSEC) {
		for (i = 0; i < 100; i++) {
			throttle_check(t, RATE_GUEST, &others[i], 1, now);
			if (now < ready[i] || throttle_check(t, RATE_GUESS,
						      &others[i], 1, now))
				continue;
			throttle_missed(t, &others[i], 1, now);
			taken++;
			others[i] = mac_of(next++);
			ready[i] = now + 10 * NSEC_PER_SEC;
		}
		/* The guest looked at the page a minute ago. */
		if (now == begun - 61 * NSEC_PER_SEC)
			throttle_check(t, RATE_GUEST, &guest, 1, now);
		if (now < begun || waited >= 0 || now < back)
			continue;
		back = now + in_seconds(throttle_check(
				     t, RATE_GUESS, &guest, 1, now));
		if (back == now)
			waited = now - begun;
	}
	if (waited < 0 || waited > 5 * NSEC_PER_SEC)
		fail_msg("the guest waited %lld ms",
			(long long)(waited / NSEC_PER_MSEC));
	assert_in_range(taken, 1, 120 * 20 + 20);
	throttle_free(t);
}

/* In the long run a network takes no more wrong guesses than 20 a second. */
static void test_network_rate(void **state)
{
	struct throttle *t = throttle_new();
	unsigned int n, taken = 0;
	int64_t now;

	for (n = 0; n < 1000000; n++) {
		struct mac mac = mac_of(n + 1);

		now = START + n * (10 * NSEC_PER_SEC / 1000000);
		if (throttle_check(t, RATE_GUESS, &mac, 1, now) == 0) {
			throttle_missed(t, &mac, 1, now);
			taken++;
		}
	}
	/* 10 s at 20/s and the first burst. */
	assert_in_range(taken, 20, 240);
	throttle_free(t);
}

/* Ten networks under attack are one attack; the eleventh has none. */
static void test_all_networks_together(void **state)
{
	struct throttle *t = throttle_new();
	unsigned int next = 100, taken = 0;
	struct mac mac;
	int64_t now;
	int i;

	for (now = START; now < START + 60 * NSEC_PER_SEC;
		now += 10 * NSEC_PER_MSEC) {
		for (i = 1; i <= 10; i++) {
			mac = mac_of(next++);
			if (throttle_check(t, RATE_GUESS, &mac, i, now))
				continue;
			throttle_missed(t, &mac, i, now);
			taken++;
		}
		mac = mac_of(next++);
		assert_int_equal(throttle_check(t, RATE_GUESS, &mac, 11, now), 0);
	}
	/* And 5 for each network, which are no attack; the first bursts. */
	assert_in_range(taken, 60, 60 * (60 + 10 * 5) + 60 + 10 * 25);
	throttle_free(t);
}

static void test_alarm_once_a_minute(void **state)
{
	struct throttle *t = throttle_new();
	unsigned int n, alarms = 0;

	for (n = 0; n < 600; n++) {
		struct mac mac = mac_of(n + 1);

		alarms += throttle_missed(
			t, &mac, 1, START + n * 100 * NSEC_PER_MSEC);
	}
	assert_int_equal(alarms, 1);
	throttle_free(t);
}

static void test_page_loads(void **state)
{
	struct throttle *t = throttle_new();
	struct mac mac = mac_of(1);
	int i, taken = 0;

	for (i = 0; i < 100; i++)
		taken += throttle_check(t, RATE_GUEST, &mac, 1, START) == 0;
	assert_int_equal(taken, 20);
	assert_int_equal(
		throttle_check(t, RATE_GUEST, &mac, 1, START + NSEC_PER_SEC), 0);
	throttle_free(t);
}

/* Pausing and resuming for ever, or going to and fro between two devices. */
static void test_what_is_kept(void **state)
{
	static const enum rate_class classes[] = {RATE_CHANGE, RATE_GUESS};
	struct throttle *t = throttle_new();
	int64_t now;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct mac mac = mac_of((unsigned int)i + 1);
		int done = 0;

		for (now = START; now < START + 60 * NSEC_PER_SEC;
			now += NSEC_PER_SEC / 4) {
			if (throttle_check(t, classes[i], &mac, 1, now))
				continue;
			throttle_changed(t, &mac, now);
			done++;
		}
		assert_in_range(done, 60, 64);
		/* To look is another matter. */
		assert_int_equal(throttle_check(t, RATE_GUEST, &mac, 1, now), 0);
		now += 15 * NSEC_PER_SEC;
		assert_int_equal(throttle_check(t, classes[i], &mac, 1, now), 0);
	}
	throttle_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_five_then_one_a_minute),
		cmocka_unit_test(test_right_codes_are_free),
		cmocka_unit_test(test_guest_among_guessers),
		cmocka_unit_test(test_guest_among_made_up_macs),
		cmocka_unit_test(test_guest_among_patient_guessers),
		cmocka_unit_test(test_network_rate),
		cmocka_unit_test(test_all_networks_together),
		cmocka_unit_test(test_alarm_once_a_minute),
		cmocka_unit_test(test_page_loads),
		cmocka_unit_test(test_what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
