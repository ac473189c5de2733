/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers (P3). A code is a prefix, 8 characters of an alphabet of 31 without
 * look-alikes, and a check character; case, spaces and dashes do not matter.
 */
#ifndef RULES_VOUCHER_H
#define RULES_VOUCHER_H

#include "rules/session.h"
#include "rules/token.h"

#define VOUCHER_CODE 33 /* longest code, normalised, with NUL */

/* Capital letters and 0 to 9, on whatever keyboard the digits were typed; without
 * spaces and dashes. -EINVAL when nothing or too
 * much is left, or another character is in it. */
int voucher_normalise(const char *text, char ret_code[static VOUCHER_CODE]);
/* A new code; `prefix` of capitals and digits. */
void voucher_code(const char *prefix, char ret_code[static VOUCHER_CODE]);
/* Is the last character the right one for the eight before it? Whatever the
 * prefix: it is the batch's own, and not in the sum. */
bool voucher_check(const char *code);

struct voucher_batch {
	const struct plan *plan;
	int count;
	int64_t expires_at; /* UNLIMITED */
	const char *prefix;
	const char *batch; /* its name */
	const char *created_by;
};
/* Makes `count` codes; `fn` gets each one. */
int voucher_create(struct rules *rules, const struct voucher_batch *batch,
	void (*fn)(void *data, const char *code), void *data);
/*
 * Takes a code in that was made elsewhere, as it is: no prefix and no check
 * character. OUTCOME_CONFLICT: it is there already. -EINVAL: voucher_normalise()
 * does not take it. `count` and `prefix` do not matter.
 */
int voucher_import(struct rules *rules, const struct voucher_batch *batch,
	const char *text, enum outcome *ret_outcome);
/* How hard a code is to guess, judged by its length and kinds of characters; one
 * below VOUCHER_BITS_MIN should not be in use for long. 0: it is none. */
int voucher_bits(const char *text);
#define VOUCHER_BITS_MIN 32
/* The row of a code, whatever became of it. OUTCOME_OK, or OUTCOME_VOUCHER_* as
 * a guest would be told at `now_sec`; nothing is found with _UNKNOWN only. */
int voucher_find(struct rules *rules, const char *text, int64_t now_sec,
	struct voucher *ret_voucher, enum outcome *ret_outcome);
/* The code of a row; -EBADMSG when it is not sealed under our key. */
int voucher_reveal(struct rules *rules, const struct voucher *voucher,
	char ret_code[static VOUCHER_CODE]);
/* OUTCOME_VOUCHER_UNKNOWN, _USED, _REVOKED (already). *ret_voucher is the row
 * unless it is unknown. */
int voucher_revoke(struct rules *rules, const char *text,
	struct voucher *ret_voucher, enum outcome *ret_outcome);

struct activated {
	struct account account;
	char token[TOKEN_TEXT];
	char plan[STORE_NAME];
	int64_t group_id; /* others may, or do, share it; 0: none */
};
/*
 * Redeems a code for a client: all or nothing. One that is used is good for
 * more devices while the first is on, if its plan says so: they share what it
 * gave. OUTCOME_VOUCHER_*, _CLIENT_BLOCKED, _CONFLICT, _OTHER_NETWORK,
 * _DEVICES_FULL, _HAS_SESSION.
 */
int voucher_activate(struct rules *rules, const struct guest *guest,
	const char *text, const struct moment *now,
	struct activated *ret_activated, enum outcome *ret_outcome);

#endif
