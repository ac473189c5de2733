/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens: made from 256 random bits, kept as a hash. The text leaves this file
 * towards the guest only; it is never stored or logged.
 */
#include "rules/token.h"

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "rules/session.h"

#define DAY_SEC (24 * 3600)

void token_make(struct session *session, int64_t days,
	const struct moment *now, char ret_text[static TOKEN_TEXT])
{
	uint8_t raw[32];

	crypto_random(raw, sizeof(raw));
	hex_format(raw, sizeof(raw), ret_text);
	crypto_sha256(raw, sizeof(raw), session->token_hash);
	session->has_token = true;
	session->token_handed = true;
	session->token_expires_at = now->wall_sec + days * DAY_SEC;
}

int token_hash(const char *text, uint8_t ret_hash[static CRYPTO_HASH])
{
	uint8_t raw[32];

	if (hex_parse(text, sizeof(raw), raw) < 0)
		return -EINVAL;
	crypto_sha256(raw, sizeof(raw), ret_hash);
	return 0;
}

int64_t token_days(const struct rules *rules, const struct credit *credits, int n)
{
	int64_t days = rules->token_days;

	for (int i = 0; i < n; i++)
		if (credits[i].token_days != UNLIMITED)
			days = MAX(days, credits[i].token_days);
	return days;
}

int token_claim(struct store *store, const struct mac *mac,
	const struct rules *rules, const struct moment *now,
	char ret_text[static TOKEN_TEXT])
{
	struct credit credits[SESSION_CREDITS_MAX];
	char text[TOKEN_TEXT];
	struct session session;
	int err, n;

	err = store_session_of(store, mac, &session);
	if (err < 0)
		return err;
	if (session.token_handed)
		return -ENOENT;
	n = store_credit_list(store, session.id, credits, SESSION_CREDITS_MAX);
	if (n < 0)
		return n;
	token_make(&session, token_days(rules, credits, n), now, text);
	err = store_session_update(store, &session);
	if (err < 0)
		return err;
	memcpy(ret_text, text, sizeof(text));
	return 0;
}
