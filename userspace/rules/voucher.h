/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers: codes, batches, redemption (requirements: P3). A code is a prefix,
 * 8 characters of an alphabet of 31 without look-alikes and a check character;
 * case, spaces and dashes do not matter when it is typed.
 */
#ifndef RULES_VOUCHER_H
#define RULES_VOUCHER_H

#include "rules/session.h"
#include "rules/token.h"

#define VOUCHER_TEXT 24 /* prefix of 8, 8, check, NUL, and room */

/* -EINVAL: cannot be a code. `ret_code` is the form that is stored. */
int voucher_normalise(const char *text, char ret_code[static VOUCHER_TEXT]);
/* The check character fits; imported codes may have none. */
bool voucher_check(const char *code);

/* Makes `count` vouchers of a plan; `fn` gets each code. `expires_at` 0: never.
 * `batch` is chosen here when it is "" (time and a random tail). */
struct voucher_batch {
	char batch[40];
	char plan[STORE_NAME];
	char prefix[9];
	int64_t count;
	int64_t expires_at;
	const char *who;
};
int voucher_create(struct store *store, struct voucher_batch *batch,
	const struct rules *rules, const struct moment *now,
	void (*fn)(void *data, const char *code), void *data,
	enum outcome *ret_outcome);

/*
 * Redeems a code for a client: its session starts or is extended. `ret_token`
 * is the session's new token when it was made now, "" when the session had one
 * that was handed out already.
 */
int voucher_activate(struct store *store, const char *code,
	const struct mac *mac, const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome,
	char ret_token[static TOKEN_TEXT]);

int voucher_revoke(struct store *store, const char *code, const char *who,
	const struct rules *rules, const struct moment *now,
	enum outcome *ret_outcome);

/* The code of a row, for the operator. */
int voucher_code(const struct voucher *voucher, const struct rules *rules,
	char ret_code[static VOUCHER_TEXT]);

#endif
