/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates by virtual scheduling, as in throttle.c: a counter is the moment at
 * which its next use would be on schedule. Counters are found by a keyed hash
 * of what they count, in a table that never grows; names and addresses are free
 * to make up, so the one that was used longest ago makes room.
 */
#include "daemon/login_throttle.h"

#include <ctype.h>
#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

#define WAYS 8
#define SETS 128

struct rate {
	int64_t step_ns; /* between two uses in the long run */
	int burst;	 /* uses at once after a rest */
};

static const struct rate address_rate = {60 * NSEC_PER_SEC, 5};
static const struct rate account_rate = {20 * NSEC_PER_SEC, 10};

struct counter {
	uint64_t key;
	int64_t used_ns; /* 0: free */
	int64_t next_ns;
};

struct login_throttle {
	uint8_t hash_key[CRYPTO_KEY];
	struct counter counters[SETS][WAYS];
};

struct login_throttle *login_throttle_new(void)
{
	struct login_throttle *throttle = xcalloc(1, sizeof(*throttle));

	crypto_random(throttle->hash_key, sizeof(throttle->hash_key));
	return throttle;
}

void login_throttle_free(struct login_throttle *throttle)
{
	free(throttle);
}

static struct counter *counter_of(
	struct login_throttle *throttle, uint64_t key, int64_t now)
{
	struct counter *set = throttle->counters[key % SETS];
	struct counter *oldest = &set[0];
	int i;

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

/* One text for each counter: 'a' address, 'n' name, 'b' both. */
static uint64_t key_of(const struct login_throttle *throttle, char kind,
	const struct login_try *try)
{
	uint8_t text[1 + 16 + 64] = {(uint8_t)kind}, hash[CRYPTO_HASH];
	size_t len = 1, i;
	uint64_t key;

	if (kind != 'n') {
		memcpy(text + len, try->address.addr,
			ip_is_v4(&try->address) ? 16 : 8);
		len += 16;
	}
	for (i = 0; kind != 'a' && try->name[i] && len < sizeof(text); i++)
		text[len++] = (uint8_t)tolower((unsigned char)try->name[i]);
	crypto_hmac(throttle->hash_key, text, len, hash);
	memcpy(&key, hash, sizeof(key));
	return key;
}

static int64_t wait_of(const struct rate *rate, const struct counter *counter,
	int64_t now)
{
	return MAX(counter->next_ns - (rate->burst - 1) * rate->step_ns - now, 0);
}

static void use(const struct rate *rate, struct counter *counter, int64_t now)
{
	counter->next_ns = MAX(counter->next_ns, now) + rate->step_ns;
}

int64_t login_throttle_try(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns)
{
	struct counter *first, *second;
	int64_t wait;

	if (try->is_known) {
		first = counter_of(throttle, key_of(throttle, 'b', try), now_ns);
		wait = wait_of(&address_rate, first, now_ns);
		if (!wait)
			use(&address_rate, first, now_ns);
		return wait;
	}
	first = counter_of(throttle, key_of(throttle, 'a', try), now_ns);
	wait = wait_of(&address_rate, first, now_ns);
	if (wait)
		return wait;
	/* May have taken the place of the first, which then starts anew. */
	second = counter_of(throttle, key_of(throttle, 'n', try), now_ns);
	wait = wait_of(&account_rate, second, now_ns);
	if (wait)
		return wait;
	use(&account_rate, second, now_ns);
	first = counter_of(throttle, key_of(throttle, 'a', try), now_ns);
	use(&address_rate, first, now_ns);
	return 0;
}

static void give_back(struct login_throttle *throttle, char kind,
	const struct rate *rate, const struct login_try *try, int64_t now_ns)
{
	struct counter *counter =
		counter_of(throttle, key_of(throttle, kind, try), now_ns);

	counter->next_ns -= MIN(counter->next_ns, rate->step_ns);
}

void login_throttle_right(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns)
{
	if (try->is_known) {
		/* Slips before it are forgotten. */
		counter_of(throttle, key_of(throttle, 'b', try), now_ns)
			->next_ns = 0;
		return;
	}
	give_back(throttle, 'a', &address_rate, try, now_ns);
	give_back(throttle, 'n', &account_rate, try, now_ns);
}
