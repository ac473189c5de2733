/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices without a page to type a code in: a guest, or an operator for one,
 * puts a television beside the session of a phone. It gets a session of its own
 * with a share of the credit that the phone uses, as a second device that shows
 * the voucher's code does: the same end, and one group that bounds the bytes
 * and rates of all. How many there may be is the plan's `devices`.
 *
 * Nobody can take a device that is somebody else's: only what has no session,
 * no group, no block and no exemption can be added, and whoever was refused
 * learns no more than that. What was added, and nothing else, may its guest
 * see and take away; a device that bought something itself keeps that.
 */
#ifndef RULES_SHARE_H
#define RULES_SHARE_H

#include "rules/session.h"

/* How many devices may use what this account uses now; 1: no other. */
int share_max(struct rules *rules, struct account *account, int64_t *ret_max);

struct shared {
	int64_t owner_id; /* the session */
	int64_t session_id; /* the device's own */
	int64_t group_id; /* new, or with one device more */
};
/*
 * Puts `device` beside the session of `owner`. OUTCOME_NOT_FOUND (the owner has
 * no session), _NOT_SHAREABLE, _DEVICES_FULL, _DEVICE_TAKEN, _OTHER_NETWORK.
 */
int share_add(struct rules *rules, const struct mac *owner,
	const struct guest *device, const struct moment *now,
	struct shared *ret_shared, enum outcome *ret_outcome);
/* Takes one away again that was added to the session of `owner`; NULL: whoever
 * added it. OUTCOME_NOT_FOUND. */
int share_remove(struct rules *rules, const struct mac *owner,
	const struct mac *device, const struct moment *now,
	struct shared *ret_shared, enum outcome *ret_outcome);

#endif
