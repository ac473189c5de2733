/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about vouchers: making, selling, taking in, looking up, revoking.
 * Codes are in replies to who may sell or manage them only, and in no log line
 * and no audit row.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sheet.h"
#include "rules/sale.h"
#include "rules/voucher.h"

static void add_code(void *data, const char *code)
{
	json_array_append_new(data, json_string(code));
}

static bool is_prefix(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
	       strlen(text);
}

/* "20261121-041500-7F3A": when, and what keeps two of one second apart. */
static void batch_name(int64_t now_sec, char *buf, size_t len)
{
	char text[TIME_TEXT];

	time_format(now_sec, text);
	snprintf(buf, len, "%.4s%.2s%.2s-%.2s%.2s%.2s-%04X", text, text + 5,
		text + 8, text + 11, text + 14, text + 17,
		(unsigned int)crypto_random_below(0x10000));
}

static bool is_batch(struct gatehoused *g, const char *name, int64_t *ret_plan_id)
{
	struct batch batch;

	if (store_batch_lookup(g->store, name, &batch))
		return false;
	*ret_plan_id = batch.plan_id;
	return true;
}

static int create(struct gatehoused *g, const struct caller *caller,
	const struct args_batch *a, const struct plan *plan, char *name,
	size_t len, json_t *codes)
{
	int64_t now = clock_wall_sec();
	const struct voucher_batch batch = {
		.plan = plan,
		.count = a->count_set ? (int)a->count : 1,
		.expires_at = a->expires_set ? now + a->expires_days * SEC_PER_DAY
					     : UNLIMITED,
		.prefix = a->prefix_set ? a->prefix : g->rules.voucher_prefix,
		.batch = name,
		.created_by = caller->who,
	};
	int ret;

	if (a->batch_set)
		snprintf(name, len, "%s", a->batch);
	else
		batch_name(now, name, len);
	ret = voucher_create(&g->rules, &batch, add_code, codes);
	if (ret)
		return ret;
	return store_audit(g->store, now, caller->who, "voucher create", NULL,
		0, name);
}

json_t *op_vouchers_create(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_batch *a = args;
	struct plan plan;
	json_t *codes, *refusal;
	char name[40];
	int64_t other;
	int ret;

	if (a->prefix_set && !is_prefix(a->prefix))
		return reply_refuse(CTL_bad_request,
			"prefix has capital letters and digits only.");
	if (a->batch_set && is_batch(g, a->batch, &other))
		return reply_refuse(CTL_conflict,
			"There is a batch \"%s\" already; see `gatehousectl "
			"batch list`.",
			a->batch);
	refusal = find_plan(g, a->plan, &plan);
	if (refusal)
		return refusal;
	codes = json_array();
	ret = create(g, caller, a, &plan, name, sizeof(name), codes);
	if (ret) {
		json_decref(codes);
		return reply_failed("vouchers.create", ret);
	}
	return reply_fields("{s:s, s:o}", "batch", name, "codes", codes);
}

static json_t *voucher_json(
	struct gatehoused *g, const struct voucher *voucher, int64_t now)
{
	const char *state = voucher_state_name(voucher->state);
	char code[VOUCHER_CODE];
	bool known = voucher_reveal(&g->rules, voucher, code) == 0;
	bool sold = voucher->payment_id != 0;

	if (voucher->state == VOUCHER_UNUSED && voucher->expires_at <= now)
		state = "expired";
	return json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o,"
			 " s:o, s:o, s:o, s:b}",
		"id", (json_int_t)voucher->id, "code",
		known ? json_string(code) : json_null(), "state", state, "plan",
		voucher->plan_name, "batch", voucher->batch, "expiresAt",
		json_time(voucher->expires_at), "usedAt",
		json_time(voucher->used_at), "usedMac",
		voucher->used_at ? json_mac(&voucher->used_mac) : json_null(),
		"createdAt", json_time(voucher->created_at), "createdBy",
		voucher->created_by, "soldAt", json_time(voucher->paid_at),
		"soldMinor",
		sold ? json_integer(voucher->paid_minor) : json_null(), "soldBy",
		json_name(voucher->paid_to), "paymentId",
		sold ? json_integer(voucher->payment_id) : json_null(),
		"refunded", voucher->is_refunded);
}

