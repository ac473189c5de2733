/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about money that was taken: the list of it, and sums for the
 * drawer. Staff see what they took themselves; who is above them, everything.
 */
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sentences.h"
#include "rules/sale.h"

static json_t *payment_json(struct gatehoused *g, const struct payment *p)
{
	struct plan plan;
	bool known = p->plan_id &&
		     store_plan_lookup(g->store, p->plan_id, &plan) == 0;

	return json_pack("{s:I, s:o, s:I, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o,"
			 " s:s, s:o, s:o}",
		"id", (json_int_t)p->id, "paidAt", json_time(p->paid_at),
		"amountMinor", (json_int_t)p->amount_minor, "currency",
		p->currency, "method", p->method, "reference",
		json_name(p->reference), "status",
		payment_status_name(p->status), "plan",
		known ? json_string(plan.name) : json_null(), "sessionId",
		p->session_id ? json_integer(p->session_id) : json_null(),
		"voucherId",
		p->voucher_id ? json_integer(p->voucher_id) : json_null(),
		"network", json_name(p->network), "who", p->who, "refundedAt",
		json_time(p->refunded_at), "refundedBy",
		json_name(p->refunded_by));
}

#define SUMS_DAYS 31

/* Whose payments, and of which days. NULL, or the refusal. */
static json_t *filter_of(const struct caller *caller,
	const struct args_payments *a, struct payment_filter *ret_filter)
{
	bool is_staff = caller->role < ROLE_SUPERVISOR;
	json_t *refusal;

	*ret_filter = (struct payment_filter){.until = UNLIMITED};
	refusal = days_of(&a->days, &ret_filter->from, &ret_filter->until);
	if (refusal)
		return refusal;
	if (a->who_set || is_staff)
		ret_filter->who = a->who_set ? a->who : caller->who;
	if (is_staff && strcmp(ret_filter->who, caller->who) != 0)
		return reply_refuse(CTL_not_allowed,
			"What others took can be seen with the role supervisor.");
	return NULL;
}

json_t *op_payments_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_payments *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct payment rows[OPS_LIST_MAX];
	struct payment_filter filter;
	json_t *items, *refusal = filter_of(caller, a, &filter);
	int n, i;

	if (refusal)
		return refusal;
	n = store_payment_list(g->store, &filter,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("payments.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, payment_json(g, &rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_payments_sums(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_payments *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct payment_sum rows[OPS_LIST_MAX];
	struct payment_filter filter;
	json_t *items, *refusal = filter_of(caller, a, &filter);
	int n, i;

	if (refusal)
		return refusal;
	/* All there ever were are too many to be added up while others wait. */
	if (!a->days.from_set)
		filter.from = MAX(clock_wall_sec() - SUMS_DAYS * SEC_PER_DAY, 0);
	n = store_payment_sums(g->store, &filter, a->after, rows, limit);
	if (n < 0)
		return reply_failed("payments.sums", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items,
			json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}",
				"day", rows[i].day, "who", rows[i].who, "method",
				rows[i].method, "currency", rows[i].currency,
				"sales", (json_int_t)rows[i].taken, "takenMinor",
				(json_int_t)rows[i].taken_minor, "refunds",
				(json_int_t)rows[i].refunded, "refundedMinor",
				(json_int_t)rows[i].refunded_minor, "totalMinor",
				(json_int_t)(rows[i].taken_minor -
					     rows[i].refunded_minor)));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(a->after + n) : json_null());
}

json_t *op_payments_refund(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_id *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct payment payment;
	char message[160], money[SENTENCES_MONEY];
	int ret = sale_refund(
		&g->rules, a->id, caller->who, &now, &payment, &outcome);

	snprintf(message, sizeof(message), "payment %lld", (long long)a->id);
	if (!ret && !outcome)
		ret = store_audit(g->store, now.wall_sec, caller->who, "refund",
			NULL, payment.session_id, message);
	if (ret)
		return reply_failed("payments.refund", ret);
	if (outcome)
		return reply_refuse(
			outcome == OUTCOME_NOT_FOUND ? CTL_not_found
						     : CTL_conflict,
			outcome == OUTCOME_NOT_FOUND
				? "There is no such payment; see `gatehousectl "
				  "payments`."
				: "This payment was given back before.");
	snprintf(message, sizeof(message), "Give back %s. %s",
		say_money(money, payment.amount_minor, payment.currency),
		payment.session_id ? "What was left of it is gone."
				   : "The voucher is worthless from now on.");
	return reply_fields("{s:I, s:I, s:s, s:s}", "id", (json_int_t)a->id,
		"amountMinor", (json_int_t)payment.amount_minor, "currency",
		payment.currency, "message", message);
}
