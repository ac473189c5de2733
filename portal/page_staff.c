/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of staff on the guests' instance, for who logged in by the QR code
 * with a PIN (docs/design.md 6.7, U7): guests' devices, a little time, a pause, a
 * move, a voucher. Each request shows the connection of the phone and the half of
 * the login that only this browser has; what staff may, the daemon decides.
 *
 * A connection proves one request, so a page asks one thing: a form that was
 * carried out, or refused, leads back to the device's page, which says so.
 */
#include "base/mac.h"
#include "base/util.h"
#include "locale.h"
#include "pages.h"
#include "qr_login.h"
#include "response.h"

#define LIST_LIMIT 25

static const char *price(
	struct request *req, const json_t *minor, const char *currency)
{
	return lang_money(
		&req->arena, req->lang, json_integer_value(minor), currency);
}

/* Not logged in as staff, or not any more. */
static void to_login(struct request *req)
{
	response_redirect(req, 303, "/login");
}

/* `args` is taken. */
static void ask(
	struct request *req, const char *op, json_t *args, operation_fn *fn)
{
	struct qr_cookie cookie;

	if (!qr_cookie_read(req, &cookie) || !cookie.secret[0]) {
		json_decref(args);
		to_login(req);
		return;
	}
	operation_start_member(req, op, args,
		arena_copy(&req->arena, cookie.secret, CTL_TOKEN_LEN), fn);
}

/* Why something was refused, in the words of these pages; their own for what
 * means something else elsewhere. */
