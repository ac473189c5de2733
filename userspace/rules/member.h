/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a member has of the network (U4, U9): the plan of its role, from the
 * check-in to the check-out, for so many devices at once, which share what the
 * plan gives in one group. Who it is was proven before.
 */
#ifndef RULES_MEMBER_H
#define RULES_MEMBER_H

#include "rules/session.h"
#include "rules/token.h"
#include "store/members.h"

/* Of a place that is full, a device gives way that was silent for so long. */
#define MEMBER_SILENT_NS (600 * NSEC_PER_SEC)

/* Does the day of its stay say that it may be online? */
bool member_is_staying(const struct member *member, int64_t now_sec);

/* Does a guest's row ask for more than the identity? */
bool member_has_proof(const struct member *member);
/* ... for the last name and the room? */
bool member_proof_is_both(const struct member *member);
/* Is it the last name, the room, or, where both are known, both, in any order?
 * Letters and digits count, capitals do not; how long it takes says nothing. */
bool member_proof_is(const struct rules *rules, const struct member *member,
	const char *secret);

struct admitted {
	struct account account;
	char token[TOKEN_TEXT];
	int64_t group_id; /* new, or with one device more; 0: none */
	struct mac from; /* of a device that gave way; zero: none did */
	bool is_new;	 /* a plan was given, no device joined */
};
/*
 * Brings the guest's device online for a member, or for somebody unknown (whose
 * id is 0), under that plan unless it has one already. OUTCOME_CLIENT_BLOCKED,
 * _SESSION_HELD (by another's session), _OTHER_NETWORK, _DEVICES_FULL,
 * _SESSION_USED_UP (the bytes, and the plan's time is not over), _CONFLICT.
 */
int member_admit(struct rules *rules, const struct guest *guest,
	struct member *member, const struct plan *plan,
	const struct moment *now, struct admitted *ret_admitted,
	enum outcome *ret_outcome);

/* The member's days or devices were changed, or `is_gone` and all of it ends:
 * what it has follows. `fn` gets each device that is concerned. */
int member_settle(struct rules *rules, const struct member *member,
	bool is_gone, const struct moment *now,
	void (*fn)(void *data, const struct mac *mac), void *data);

#endif
