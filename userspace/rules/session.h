/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's life. It is a list of credits used in the order bought; the
 * credit in use has the clock. What may happen in which state is one table
 * (session.c), the same for all kinds; what differs by kind is kind.h.
 *
 * All functions run inside the caller's transaction and write their audit row
 * in it. Clients whose access may have changed are reported by `touched`.
 */
#ifndef RULES_SESSION_H
#define RULES_SESSION_H

#include "rules/outcome.h"
#include "store/store.h"

/* Credits of one session, used up ones too. */
#define SESSION_CREDITS_MAX 128

/* Told for every client whose grant must be looked at again; may be NULL. */
struct touched {
	void (*fn)(void *data, const struct mac *mac);
	void *data;
};

/* A session as people see it. */
struct session_view {
	struct session session;
	enum kind kind;       /* of the credit in use, or the next */
	char plan[STORE_NAME];
	int64_t remaining_ns; /* sum of the credits; UNLIMITED */
	int64_t bytes_left;   /* sum; UNLIMITED */
	int64_t bytes_up;     /* all used, as counted so far */
	int64_t bytes_down;
	int64_t expires_at;   /* wall, if it runs on; 0: no end or standing */
	int credits;
};

/* -ENOENT: this client has no live session. */
int session_view(struct store *store, const struct mac *mac,
	const struct moment *now, struct session_view *ret_view);
int session_view_of(struct store *store, const struct session *session,
	const struct moment *now, struct session_view *ret_view);
/* Adds what the kernel counted since: `raw_*` now, beside the record's row. */
void session_view_add(struct session_view *view, const struct record *record,
	int64_t raw_up, int64_t raw_down);

/*
 * Gives `credit` (id, session, position and state are set here) to a client:
 * starts a session, or extends the one that it has. Same kind and plan adds
 * up into the last credit; otherwise it waits its turn. `paid_minor` adds to
 * the session's total.
 */
int session_give(struct store *store, const struct mac *mac,
	const struct credit *credit, int64_t paid_minor, const struct rules *rules,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome, struct session *ret_session);

/* Takes seconds away from the end of the list, never below 0. */
int session_take(struct store *store, const struct mac *mac, int64_t seconds,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome);

/* Ends the session of a client; `reason` is kept. */
int session_end(struct store *store, const struct mac *mac, const char *reason,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome);

int session_pause(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome);
int session_resume(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome);

/*
 * Brings one session up to date: a credit that is past its end or without
 * bytes is used up, the next begins now, or the session ends. Every function
 * here does it first for the sessions that it is about.
 */
int session_settle(struct store *store, struct session *session,
	const struct moment *now, const struct touched *touched);

/*
 * Settles all sessions whose clock has run out: the kernel has ended them
 * already. Those that ran out of bytes: session_settle_client() when counted.
 */
int session_settle_due(struct store *store, const struct moment *now,
	const struct touched *touched);

int session_settle_client(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched);

/*
 * Moves to another client. By an operator everything moves; by token only
 * credits that may, the rest stays with the old client. What the new client
 * had already is appended, so the sum is kept.
 */
int session_move(struct store *store, const struct mac *from,
	const struct mac *to, bool by_token, const struct rules *rules,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome);

/*
 * Restore by token (requirements: P5). `ret_migrated`: it moved to `mac`; for
 * the client that holds it already, false.
 */
int session_restore(struct store *store, const char *token,
	const struct mac *mac, const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome, bool *ret_migrated);

#endif
