/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Session tokens: 32 random bytes as 64 hex digits, of which the store keeps
 * the SHA-256 only (requirements: P1).
 */
#ifndef RULES_TOKEN_H
#define RULES_TOKEN_H

#include "rules/outcome.h"
#include "store/store.h"

#define TOKEN_TEXT 65 /* with the final NUL */

/* Makes a token for `session` (not yet written to the store) and marks it as
 * handed out. */
void token_make(struct session *session, int64_t days,
	const struct moment *now, char ret_text[static TOKEN_TEXT]);
/* -EINVAL: not 64 hex digits. */
int token_hash(const char *text, uint8_t ret_hash[static CRYPTO_HASH]);
/* Longest of the setting and what the session's credits bring, in days. */
int64_t token_days(const struct rules *rules, const struct credit *credits, int n);

/*
 * Hands the token of this client's session out, once, to a client that has no
 * proof but its MAC (P1). -ENOENT: no session, or it was handed out before.
 */
int token_claim(struct store *store, const struct mac *mac,
	const struct rules *rules, const struct moment *now,
	char ret_text[static TOKEN_TEXT]);

#endif
