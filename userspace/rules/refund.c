/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refunds. A payment knows the credit that it became part of and how much it
 * bought; the credit may have been added up with others, moved, joined or
 * shared since, and used in part. Never more goes than was bought, nor than is
 * left, so no refund takes what another payment bought.
 */
#include "rules/refund.h"

/* Of the credit, at most what was bought. True: there is nothing left of it. */
static bool take(struct credit *credit, const struct payment *bought, int64_t now_ns)
{
	int64_t left_ns = credit_time_left(credit, now_ns);
	int64_t bytes = credit_full_bytes_left(credit);
	bool is_all = bought->bought_ns == UNLIMITED &&
		      bought->bought_bytes == UNLIMITED;

	if (bought->bought_ns != UNLIMITED && left_ns != UNLIMITED) {
		int64_t part = MIN(left_ns, bought->bought_ns);

		is_all |= part == left_ns;
		credit_take_time(credit, part);
	}
	if (bought->bought_bytes != UNLIMITED && bytes != UNLIMITED) {
		int64_t part = MIN(bytes, bought->bought_bytes);

		is_all |= part == bytes && !rates_have_slow(&credit->rates);
		credit->bytes -= part;
	}
	return is_all;
}

/* In one session: of the credit, or of the share of the group. */
static int take_from(struct rules *rules, int64_t session_id,
	const struct credit *which, const struct payment *bought,
	const struct moment *now)
{
	struct account account;
	bool is_over = true;
	int ret = account_load_id(rules, session_id, now, &account), i;

	if (ret || account.session.state == SESSION_ENDED)
		return ret;
	for (i = 0; i < account.count; i++) {
		struct credit *credit = &account.credits[i];
		bool is_it = which->group_id
				     ? credit->group_id == which->group_id
				     : credit->id == which->id;

		if (credit->state != CREDIT_USED && is_it &&
			take(credit, bought, now->mono_ns))
			credit_use_up(credit, now->mono_ns);
		is_over &= credit->state == CREDIT_USED;
	}
	account_change(&account,
		is_over ? SESSION_EVENT_ENDED_BY_REFUND : SESSION_EVENT_REFUNDED,
		SESSION_BY_OPERATOR, now);
	account_settle(&account, now, false);
	return account_save(rules, &account);
}

/* Its session, or that which it joined, cost so much less. */
static int lower_cost(struct rules *rules, const struct payment *payment)
{
	struct session session;
	int ret = store_session_lookup(
		rules->store, payment->session_id, &session);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	session.total_paid_minor =
		MAX(session.total_paid_minor - payment->amount_minor, 0);
	return store_session_update(rules->store, &session);
}

int session_refund(struct rules *rules, const struct payment *payment,
	const struct moment *now, enum outcome *ret_outcome)
{
	struct credit credit, shares[GROUP_DEVICES_MAX];
	int ret, n = 1, i;

	*ret_outcome = OUTCOME_OK;
	ret = payment->credit_id ? store_credit_lookup(rules->store,
					   payment->credit_id, &credit)
				 : -ENOENT;
	if (ret == -ENOENT)
		*ret_outcome = OUTCOME_NOT_FOUND;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	shares[0] = credit;
	if (credit.group_id)
		n = store_credit_shared(rules->store, credit.group_id, shares,
			GROUP_DEVICES_MAX);
	ret = MIN(n, 0);
	for (i = 0; !ret && i < n; i++)
		ret = take_from(rules, shares[i].session_id, &credit, payment, now);
	return ret ? ret : lower_cost(rules, payment);
}