json_t *op_vouchers_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct voucher rows[OPS_LIST_MAX];
	enum voucher_state state = VOUCHER_UNUSED;
	int64_t now = clock_wall_sec();
	json_t *items;
	int n, i;

	if (a->state_set && voucher_state_parse(a->state, &state))
		return reply_refuse(CTL_bad_request,
			"state is unused, used or revoked.");
	n = store_voucher_list(g->store, a->state_set ? (int)state : -1,
		a->batch_set ? a->batch : NULL, a->after, rows, limit);
	if (n < 0)
		return reply_failed("vouchers.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, voucher_json(g, &rows[i], now));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

/* By whom, and who has its session now. */
static json_t *was_used(struct gatehoused *g, const struct voucher *voucher)
{
	char by[MAC_TEXT], mac[MAC_TEXT];
	struct session session;

	mac_format(&voucher->used_mac, by);
	if (store_session_lookup(g->store, voucher->session_id, &session) ||
		session.state == SESSION_ENDED)
		return reply_refuse(CTL_voucher_used,
			"This code was used by %s, and its session has ended.",
			by);
	return reply_refuse(CTL_voucher_used,
		"This code was used by %s; `gatehousectl kick %s` ends its "
		"session.",
		by, mac_format(&session.mac, mac));
}

/* What a guest is told of a code does not help an operator. */
static json_t *not_revoked(struct gatehoused *g, const struct voucher *voucher,
	enum outcome outcome)
{
	if (outcome == OUTCOME_VOUCHER_USED)
		return was_used(g, voucher);
	if (outcome == OUTCOME_VOUCHER_REVOKED)
		return reply_refuse(CTL_voucher_revoked,
			"This code was revoked before.");
	return reply_refuse(CTL_voucher_unknown,
		"There is no such code; see `gatehousectl voucher list`.");
}

static json_t *revoke_batch(struct gatehoused *g, const struct caller *caller,
	const char *batch)
{
	int64_t count = 0, plan_id;
	char detail[80];
	int ret;

	if (!is_batch(g, batch, &plan_id))
		return reply_refuse(CTL_not_found,
			"There is no batch \"%s\"; see `gatehousectl batch "
			"list`.",
			batch);
	ret = store_voucher_revoke_batch(g->store, batch, &count);
	snprintf(detail, sizeof(detail), "%lld of %s", (long long)count, batch);
	if (!ret)
		ret = audit_now(g, caller, "voucher revoke", NULL, detail);
	if (ret)
		return reply_failed("vouchers.revoke", ret);
	snprintf(detail, sizeof(detail),
		"%lld unused codes are revoked: nobody can use them any more.",
		(long long)count);
	return reply_fields("{s:I, s:s}", "revoked", (json_int_t)count,
		"message", detail);
}

static json_t *revoke_one(struct gatehoused *g, const struct caller *caller,
	const char *code)
{
	enum outcome outcome = OUTCOME_OK;
	struct voucher voucher;
	char detail[80];
	int ret = voucher_revoke(&g->rules, code, &voucher, &outcome);

	if (!ret && !outcome) {
		/* Not the code: the audit is for more eyes. */
		snprintf(detail, sizeof(detail), "voucher %lld of %s",
			(long long)voucher.id, voucher.batch);
		ret = audit_now(g, caller, "voucher revoke", NULL, detail);
	}
	if (ret)
		return reply_failed("vouchers.revoke", ret);
	if (outcome)
		return not_revoked(g, &voucher, outcome);
	return reply_fields("{s:i, s:s}", "revoked", 1, "message",
		"The code is revoked: nobody can use it any more.");
}

json_t *op_vouchers_revoke(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_revoke *a = args;

	if (a->code_set == a->batch_set)
		return reply_refuse(
			CTL_bad_request, "Give either a code or a batch.");
	return a->code_set ? revoke_one(g, caller, a->code)
			   : revoke_batch(g, caller, a->batch);
}

json_t *op_batches_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct batch rows[OPS_LIST_MAX];
	json_t *items;
	int n = store_batch_list(g->store,
		a->after_set ? a->after : UNLIMITED, rows, limit), i;

	if (n < 0)
		return reply_failed("batches.list", n);
	items = json_array();
	for (i = 0; i < n; i++) {
		const struct batch *b = &rows[i];

		json_array_append_new(items,
			json_pack("{s:s, s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I,"
				  " s:I, s:I}",
				"batch", b->name, "plan", b->plan_name,
				"createdAt", json_time(b->created_at),
				"createdBy", b->created_by, "expiresAt",
				json_time(b->expires_at), "vouchers",
				(json_int_t)(b->unused + b->used + b->revoked),
				"unused",
				(json_int_t)b->unused, "used",
				(json_int_t)b->used, "revoked",
				(json_int_t)b->revoked, "sold",
				(json_int_t)b->sold, "soldMinor",
				(json_int_t)b->sold_minor));
	}
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

/* What is taken in of one frame; the rest of the file comes in others. */
static int take_in(struct gatehoused *g, const struct voucher_batch *batch,
	char *codes, json_t *reply)
{
	json_t *refused = json_array();
	char *rest = codes, *word;
	json_int_t counts[2] = {0}, weak = 0; /* added, known */
	int ret = 0;

	while (!ret && (word = strsep(&rest, " "))) {
		enum outcome outcome = OUTCOME_OK;

		if (!*word)
			continue;
		ret = voucher_import(&g->rules, batch, word, &outcome);
		if (ret == -EINVAL) {
			json_array_append_new(refused, json_string(word));
			ret = 0;
			continue;
		}
		counts[outcome == OUTCOME_CONFLICT]++;
		weak += voucher_bits(word) < VOUCHER_BITS_MIN;
	}
	json_object_set_new(reply, "added", json_integer(counts[0]));
	json_object_set_new(reply, "known", json_integer(counts[1]));
	json_object_set_new(reply, "weak", json_integer(weak));
	json_object_set_new(reply, "refused", refused);
	return ret;
}

json_t *op_vouchers_import(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_import *a = args;
	int64_t now = clock_wall_sec(), plan_id;
	struct plan plan;
	struct voucher_batch batch = {
		.plan = &plan,
		.expires_at = a->expires_set ? now + a->expires_days * SEC_PER_DAY
					     : UNLIMITED,
		.batch = a->batch,
		.created_by = caller->who,
	};
	json_t *reply = find_plan(g, a->plan, &plan);
	char codes[OPS_IMPORT_MAX + 1];
	int ret;

	if (reply)
		return reply;
	if (is_batch(g, a->batch, &plan_id) && plan_id != plan.id)
		return reply_refuse(CTL_conflict,
			"The batch \"%s\" is of another plan; see "
			"`gatehousectl batch list`.",
			a->batch);
	memcpy(codes, a->codes, sizeof(codes));
	reply = reply_fields("{s:s, s:s}", "batch", a->batch, "plan", plan.name);
	ret = take_in(g, &batch, codes, reply);
	if (!ret)
		ret = store_audit(g->store, now, caller->who, "voucher import",
			NULL, 0, a->batch);
	if (!ret)
		return reply;
	json_decref(reply);
	return reply_failed("vouchers.import", ret);
}

json_t *op_vouchers_sheet(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_sheet *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT, n, i;
	struct voucher rows[OPS_LIST_MAX];
	int64_t now = clock_wall_sec(), plan_id;
	struct plan plan;
	json_t *reply;

	if (!is_batch(g, a->batch, &plan_id))
		return reply_refuse(CTL_not_found,
			"There is no batch \"%s\"; see `gatehousectl batch "
			"list`.",
			a->batch);
	n = store_plan_lookup(g->store, plan_id, &plan);
	if (!n)
		n = store_voucher_list(g->store, VOUCHER_UNUSED, a->batch,
			a->after, rows, limit);
	if (n < 0)
		return reply_failed("vouchers.sheet", n);
	reply = sheet_reply(g, &plan, a->network_set ? a->network : NULL);
	for (i = 0; reply_is_ok(reply) && i < n; i++)
		if (rows[i].expires_at > now)
			sheet_add(g, reply, &rows[i], &plan);
	if (reply_is_ok(reply))
		json_object_set_new(reply, "next",
			n == limit ? json_integer(rows[n - 1].id) : json_null());
	return reply;
}

/* Sold vouchers of one day are together; nobody looks for a batch of one. */
static int make_one(struct gatehoused *g, const struct caller *caller,
	const struct plan *plan, int64_t now, json_t *codes)
{
	struct voucher_batch batch = {
		.plan = plan,
		.count = 1,
		.expires_at = UNLIMITED,
		.prefix = g->rules.voucher_prefix,
		.created_by = caller->who,
	};
	char text[TIME_TEXT], name[40];

	time_format(now, text);
	snprintf(name, sizeof(name), "desk-%.4s%.2s%.2s-%lld", text, text + 5,
		text + 8, (long long)plan->id);
	batch.batch = name;
	return voucher_create(&g->rules, &batch, add_code, codes);
}

/* Why a code cannot be sold. */
static json_t *not_sold(struct gatehoused *g, const struct voucher *voucher,
	enum outcome outcome)
{
	if (outcome == OUTCOME_CONFLICT)
		return reply_refuse(CTL_conflict,
			"This code was sold before, by %s; see `gatehousectl "
			"voucher show`.",
			voucher->paid_to);
	if (outcome == OUTCOME_VOUCHER_USED)
		return was_used(g, voucher);
	return reply_outcome(outcome);
}

static int record_sale(struct gatehoused *g, const struct caller *caller,
	const struct voucher *voucher, struct payment *payment,
	enum outcome *ret_outcome)
{
	char detail[80];
	int ret = sale_of_voucher(&g->rules, voucher, payment, ret_outcome);

	snprintf(detail, sizeof(detail), "voucher %lld of %s",
		(long long)voucher->id, voucher->batch);
	if (!ret && !*ret_outcome)
		ret = store_audit(g->store, payment->paid_at, caller->who,
			"voucher sell", NULL, 0, detail);
	return ret;
}

/* The voucher that is to be sold, and its plan. NULL, or the refusal. */
static json_t *to_be_sold(struct gatehoused *g, const struct caller *caller,
	const struct args_sell *a, int64_t now, struct plan *plan,
	struct voucher *voucher)
{
	_cleanup_json_ json_t *codes = json_array();
	enum outcome outcome = OUTCOME_OK;
	const char *code = a->code;
	json_t *refusal;
	int ret = 0;

	if (a->plan_set == a->code_set)
		return reply_refuse(
			CTL_bad_request, "Give either a plan or a code.");
	if (a->plan_set) {
		refusal = find_plan(g, a->plan, plan);
		if (refusal)
			return refusal;
		/* Time for nothing, as much as one likes: a member's, say. */
		if (!plan->price_minor && caller->role < ROLE_SUPERVISOR)
			return reply_refuse(CTL_not_allowed,
				"A voucher of a plan without a price needs the "
				"role supervisor.");
		ret = make_one(g, caller, plan, now, codes);
		if (!ret)
			code = json_string_value(json_array_get(codes, 0));
	}
	if (!ret)
		ret = voucher_find(&g->rules, code, now, voucher, &outcome);
	if (!ret && !outcome && a->code_set)
		ret = store_plan_lookup(g->store, voucher->plan_id, plan);
	if (ret)
		return reply_failed("vouchers.sell", ret);
	return outcome ? not_sold(g, voucher, outcome) : NULL;
}

json_t *op_vouchers_sell(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_sell *a = args;
	struct payment payment = {
		.paid_at = clock_wall_sec(),
		.method = SALE_CASH,
	};
	enum outcome outcome = OUTCOME_OK;
	struct voucher voucher;
	json_t *reply;
	struct plan plan;
	int ret;

	reply = to_be_sold(g, caller, a, payment.paid_at, &plan, &voucher);
	if (reply)
		return reply;
	payment.amount_minor = a->paid_set ? a->paid_minor : plan.price_minor;
	if (payment.amount_minor != plan.price_minor &&
		caller->role < ROLE_SUPERVISOR)
		return reply_refuse(CTL_not_allowed,
			"Another price than the plan's needs the role "
			"supervisor.");
	memcpy(payment.currency, plan.currency, sizeof(payment.currency));
	snprintf(payment.who, sizeof(payment.who), "%s", caller->who);
	ret = record_sale(g, caller, &voucher, &payment, &outcome);
	if (ret)
		return reply_failed("vouchers.sell", ret);
	if (outcome)
		return not_sold(g, &voucher, outcome);
	reply = sheet_reply(g, &plan, a->network_set ? a->network : NULL);
	if (!reply_is_ok(reply))
		return reply;
	sheet_add(g, reply, &voucher, &plan);
	json_object_set_new(reply, "paymentId", json_integer(payment.id));
	json_object_set_new(
		reply, "paidMinor", json_integer(payment.amount_minor));
	json_object_set_new(reply, "currency", json_string(payment.currency));
	json_object_set_new(reply, "batch", json_string(voucher.batch));
	return reply;
}

/* One thing that happened to a voucher. */
static void tell(json_t *history, int64_t at, const char *what, const char *who,
	const struct mac *mac, const char *detail)
{
	json_array_append_new(history,
		json_pack("{s:o, s:s, s:o, s:o, s:o}", "at", json_time(at),
			"what", what, "who", json_name(who), "mac",
			mac ? json_mac(mac) : json_null(), "detail",
			json_name(detail)));
}

#define HISTORY_MAX 60 /* they fit into a frame */

/* What was before, of a session that it was added to, is not its own; that it
 * was redeemed is told already. */
static bool is_since(const struct audit *audit, const struct voucher *voucher)
{
	return audit->at > voucher->used_at ||
	       (audit->at == voucher->used_at &&
		       strcmp(audit->operation, "activate") != 0);
}

/* From the session that it became: redeemed, by others that joined it, moved,
 * held, ended. */
static int tell_session(
	struct gatehoused *g, const struct voucher *voucher, json_t *history)
{
	static const struct mac nobody;
	struct audit rows[HISTORY_MAX];
	struct session session;
	int n = store_audit_list(
		g->store, voucher->session_id, rows, HISTORY_MAX), i;

	for (i = 0; i < n; i++)
		if (is_since(&rows[i], voucher))
			tell(history, rows[i].at, rows[i].operation, rows[i].who,
				mac_equal(&rows[i].mac, &nobody) ? NULL
								 : &rows[i].mac,
				rows[i].detail);
	if (n < 0)
		return n;
	n = store_session_lookup(g->store, voucher->session_id, &session);
	if (!n && session.state == SESSION_ENDED)
		tell(history, session.ended_at, "session ended", "",
			&session.mac, session.end_reason);
	return n == -ENOENT ? 0 : n;
}

static int tell_all(
	struct gatehoused *g, const struct voucher *voucher, json_t *history)
{
	struct payment payment;
	int ret = 0;

	tell(history, voucher->created_at, "made", voucher->created_by, NULL,
		voucher->batch);
	if (voucher->payment_id)
		tell(history, voucher->paid_at, "sold", voucher->paid_to, NULL, "");
	if (voucher->used_at)
		tell(history, voucher->used_at, "redeemed", "",
			&voucher->used_mac, "");
	if (voucher->session_id)
		ret = tell_session(g, voucher, history);
	if (!ret && voucher->is_refunded)
		ret = store_payment_lookup(
			g->store, voucher->payment_id, &payment);
	if (!ret && voucher->is_refunded)
		tell(history, payment.refunded_at, "given back",
			payment.refunded_by, NULL, "");
	return ret;
}

json_t *op_vouchers_get(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_code *a = args;
	struct moment now = moment_now();
	json_t *reply, *voucher, *history = json_array();
	enum outcome outcome = OUTCOME_OK;
	struct session session;
	struct voucher row;
	int ret = voucher_find(&g->rules, a->code, now.wall_sec, &row, &outcome);

	if (!ret && outcome != OUTCOME_VOUCHER_UNKNOWN)
		ret = tell_all(g, &row, history);
	if (ret || outcome == OUTCOME_VOUCHER_UNKNOWN) {
		json_decref(history);
		return ret ? reply_failed("vouchers.get", ret)
			   : not_revoked(g, &row, OUTCOME_VOUCHER_UNKNOWN);
	}
	reply = reply_ok();
	voucher = voucher_json(g, &row, now.wall_sec);
	json_object_update(reply, voucher);
	json_decref(voucher);
	json_object_set_new(reply, "session",
		row.session_id && !store_session_lookup(
					  g->store, row.session_id, &session)
			? session_json(g, &session, &now)
			: json_null());
	json_object_set_new(reply, "history", history);
	return reply;
}
