/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session goes from one MAC to another. */
#ifndef RULES_MOVE_H
#define RULES_MOVE_H

#include "rules/session.h"

/*
 * Takes the credits marked in `moves`, at least one, to `mac` and saves all
 * that changes; what that client has queues behind them, but for a clock that
 * runs and has no pause. `moves` has CREDITS_MAX places and may be changed.
 * OUTCOME_CONFLICT when both together are too many.
 */
int account_move(struct rules *rules, struct account *account,
	const struct mac *mac, bool *moves, const struct moment *now,
	enum outcome *ret_outcome);

/*
 * Moves the session of one client to another by an operator's word: every
 * credit goes, whatever its kind. OUTCOME_NOT_FOUND without a session,
 * OUTCOME_CONFLICT.
 */
int session_move(struct rules *rules, const struct mac *from,
	const struct mac *to, const struct moment *now, enum outcome *ret_outcome);

#endif
