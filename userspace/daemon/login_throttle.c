/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted of logins: tries from an address, at an account, and of both
 * together where that pair is known.
 */
#include "daemon/login_throttle.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "daemon/counters.h"

static const struct counter_rate address_rate = {60 * NSEC_PER_SEC, 5};
static const struct counter_rate account_rate = {20 * NSEC_PER_SEC, 10};

/* One text for each counter: 'a' address, 'n' name, 'b' both. */
struct name {
	size_t len;
	uint8_t text[1 + 16 + 64];
};

struct login_throttle {
	struct counters *counters;
};

struct login_throttle *login_throttle_new(void)
{
	struct login_throttle *throttle = xcalloc(1, sizeof(*throttle));

	throttle->counters = counters_new();
	return throttle;
}

void login_throttle_free(struct login_throttle *throttle)
{
	if (throttle)
		counters_free(throttle->counters);
	free(throttle);
}

static struct name name_of(char kind, const struct login_try *try)
{
	struct name name = {1, {(uint8_t)kind}};
	size_t i;

	if (kind != 'n') {
		memcpy(name.text + name.len, try->address.addr,
			ip_is_v4(&try->address) ? 16 : 8);
		name.len += 16;
	}
	for (i = 0; kind != 'a' && try->name[i] && name.len < sizeof(name.text);
		i++)
		name.text[name.len++] =
			(uint8_t)tolower((unsigned char)try->name[i]);
	return name;
}

static int64_t wait_of(struct login_throttle *throttle,
	const struct counter_rate *rate, const struct name *name, int64_t now)
{
	return counters_wait(
		throttle->counters, rate, name->text, name->len, now);
}

static void use(struct login_throttle *throttle,
	const struct counter_rate *rate, const struct name *name, int64_t now)
{
	counters_use(throttle->counters, rate, name->text, name->len, now);
}

int64_t login_throttle_try(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns)
{
	struct name both = name_of('b', try), address = name_of('a', try),
		    account = name_of('n', try);
	int64_t wait;

	if (try->is_known) {
		wait = wait_of(throttle, &address_rate, &both, now_ns);
		if (!wait)
			use(throttle, &address_rate, &both, now_ns);
		return wait;
	}
	wait = wait_of(throttle, &address_rate, &address, now_ns);
	if (!wait)
		wait = wait_of(throttle, &account_rate, &account, now_ns);
	if (wait)
		return wait;
	use(throttle, &account_rate, &account, now_ns);
	use(throttle, &address_rate, &address, now_ns);
	return 0;
}

void login_throttle_right(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns)
{
	struct name both = name_of('b', try), address = name_of('a', try),
		    account = name_of('n', try);

	if (try->is_known) {
		/* Slips before it are forgotten. */
		counters_clear(
			throttle->counters, both.text, both.len, now_ns);
		return;
	}
	counters_give_back(throttle->counters, &address_rate, address.text,
		address.len, now_ns);
	counters_give_back(throttle->counters, &account_rate, account.text,
		account.len, now_ns);
}
