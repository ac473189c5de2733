/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits once more, from what is known of them besides the store: a redeemed
 * voucher's plan, or what the kernel lets a client use.
 */
#include "rules/recover.h"

#include <string.h>

int recover_voucher(struct rules *rules, const struct spent_voucher *voucher,
	int64_t until_sec, const struct moment *now, int64_t *ret_session_id)
{
	int64_t gone_sec = MAX(until_sec - voucher->at, 0);
	struct credit credit;
	enum outcome outcome;
	struct account account;
	struct plan plan;
	int ret = store_plan_lookup(rules->store, voucher->plan_id, &plan);

	*ret_session_id = 0;
	if (ret || (plan.seconds != UNLIMITED && plan.seconds <= gone_sec))
		return ret == -ENOENT ? 0 : ret;
	credit = credit_of_plan(KIND_VOUCHER, &plan);
	if (credit.left_ns != UNLIMITED)
		credit.left_ns -= gone_sec * NSEC_PER_SEC;
	if (plan.terms.valid_days)
		credit.valid_until =
			voucher->at + plan.terms.valid_days * SEC_PER_DAY;
	ret = account_open(rules, &voucher->mac, now, &account);
	if (!ret)
		ret = account_add(rules, &account, &credit, now, &outcome);
	if (!ret)
		*ret_session_id = account.session.id;
	return ret;
}
