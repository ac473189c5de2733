/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Session tokens (P1, P5): 32 random bytes as 64 hex digits; the store keeps
 * their SHA-256 only, so one that was lost cannot be handed out again: its
 * guest gets another, and the older ones of a session go on to their own end.
 */
#ifndef RULES_TOKEN_H
#define RULES_TOKEN_H

#include "rules/session.h"

#define TOKEN_TEXT 65 /* with the final NUL */
#define TOKENS_MAX 8  /* of one session; the oldest goes */

/* One more token for the account, which is saved; the session notes that one was
 * handed out. */
int token_make(struct rules *rules, struct account *account,
	const struct moment *now, char ret_text[static TOKEN_TEXT]);
/*
 * Hands a token to the client of the session without any proof, which is done
 * once per session (P1). `ret_handed`: there is one in `ret_text`.
 */
int token_claim(struct rules *rules, struct account *account,
	const struct moment *now, bool *ret_handed,
	char ret_text[static TOKEN_TEXT]);

/*
 * The client of the session shows a token at the portal: its time starts anew
 * (P1). `ret_is_good` is false for one that is expired, malformed or another
 * session's; that is left as it is.
 */
int token_show(struct rules *rules, const struct account *account,
	const char *text, const struct moment *now, bool *ret_is_good);

/* The session that a token leads to, ended ones too; -ENOENT without one.
 * Whoever shows the token may know how it ended. */
int token_session(
	struct rules *rules, const char *text, struct session *ret_session);

struct restored {
	struct account account;
	bool migrated;
	bool released; /* it was held until now */
	struct mac from; /* where it was, when migrated */
};
/*
 * The guest shows a token. OUTCOME_SESSION_UNKNOWN, _TOKEN_EXPIRED,
 * _SESSION_USED_UP, _NOT_TRANSFERABLE, _CLIENT_BLOCKED, _CONFLICT,
 * _OTHER_NETWORK. A session that already is on that MAC is left there. One that
 * is held goes on: this is what it waited for.
 */
int token_restore(struct rules *rules, const struct guest *guest, const char *text,
	const struct moment *now, struct restored *ret_restored,
	enum outcome *ret_outcome);

#endif
