/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edge over liboath. It makes the codes of three steps and compares them
 * all, so how long it takes says nothing of which digit was wrong.
 */
#include "base/totp.h"

#include <errno.h>
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define NAME_BYTES 64 /* of a name in the address */

void totp_base32(const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_BASE32])
{
	char *text = NULL;
	size_t len;

	if (oath_base32_encode((const char *)secret, TOTP_SECRET, &text, &len) !=
			OATH_OK ||
		len != TOTP_BASE32 - 1)
		abort();
	memcpy(ret, text, TOTP_BASE32);
	free(text);
}

/* Bytes that need it as %XX. */
static void escape(const char *text, char *buf, size_t len)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"-._~";
	size_t out = 0, n;

	for (n = 0; text[n] && n < NAME_BYTES && out + 4 < len; n++)
		out += (size_t)snprintf(buf + out, len - out,
			strchr(plain, text[n]) ? "%c" : "%%%02X",
			(unsigned char)text[n]);
	buf[out] = '\0';
}

void totp_url(const uint8_t secret[static TOTP_SECRET], const char *issuer,
	const char *account, char ret[static TOTP_URL])
{
	char base32[TOTP_BASE32], from[100], name[100];

	totp_base32(secret, base32);
	escape(issuer, from, sizeof(from));
	escape(account, name, sizeof(name));
	snprintf(ret, TOTP_URL, "otpauth://totp/%s:%s?secret=%s&issuer=%s", from,
		name, base32, from);
}

static bool differs(const uint8_t *secret, int64_t step, const char *code)
{
	char right[TOTP_CODE + 1];
	unsigned char bits = 0;
	int i;

	if (oath_hotp_generate((const char *)secret, TOTP_SECRET,
		    (uint64_t)step, TOTP_CODE, false,
		    OATH_HOTP_DYNAMIC_TRUNCATION, right) != OATH_OK)
		return true;
	for (i = 0; i < TOTP_CODE; i++)
		bits |= (unsigned char)(right[i] ^ code[i]);
	return bits;
}

int64_t totp_step(const uint8_t secret[static TOTP_SECRET], const char *code,
	int64_t now_sec, int64_t last_step)
{
	int64_t now = now_sec / TOTP_STEP, step, found = -EACCES;
	char digits[TOTP_CODE + 1] = "";
	size_t len = 0;

	for (; *code; code++) {
		if (*code == ' ')
			continue;
		if (len == TOTP_CODE)
			return -EACCES;
		digits[len++] = *code;
	}
	if (len != TOTP_CODE)
		return -EACCES;
	for (step = now - 1; step <= now + 1; step++)
		if (!differs(secret, step, digits) && step > last_step)
			found = step;
	return found;
}
