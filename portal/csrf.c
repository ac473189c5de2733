/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Form tokens are half of an HMAC over address and hour. The key is made at
 * start and never leaves the process; after a restart a form is shown again.
 */
#include "csrf.h"

#include <string.h>

#include "base/util.h"

#define HOUR_NS (3600 * NSEC_PER_SEC)

static void make_for_hour(const uint8_t key[static CRYPTO_KEY],
	const struct ipaddr *peer, int64_t hour, char buf[static CSRF_TEXT])
{
	uint8_t message[sizeof(peer->addr) + sizeof(hour)], sum[CRYPTO_HASH];

	memcpy(message, peer->addr, sizeof(peer->addr));
	memcpy(message + sizeof(peer->addr), &hour, sizeof(hour));
	crypto_hmac(key, message, sizeof(message), sum);
	hex_format(sum, (CSRF_TEXT - 1) / 2, buf);
}

const char *csrf_make(const uint8_t key[static CRYPTO_KEY],
	const struct ipaddr *peer, int64_t mono_ns, char buf[static CSRF_TEXT])
{
	make_for_hour(key, peer, mono_ns / HOUR_NS, buf);
	return buf;
}

/* Takes as long whatever differs. */
static bool equal(const char *a, const char *b)
{
	unsigned char differs = 0;
	size_t i;

	for (i = 0; i < CSRF_TEXT - 1; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return !differs;
}

bool csrf_check(const uint8_t key[static CRYPTO_KEY], const struct ipaddr *peer,
	int64_t mono_ns, const char *text)
{
	char buf[CSRF_TEXT];
	int64_t hour;

	if (!text || strlen(text) != CSRF_TEXT - 1)
		return false;
	for (hour = mono_ns / HOUR_NS; hour >= mono_ns / HOUR_NS - 1; hour--) {
		make_for_hour(key, peer, hour, buf);
		if (equal(buf, text))
			return true;
	}
	return false;
}
