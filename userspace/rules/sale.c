/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken for sessions and vouchers. A payment and what it was for change
 * in one transaction: no money without a row, and no row counted twice.
 */
#include "rules/sale.h"

#include "rules/refund.h"

/* What account_add() made of it, for a refund. */
static void bought(const struct account *account, struct payment *payment)
{
	payment->session_id = account->session.id;
	payment->credit_id = account->added.credit_id;
	payment->bought_ns = account->added.ns;
	payment->bought_bytes = account->added.bytes;
}

int sale_to_session(struct rules *rules, struct account *account,
	struct payment *payment)
{
	int ret;

	bought(account, payment);
	ret = store_payment_insert(rules->store, payment);
	if (ret)
		return ret;
	account->session.total_paid_minor += payment->amount_minor;
	return store_session_update(rules->store, &account->session);
}

int64_t sale_price(const struct voucher *voucher, const struct plan *plan)
{
	return voucher->payment_id ? voucher->paid_minor : plan->price_minor;
}

int sale_redeemed(struct rules *rules, const struct voucher *voucher,
	const struct account *account)
{
	struct payment payment = {.id = 0};

	if (!voucher->payment_id)
		return 0;
	bought(account, &payment);
	return store_payment_bind(rules->store, voucher->id, &payment);
}

int sale_of_voucher(struct rules *rules, const struct voucher *voucher,
	struct payment *payment, enum outcome *ret_outcome)
{
	*ret_outcome = OUTCOME_OK;
	if (voucher->payment_id) {
		*ret_outcome = OUTCOME_CONFLICT;
		return 0;
	}
	payment->plan_id = voucher->plan_id;
	payment->voucher_id = voucher->id;
	return store_payment_insert(rules->store, payment);
}

/* What it bought: a voucher that is still a voucher, or part of a session. */
static int take_back(
	struct rules *rules, const struct payment *payment, const struct moment *now)
{
	enum outcome outcome = OUTCOME_OK;
	int ret = payment->voucher_id
			  ? store_voucher_revoke(rules->store, payment->voucher_id)
			  : -ENOENT;

	/* Used, or revoked already. What is used up is nobody's any more. */
	return ret == -ENOENT ? session_refund(rules, payment, now, &outcome)
			      : ret;
}

int sale_refund(struct rules *rules, int64_t id, const char *who,
	const struct moment *now, struct payment *ret_payment,
	enum outcome *ret_outcome)
{
	int ret = store_payment_lookup(rules->store, id, ret_payment);

	if (ret == -ENOENT || (!ret && ret_payment->status == PAYMENT_REFUNDED)) {
		*ret_outcome = ret ? OUTCOME_NOT_FOUND : OUTCOME_CONFLICT;
		return 0;
	}
	*ret_outcome = OUTCOME_OK;
	if (!ret)
		ret = take_back(rules, ret_payment, now);
	return ret ? ret
		   : store_payment_refund(
			     rules->store, id, now->wall_sec, who);
}
