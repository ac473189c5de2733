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
 * Gives what a redeemed voucher was worth, less the time from then until
 * `until_sec`, the last moment that is known of (0: none is). `ret_session_id`
 * is 0 when nothing is left, or the plan is gone.
 */
int recover_voucher(struct rules *rules, const struct spent_voucher *voucher,
	int64_t until_sec, const struct moment *now, int64_t *ret_session_id);

#endif
