/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free time (P8): a plan that costs nothing, once per device and local day. A
 * device may call itself anything, so addresses that are made up have it so
 * many times an hour on each network, and its rate is low.
 */
#ifndef RULES_FREE_H
#define RULES_FREE_H

#include "rules/session.h"
#include "rules/token.h"

struct free_terms {
	const char *plan; /* its name; "": there is no free time */
	int64_t kbps; /* the most, up and down */
	int64_t random_per_hour;
};

/* What this guest would get now. OUTCOME_FREE_*, _CLIENT_BLOCKED,
 * _SESSION_HELD, _OTHER_NETWORK. */
int free_offer(struct rules *rules, const struct guest *guest,
	const struct free_terms *terms, const struct moment *now,
	struct plan *ret_plan, enum outcome *ret_outcome);

struct freed {
	struct account account;
	char token[TOKEN_TEXT];
};
/* Gives it. */
int free_take(struct rules *rules, const struct guest *guest,
	const struct free_terms *terms, const struct moment *now,
	struct freed *ret_freed, enum outcome *ret_outcome);

#endif
