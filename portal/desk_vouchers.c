/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers at the desk: selling one, looking one up, and for managers batches:
 * making, printing, revoking. Codes are in answers only, never in an address,
 * where a browser would remember them.
 */
#include "base/util.h"
#include "desk.h"

static json_t *batches_args(struct request *req)
{
	json_t *args = json_pack("{s:i}", "limit", 25);

	desk_arg_int(&req->query, "after", args, "after");
	return args;
}

static void show_batches(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *batch;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, batch) {
		struct view *row = view_add_row(view, "batches");
		const char *name =
			json_string_value(json_object_get(batch, "batch")) ?: "";

		view_format(row, "batch", "%s", name);
		view_set(row, "batch_escaped", form_escape(&req->arena, name));
		desk_put_text(row, "plan", json_object_get(batch, "plan"));
		desk_put_int(row, "vouchers", json_object_get(batch, "vouchers"));
		desk_put_int(row, "unused", json_object_get(batch, "unused"));
		desk_put_int(row, "used", json_object_get(batch, "used"));
		desk_put_time(
			req, row, "made", json_object_get(batch, "createdAt"));
	}
	view_set_flag(view, "no_batches", at == 0);
	desk_put_next(req, view, reply);
}

const struct desk_page desk_page_vouchers = {"/dashboard/vouchers",
	"desk_vouchers.html", "desk_vouchers", "vouchers.sell",
	{{"plans.list", NULL, desk_put_plans},
		{"batches.list", batches_args, show_batches}}};

void desk_vouchers(struct request *req)
{
	desk_show(req, &desk_page_vouchers);
}

/* One batch: its vouchers. */

static const char *batch_name(struct request *req)
{
	return form_get(&req->query, "name") ?: form_get(&req->form, "name") ?: "";
}

static json_t *batch_args(struct request *req)
{
	json_t *args = json_pack(
		"{s:s, s:i}", "batch", batch_name(req), "limit", 50);

	desk_arg_int(&req->query, "after", args, "after");
	return args;
}

static void put_voucher(
	struct request *req, struct view *view, const json_t *voucher)
{
	const char *state =
		json_string_value(json_object_get(voucher, "state")) ?: "";

	desk_put_text(view, "code", json_object_get(voucher, "code"));
	desk_put_word(req, view, "state", "voucher",
		json_object_get(voucher, "state"));
	view_set_flag(view, "is_unused", !strcmp(state, "unused"));
	desk_put_text(view, "plan", json_object_get(voucher, "plan"));
	desk_put_text(view, "batch", json_object_get(voucher, "batch"));
	desk_put_text(view, "mac", json_object_get(voucher, "usedMac"));
	desk_put_time(req, view, "used", json_object_get(voucher, "usedAt"));
	desk_put_time(req, view, "sold", json_object_get(voucher, "soldAt"));
	desk_put_text(view, "sold_by", json_object_get(voucher, "soldBy"));
	desk_put_time(
		req, view, "expires", json_object_get(voucher, "expiresAt"));
	view_set_flag(view, "refunded",
		json_is_true(json_object_get(voucher, "refunded")));
}

static void show_batch(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *voucher;
	size_t at;

	view_set(view, "batch", batch_name(req));
	view_set(view, "batch_escaped",
		form_escape(&req->arena, batch_name(req)));
	json_array_foreach(json_object_get(reply, "items"), at, voucher)
		put_voucher(req, view_add_row(view, "vouchers"), voucher);
	view_set_flag(view, "none", at == 0);
	desk_put_next(req, view, reply);
}

const struct desk_page desk_page_batch = {"/dashboard/vouchers/batch",
	"desk_batch.html", "desk_batch", "vouchers.list",
	{{"vouchers.list", batch_args, show_batch}}};

void desk_batch(struct request *req)
{
	desk_show(req, &desk_page_batch);
}

/* Answers with a code in them: the page of a sale, and of a look. */

/* The first answer is kept as text: what the arena has goes with the request,
 * also when the browser hangs up meanwhile. */
static void answer_page(struct request *req, const struct outcome *me)
{
	_cleanup_json_ json_t *voucher = NULL;
	const char *text = req->data;
	struct view *view;

	if (me->code || json_parse_object(text, strlen(text), &voucher)) {
		desk_error(req, me);
		return;
	}
	view = desk_view(req, &desk_page_vouchers, me->reply);
	put_voucher(req, view, voucher);
	if (json_object_get(voucher, "paidMinor")) {
		view_set_flag(view, "is_sold", true);
		desk_put_money(req, view, "price", voucher, "paidMinor");
	}
	desk_send(req, 200, "desk_voucher.html", view);
}

static void show_answer(struct request *req, const json_t *voucher)
{
	req->data = desk_keep(req, voucher);
	desk_ask(req, "operators.me", json_object(), answer_page);
}

void desk_show_voucher(struct request *req, const struct outcome *outcome)
{
	show_answer(req, outcome->reply);
}

void desk_show_sold(struct request *req, const struct outcome *outcome)
{
	_cleanup_json_ json_t *voucher = json_copy(json_array_get(
		json_object_get(outcome->reply, "items"), 0));

	if (!voucher)
		voucher = json_object();
	json_object_set(voucher, "paidMinor",
		json_object_get(outcome->reply, "paidMinor"));
	json_object_set(voucher, "currency",
		json_object_get(outcome->reply, "currency"));
	show_answer(req, voucher);
}
