/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests have when the store is older than they are: it is a backup, and
 * spent.log and the kernel's records know better. Time goes to the guest where
 * nobody knows; nothing that was spent can be spent again.
 */
#ifndef RULES_RECOVER_H
#define RULES_RECOVER_H

#include "rules/session.h"
#include "store/spent.h"

/*
 * Gives what a redeemed voucher, or a plan bought by coin, was worth, less the time from then until
 * `until_sec`, the last moment that is known of (0: none is). `ret_session_id`
 * is 0 when nothing is left, or the plan is gone.
 */
int recover_voucher(struct rules *rules, const struct spent_voucher *voucher,
	int64_t until_sec, const struct moment *now, int64_t *ret_session_id);

/* What the kernel lets a client do: its record. */
struct recover_client {
	struct mac mac;
	enum session_state state; /* not SESSION_ENDED */
	/* Of one that runs; of others what is left. UNLIMITED: no end. */
	int64_t deadline_ns;
	int64_t bytes_left;  /* UNLIMITED */
	enum counts counts;  /* which bytes those are */
	struct rates rates;  /* of a session that the store does not know */
	int64_t record_id, raw_up, raw_down;
};
/*
 * The client's session as the record has it: the end of the credit in use, its
 * bytes, whether it runs. One that the store does not know is made, of kind
 * manual, as nobody knows what was bought. The record stays the client's own.
 */
int recover_client(struct rules *rules, const struct recover_client *client,
	const struct moment *now);
/* The store has a session, and the kernel no record of it: it was over. */
int recover_absent(
	struct rules *rules, const struct mac *mac, const struct moment *now);

#endif
