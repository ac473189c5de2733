/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's memory of records, against a plain array. Protects: an entry is
 * found under its MAC whatever came and went, and following an order, any
 * order, finds the same as searching.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mac.h"
#include "base/util.h"
#include "daemon/record_cache.h"

#define MACS 5000
#define STEPS 200000

static struct mac mac_of(unsigned int n)
{
	return (struct mac){{2, 16, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
}

static void count(void *data, struct cached_record *entry)
{
	(*(size_t *)data)++;
}

static void remove_odd(void *data, struct cached_record *entry)
{
	if (entry->mac.addr[5] & 1)
		record_cache_remove(data, entry);
}

/* Whoever walks may meet strangers, and the same one twice. */
static void test_as_an_array(void **state)
{
	static struct cached_record *known[MACS];
	struct record_cache *cache = record_cache_new();
	unsigned int seed = 1, step, n = 0;
	size_t have = 0, seen = 0;

	for (step = 0; step < STEPS; step++) {
		int what = rand_r(&seed) % 8;
		struct mac mac;

		/* Mostly the next one, as a sweep asks. */
		n = (what < 6 ? n + 1 : (unsigned int)rand_r(&seed)) % MACS;
		mac = mac_of(n);
		if (what == 7 && known[n]) {
			record_cache_remove(cache, known[n]);
			known[n] = NULL;
			have--;
		} else if (what == 5 || what == 6) {
			have += !known[n];
			known[n] = record_cache_get(cache, &mac);
		}
		assert_ptr_equal(record_cache_follow(cache, &mac), known[n]);
		assert_ptr_equal(record_cache_find(cache, &mac), known[n]);
	}
	assert_int_equal(record_cache_count(cache), have);
	record_cache_each(cache, count, &seen);
	assert_int_equal(seen, have);
	record_cache_free(cache);
}

static void test_empty_again(void **state)
{
	struct record_cache *cache = record_cache_new();
	struct mac one = mac_of(1), two = mac_of(2);

	assert_null(record_cache_follow(cache, &one));
	record_cache_get(cache, &one);
	assert_non_null(record_cache_follow(cache, &one));
	assert_null(record_cache_follow(cache, &two));
	assert_non_null(record_cache_follow(cache, &one));
	record_cache_remove(cache, record_cache_get(cache, &one));
	assert_null(record_cache_follow(cache, &one));
	record_cache_get(cache, &two);
	assert_non_null(record_cache_follow(cache, &two));
	record_cache_free(cache);
}

static void test_removed_while_walking(void **state)
{
	struct record_cache *cache = record_cache_new();
	unsigned int n;

	for (n = 0; n < MACS; n++) {
		struct mac mac = mac_of(n);

		record_cache_get(cache, &mac);
	}
	record_cache_each(cache, remove_odd, cache);
	for (n = 0; n < MACS; n++) {
		struct mac mac = mac_of(n);
		struct cached_record *entry = record_cache_follow(cache, &mac);

		assert_int_equal(!entry, n & 1);
		assert_true(!entry || mac_equal(&entry->mac, &mac));
	}
	record_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_an_array),
		cmocka_unit_test(test_empty_again),
		cmocka_unit_test(test_removed_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
