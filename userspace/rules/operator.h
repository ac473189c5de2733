/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operators who are not at the box itself (N12, N13): their accounts, how long
 * a login lasts, and whose a token is. Passwords are checked elsewhere, because
 * that takes long; time is an argument, as in every rule.
 */
#ifndef RULES_OPERATOR_H
#define RULES_OPERATOR_H

#include "rules/rules.h"
#include "store/operators.h"

#define OPERATOR_TOKEN	      65 /* 64 hex digits, with the final NUL */
#define OPERATOR_SESSION_SEC  (7 * SEC_PER_DAY)
#define OPERATOR_IDLE_SEC     (12 * 3600)
#define OPERATOR_SESSIONS_MAX 16 /* of one operator; the oldest goes */
/* From where somebody logged in so recently is known. */
#define OPERATOR_ADDRESS_SEC  (90 * SEC_PER_DAY)
#define OPERATOR_PASSWORD_MIN 10 /* bytes */
#define OPERATOR_PASSWORD_MAX 128

/* 1 to 30 letters, digits, '.', '-', '_' and '@'. */
bool operator_name_is_good(const char *name);
/* What is wrong with a new password, as a sentence; NULL: nothing. */
const char *operator_password_fault(const char *name, const char *password);
/* 6 to 32 digits, not as easy as 111111 and 123456. */
bool operator_pin_is_good(const char *pin);
/* Nobody handles the account of who may do more than he may himself. */
static inline bool operator_may_handle(enum role mine, enum role other)
{
	return other <= mine;
}

/* The right password was given: a session, and its token in `ret_text`. */
int operator_login(struct store *store, struct operator *operator,
	const char *address, int64_t now_sec,
	char ret_text[static OPERATOR_TOKEN], int64_t *ret_expires_at);

/* Whose a token is, and how. */
struct operator_proof {
	int64_t operator_id;
	int64_t session_id; /* 0: an API token */
	char name[OPERATOR_NAME];
	enum role role; /* at this moment */
	int64_t expires_at; /* seconds; UNLIMITED */
};
/* Of a session or an API token, noting that it was used. -ENOENT: nobody's, or
 * not any more. */
int operator_by_token(struct store *store, const char *text, int64_t now_sec,
	struct operator_proof *ret_proof);

/* The account changes, and with its password or role everything that was logged
 * in under the old ones; *ret_ended sessions. */
int operator_change(struct store *store, const struct operator *operator,
	int64_t *ret_ended);

/* Every login ends, those by the QR code of the house too; *ret_ended of them. */
int operator_log_out(
	struct store *store, int64_t operator_id, int64_t *ret_ended);

/* `row` has operator, label and end; the rest is filled in. */
int operator_token_make(struct store *store, struct api_token *row,
	char ret_text[static OPERATOR_TOKEN]);

/* What has ended leaves the store. */
int operator_clean_up(struct store *store, int64_t now_sec);

#endif
