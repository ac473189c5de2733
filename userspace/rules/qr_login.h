/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QR codes of the house and the logins by them (U1, U5). A code is 24 random
 * bytes as 48 hex digits, the same for everybody, so it proves a place at most;
 * a login and its cookie are 32 each, of which the store has the hashes.
 */
#ifndef RULES_QR_LOGIN_H
#define RULES_QR_LOGIN_H

#include "rules/member.h"

#define QR_TOKEN_BYTES	24
#define QR_TOKEN_TEXT	49 /* with the final NUL */
#define QR_SESSION_TEXT 65
#define QR_SESSION_SEC	SEC_PER_DAY

/* A new code, good for so long; sets id, hash and end. `label` and `created_by`
 * are taken from the row. */
int qr_token_make(struct rules *rules, int64_t days, const struct moment *now,
	struct qr_token *token, char ret_text[static QR_TOKEN_TEXT]);
/* The code of a row; -EBADMSG when it is not sealed under our key. */
int qr_token_reveal(const struct rules *rules, const struct qr_token *token,
	char ret_text[static QR_TOKEN_TEXT]);
/* OUTCOME_OK, OUTCOME_QR_UNKNOWN, _QR_REVOKED, _QR_EXPIRED. */
int qr_token_find(struct rules *rules, const char *text,
	const struct moment *now, struct qr_token *ret_token,
	enum outcome *ret_outcome);
/* Codes that end within `before_days`: each gets its successor, which has
 * none itself on its first day. How many did. */
int qr_token_rotate(struct rules *rules, int64_t days, int64_t before_days,
	const struct moment *now);

/* What is known of who logs in; ids, hashes and times are filled in. The texts
 * are the only ones of what was made; `ret_cookie` "" for a guest. */
struct qr_login {
	struct qr_session row;
	char session[QR_SESSION_TEXT];
	char cookie[QR_SESSION_TEXT];
};
int qr_login_start(struct rules *rules, const struct qr_token *token,
	enum role role, const struct moment *now, struct qr_login *login);

/*
 * The login that is shown, and what role it has at this moment: a guest's is
 * ROLE_NONE, another's at most ROLE_STAFF and only with its cookie. `cookie`
 * may be NULL. -ENOENT: it is none, or not any more.
 */
int qr_login_find(struct rules *rules, const char *session, const char *cookie,
	const struct moment *now, struct qr_session *ret_row,
	struct member *ret_member, enum role *ret_role);
/* The same by its cookie alone, for who is more than a guest. */
int qr_login_by_cookie(struct rules *rules, const char *cookie,
	const struct moment *now, struct qr_session *ret_row,
	struct member *ret_member, enum role *ret_role);

#endif
