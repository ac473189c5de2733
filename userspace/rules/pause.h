/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks that stand: a pause, which the guest or an operator asks for and
 * either ends, and a hold, which only an operator or the token ends. Nothing
 * passes meanwhile and nothing is used up.
 */
#ifndef RULES_PAUSE_H
#define RULES_PAUSE_H

#include "rules/session.h"

/* Of its kind, and not shared: each device has a clock of its own. */
bool credit_may_pause(const struct credit *credit);
/* Of mixed credits the one in use says whether the session may be paused; what
 * waits stands anyway. */
bool account_may_pause(const struct account *account);
/*
 * `by`: SESSION_BY_USER or _OPERATOR; kept. True when it was running and is
 * paused now; paused already is OUTCOME_OK as well. OUTCOME_NOT_PAUSABLE,
 * OUTCOME_SESSION_HELD.
 */
bool account_pause(struct account *account, const char *by,
	const struct moment *now, enum outcome *ret_outcome);
/* True: it was paused and runs now. */
bool account_resume(struct account *account, const char *by,
	const struct moment *now);
/*
 * Holds the session until it is released. `reason` is kept, see struct session.
 * False: it is held already, or has ended.
 */
bool account_hold(struct account *account, const char *reason,
	const struct moment *now);
/* Its clocks go on, unless it was paused before; `by` is told. False: it was not
 * held. */
bool account_release(struct account *account, const char *by,
	const struct moment *now);

/*
 * The same to the client's session, saved. OUTCOME_NOT_FOUND without one,
 * OUTCOME_CLIENT_BLOCKED for a blocked guest's pause; `ret_changed` is written
 * with OUTCOME_OK.
 */
int session_pause(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome);
int session_resume(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome);
int session_hold(struct rules *rules, const struct mac *mac, const char *reason,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome);
int session_release(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome);
/* The client's device was blocked or is not any more: its session, if it has
 * one, hears of it, and its clock goes on. */
int session_blocked(struct rules *rules, const struct mac *mac, bool is_blocked,
	const struct moment *now);
/* Ends the client's session. OUTCOME_NOT_FOUND without one. */
int session_kick(struct rules *rules, const struct mac *mac,
	const struct moment *now, enum outcome *ret_outcome);

#endif