static const char *sentence_of(const struct request *req, const char *code)
{
	static const struct {
		const char *code, *key;
	} own[] = {
		{"not_found", "staff_not_found"},
		{"not_allowed", "staff_not_allowed"},
		{"bad_request", "staff_bad_request"},
		{"conflict", "staff_conflict"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(own[i].code, code))
			return lang_text(req->lang, own[i].key);
	return page_sentence(req, code, lang_text(req->lang, "sorry"));
}

/* True: it was refused, and that was said. */
static bool is_over(struct request *req, const struct outcome *outcome)
{
	if (!outcome->code)
		return false;
	if (outcome->status == 401) {
		qr_cookie_delete(req);
		to_login(req);
	} else if (outcome->status >= 500) {
		page_outcome_error(req, outcome);
	} else {
		struct view *view = page_view(req);

		view_set(view, "error", sentence_of(req, outcome->code));
		view_set_flag(view, "refused", true);
		page_send(req, outcome->status, "staff_client.html", view);
	}
	return true;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

/* "paused" of "state_paused". */
static const char *state_text(const struct request *req, const json_t *client)
{
	char key[48];

	snprintf(key, sizeof(key), "state_%s", text_of(client, "state"));
	return lang_text(req->lang, key);
}

static void set_client(
	struct request *req, struct view *view, const json_t *client)
{
	const json_t *seconds = json_object_get(client, "remainingSeconds");
	bool has_session = !json_is_null(json_object_get(client, "sessionId"));

	view_format(view, "mac", "%s", text_of(client, "mac"));
	view_format(view, "name", "%s", text_of(client, "name"));
	view_set(view, "state_text", state_text(req, client));
	view_format(view, "plan", "%s", text_of(client, "plan"));
	if (has_session && json_is_integer(seconds))
		view_set(view, "left",
			lang_duration(&req->arena, req->lang,
				json_integer_value(seconds)));
}

/* Not only those that are online. */
static bool is_all(const struct request *req)
{
	const char *search = form_get(&req->query, "q");

	return (search && *search) || form_get(&req->query, "all");
}

static void on_clients(struct request *req, const struct outcome *outcome)
{
	const char *search = form_get(&req->query, "q");
	const json_t *client, *next;
	struct view *view;
	size_t at;

	if (is_over(req, outcome))
		return;
	view = page_view(req);
	json_array_foreach(json_object_get(outcome->reply, "items"), at, client)
		set_client(req, view_add_row(view, "clients"), client);
	view_set_flag(view, "none", at == 0);
	view_set_flag(view, "all", is_all(req));
	next = json_object_get(outcome->reply, "next");
	if (json_is_integer(next))
		view_set_int(view, "next", json_integer_value(next));
	view_set(view, "q", search);
	view_set(view, "q_escaped",
		search ? form_escape(&req->arena, search) : NULL);
	page_send(req, 200, "staff.html", view);
}

void page_staff(struct request *req)
{
	const char *search = form_get(&req->query, "q");
	const char *after = form_get(&req->query, "after");
	json_t *args = json_pack("{s:i}", "limit", LIST_LIMIT);

	if (search && *search)
		json_object_set_new(args, "search", json_string(search));
	else if (!is_all(req))
		json_object_set_new(args, "state", json_string("running"));
	if (after)
		json_object_set_new(
			args, "after", json_integer(strtoll(after, NULL, 10)));
	ask(req, "clients.list", args, on_clients);
}

/* What the form before it came to, said by its code in the address. */
static void set_result(struct request *req, struct view *view)
{
	const char *code = form_get(&req->query, "error");

	if (code && strlen(code) < 32)
		view_set(view, "error", sentence_of(req, code));
	else if (form_get(&req->query, "done"))
		view_set(view, "notice", lang_text(req->lang, "staff_done"));
}

static void on_client(struct request *req, const struct outcome *outcome)
{
	const char *state;
	struct view *view;

	if (is_over(req, outcome))
		return;
	view = page_view(req);
	set_client(req, view, outcome->reply);
	state = text_of(outcome->reply, "state");
	view_format(view, "note", "%s", text_of(outcome->reply, "note"));
	view_set(view, "ends",
		page_local_time(
			req, json_object_get(outcome->reply, "expiresAt")));
	view_set_flag(view, "may_pause",
		json_is_true(json_object_get(outcome->reply, "mayPause")));
	view_set_flag(view, "may_go_on", !strcmp(state, "paused"));
	view_set_flag(view, "has_session",
		!json_is_null(json_object_get(outcome->reply, "sessionId")));
	set_result(req, view);
	page_send(req, 200, "staff_client.html", view);
}

static json_t *args_of(const char *name, const char *value)
{
	json_t *args = json_object();

	json_object_set_new(args, name, json_string(value ?: ""));
	return args;
}

void page_staff_client(struct request *req)
{
	const char *mac = form_get(&req->query, "mac");

	if (mac)
		ask(req, "clients.get", args_of("mac", mac), on_client);
	else
		response_redirect(req, 303, "/staff/dashboard");
}

/* The forms of that page. */

/* To the page of the device in `req->data`; `code` says why it was refused,
 * NULL that it was done. */
static void back(struct request *req, const char *code)
{
	const char *mac = form_escape(&req->arena, req->data);

	response_redirect(req, 303,
		code ? arena_printf(&req->arena,
			       "/staff/client?mac=%s&error=%s", mac, code)
		     : arena_printf(&req->arena, "/staff/client?mac=%s&done=1",
			       mac));
}

static void on_changed(struct request *req, const struct outcome *outcome)
{
	if (outcome->code && (outcome->status == 401 || outcome->status >= 500))
		is_over(req, outcome);
	else
		back(req, outcome->code);
}

static void change(struct request *req, const char *op, json_t *args)
{
	req->data = form_get(&req->form, "mac") ?: "";
	ask(req, op, args, on_changed);
}

static json_t *about(struct request *req)
{
	return args_of("mac", form_get(&req->form, "mac"));
}

void page_staff_time(struct request *req)
{
	json_t *args = about(req);

	json_object_set_new(args, "minutes",
		json_integer(strtoll(
			form_get(&req->form, "minutes") ?: "", NULL, 10)));
	change(req, "clients.allow", args);
}

void page_staff_pause(struct request *req)
{
	change(req, "clients.pause", about(req));
}

void page_staff_go_on(struct request *req)
{
	change(req, "clients.resume", about(req));
}

/* The page that follows is the other device's. */
static void on_moved(struct request *req, const struct outcome *outcome)
{
	char *to = arena_alloc(&req->arena, MAC_TEXT);

	if (!outcome->code && page_read_mac(form_get(&req->form, "to"), to))
		req->data = to;
	on_changed(req, outcome);
}

void page_staff_move(struct request *req)
{
	const char *from = form_get(&req->form, "mac") ?: "";
	char *to = arena_alloc(&req->arena, MAC_TEXT);
	json_t *args;

	req->data = from;
	if (!page_read_mac(form_get(&req->form, "to") ?: "", to)) {
		back(req, "device_mac");
		return;
	}
	args = args_of("from", from);
	json_object_set_new(args, "to", json_string(to));
	ask(req, "clients.move", args, on_moved);
}

/* A voucher. */

static void on_plans(struct request *req, const struct outcome *outcome)
{
	const json_t *plan;
	struct view *view;
	size_t at;

	if (is_over(req, outcome))
		return;
	view = page_view(req);
	json_array_foreach(json_object_get(outcome->reply, "items"), at, plan) {
		const json_t *minor = json_object_get(plan, "priceMinor");
		struct view *row;

		/* Not for staff to sell, as the daemon would say. */
		if (!json_integer_value(minor))
			continue;
		row = view_add_row(view, "plans");
		view_format(row, "name", "%s", text_of(plan, "name"));
		view_set(row, "price",
			price(req, minor, text_of(plan, "currency")));
	}
	page_send(req, 200, "staff_sell.html", view);
}

void page_staff_plans(struct request *req)
{
	ask(req, "plans.list", json_object(), on_plans);
}

static void on_sold(struct request *req, const struct outcome *outcome)
{
	const json_t *item =
		json_array_get(json_object_get(outcome->reply, "items"), 0);
	struct view *view;

	if (is_over(req, outcome))
		return;
	view = page_view(req);
	view_format(view, "code", "%s", text_of(item, "code"));
	view_format(view, "plan", "%s", text_of(item, "plan"));
	view_set(view, "price",
		price(req, json_object_get(outcome->reply, "paidMinor"),
			text_of(outcome->reply, "currency")));
	page_send(req, 200, "staff_sell.html", view);
}

void page_staff_sell(struct request *req)
{
	ask(req, "vouchers.sell", args_of("plan", form_get(&req->form, "plan")),
		on_sold);
}
