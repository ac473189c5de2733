/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken for sessions and vouchers. A payment and what it was for change
 * in one transaction: no money without a row, and no row counted twice.
 */
#include "rules/sale.h"

int sale_to_session(struct rules *rules, struct session *session,
	struct payment *payment)
{
	int ret;

	payment->session_id = session->id;
	ret = store_payment_insert(rules->store, payment);
	if (ret)
		return ret;
	session->total_paid_minor += payment->amount_minor;
	return store_session_update(rules->store, session);
}

int sale_redeemed(struct rules *rules, const struct voucher *voucher,
	const struct plan *plan, struct session *session)
{
	int64_t paid = 0;
	int ret = store_payment_bind(
		rules->store, voucher->id, session->id, &paid);

	if (ret == -ENOENT)
		paid = plan->price_minor;
	else if (ret)
		return ret;
	session->total_paid_minor += paid;
	return store_session_update(rules->store, session);
}
