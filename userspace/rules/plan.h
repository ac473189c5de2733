/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans, and time that an operator gives by hand. */
#ifndef RULES_PLAN_H
#define RULES_PLAN_H

#include "rules/session.h"

/* The plans of a new box (requirements: N2), unless there are any. */
int plan_defaults(struct store *store, const char *currency, const struct moment *now);
/* OUTCOME_NAME_TAKEN when another has the name. Sets plan->id. */
int plan_add(struct store *store, struct plan *plan, const char *who,
	const struct moment *now, enum outcome *ret_outcome);
/* The credit that a plan is worth. */
struct credit plan_credit(const struct plan *plan, enum kind kind);

/*
 * An operator gives a client time (seconds > 0; bytes UNLIMITED: no limit) or
 * takes it away (seconds < 0). `plan` not NULL: a whole plan instead.
 */
int manual_allow(struct store *store, const struct mac *mac, int64_t seconds,
	int64_t bytes, const char *plan, const char *who,
	const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome);

/* Blocks or unblocks a client; its session stays and its clock runs. */
int client_block(struct store *store, const struct mac *mac, bool blocked,
	const char *who, const struct moment *now, const struct touched *touched);
/* Name and note of a client; NULL: leave. */
int client_describe(struct store *store, const struct mac *mac,
	const char *name, const char *note, const char *who,
	const struct moment *now);

#endif
