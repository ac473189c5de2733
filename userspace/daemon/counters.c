/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates by virtual scheduling, as in throttle.c: a counter is the moment at
 * which its next use would be on schedule, so that one which rests needs no
 * upkeep.
 */
#include "daemon/counters.h"

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

#define WAYS 8
#define SETS 128

struct counter {
	uint64_t key;
	int64_t used_ns; /* 0: free */
	int64_t next_ns;
};

struct counters {
	uint8_t hash_key[CRYPTO_KEY];
	struct counter table[SETS][WAYS];
};

struct counters *counters_new(void)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));

	crypto_random(counters->hash_key, sizeof(counters->hash_key));
	return counters;
}

void counters_free(struct counters *counters)
{
	free(counters);
}

static struct counter *counter_of(
	struct counters *counters, const void *name, size_t len, int64_t now)
{
	uint8_t hash[CRYPTO_HASH];
	struct counter *set, *oldest;
	uint64_t key;
	int i;

	crypto_hmac(counters->hash_key, name, len, hash);
	memcpy(&key, hash, sizeof(key));
	set = oldest = counters->table[key % SETS];
	for (i = 0; i < WAYS; i++) {
		if (set[i].used_ns && set[i].key == key) {
			set[i].used_ns = now;
			return &set[i];
		}
		if (set[i].used_ns < oldest->used_ns)
			oldest = &set[i];
	}
	*oldest = (struct counter){.key = key, .used_ns = now};
	return oldest;
}

int64_t counters_wait(struct counters *counters, const struct counter_rate *rate,
	const void *name, size_t len, int64_t now_ns)
{
	const struct counter *counter =
		counter_of(counters, name, len, now_ns);

	return MAX(counter->next_ns - (rate->burst - 1) * rate->step_ns - now_ns,
		0);
}

void counters_use(struct counters *counters, const struct counter_rate *rate,
	const void *name, size_t len, int64_t now_ns)
{
	struct counter *counter = counter_of(counters, name, len, now_ns);

	counter->next_ns = MAX(counter->next_ns, now_ns) + rate->step_ns;
}

void counters_give_back(struct counters *counters,
	const struct counter_rate *rate, const void *name, size_t len,
	int64_t now_ns)
{
	struct counter *counter = counter_of(counters, name, len, now_ns);

	counter->next_ns -= MIN(counter->next_ns, rate->step_ns);
}

void counters_clear(struct counters *counters, const void *name, size_t len,
	int64_t now_ns)
{
	counter_of(counters, name, len, now_ns)->next_ns = 0;
}
