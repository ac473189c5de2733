/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A refusal by the rules is not an error: rules return 0 and say so here. The
 * daemon has the sentence and the code of each (include/gatehouse/ctl.h).
 */
#ifndef RULES_OUTCOME_H
#define RULES_OUTCOME_H

#include <stdint.h>

enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_VOUCHER_UNKNOWN,
	OUTCOME_VOUCHER_USED,
	OUTCOME_VOUCHER_EXPIRED,
	OUTCOME_VOUCHER_REVOKED,
	OUTCOME_SESSION_UNKNOWN, /* no session has this token, or this client none */
	OUTCOME_TOKEN_EXPIRED,
	OUTCOME_USED_UP,
	OUTCOME_NOT_TRANSFERABLE,
	OUTCOME_CLIENT_BLOCKED,
	OUTCOME_PLAN_UNKNOWN,
	OUTCOME_NAME_TAKEN,
	OUTCOME_TOO_MANY_CREDITS,
	OUTCOME_NOTHING_TO_DO, /* not possible in this state */
};

/* The time of a decision: both clocks, read once per request. */
struct moment {
	int64_t mono_ns;
	int64_t wall_sec;
};

/* Settings that rules need. */
struct rules {
	int64_t token_days;
	uint8_t lookup_key[32]; /* HMAC of voucher codes */
	uint8_t seal_key[32];   /* seals them */
};

#endif
