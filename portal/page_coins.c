/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paying with coins: reserving a slot, seeing them arrive, going online. What
 * the page shows is what the daemon counted. Without a script it loads itself
 * anew while the slot is open; forms answer with a redirect to it, so loading
 * it anew sends nothing once more. Only the start shows the session at once:
 * its token is handed out there.
 */
#include "base/util.h"
#include "locale.h"
#include "pages.h"
#include "response.h"

static long long number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *currency_of(const json_t *object)
{
	return json_string_value(json_object_get(object, "currency")) ?: "";
}

static const char *minutes_text(struct request *req, const json_t *object)
{
	return lang_count(
		&req->arena, req->lang, "minutes", number(object, "minutes"));
}

static void add_rates(struct request *req, struct view *view, const json_t *reply)
{
	const json_t *rate;
	size_t at;

	json_array_foreach(json_object_get(reply, "rates"), at, rate)
	{
		struct view *row = view_add_row(view, "rates");

		view_set(row, "price",
			lang_money(&req->arena, req->lang,
				number(rate, "priceMinor"), currency_of(rate)));
		view_set(row, "minutes", minutes_text(req, rate));
	}
}

/* A slot with its state; named when there are several. */
static void add_slots(struct request *req, struct view *view, const json_t *reply)
{
	const json_t *slots = json_object_get(reply, "slots"), *slot;
	size_t at;

	json_array_foreach(slots, at, slot)
	{
		struct view *row = view_add_row(view, "slots");
		bool ready = json_is_true(json_object_get(slot, "ready"));

		view_format(row, "slot", "%s",
			json_string_value(json_object_get(slot, "slot")) ?: "");
		view_set_flag(row, "several", json_array_size(slots) > 1);
		view_set_flag(row, "ready", ready);
		view_set_flag(row, "busy",
			ready && json_is_true(json_object_get(slot, "busy")));
		/* Without a button nobody is told to press one. */
		if (ready)
			view_set_flag(view, "any_ready", true);
	}
}

/* What the script puts the daemon's figures into. */
static void set_patterns(
	struct request *req, struct view *view, const char *currency)
{
	view_set(view, "money_pattern",
		lang_money_pattern(&req->arena, req->lang, currency));
	view_set(view, "minutes_forms",
		lang_forms(&req->arena, req->lang, "minutes"));
	view_set(view, "seconds_forms",
		lang_forms(&req->arena, req->lang, "seconds"));
}

/* The own lock: its money, and how it stands with the slot. */
static void set_lock(struct request *req, struct view *view, const json_t *reply)
{
	const char *state =
		json_string_value(json_object_get(reply, "state")) ?: "none";
	const char *key = json_string_value(json_object_get(reply, "lockId"));
	long long credited = number(reply, "creditedMinor");
	long long cost = number(reply, "costMinor");
	bool live = !strcmp(state, "open") || !strcmp(state, "soon");

	view_set_flag(view, "live", live);
	view_set_flag(view, "idle", !live);
	view_set_flag(view, "soon", !strcmp(state, "soon"));
	view_set_flag(view, "taken", !strcmp(state, "taken"));
	view_set_flag(view, "over", !strcmp(state, "over") && credited);
	view_format(view, "lock_state", "%s", state);
	if (!key)
		return;
	view_format(view, "lock_id", "%s", key);
	view_format(view, "slot", "%s",
		json_string_value(json_object_get(reply, "slot")) ?: "");
	view_set_int(view, "lock", number(reply, "lock"));
	view_set(view, "slot_seconds",
		lang_count(&req->arena, req->lang, "seconds",
			number(reply, "seconds")));
	view_set(view, "inserted",
		lang_money(&req->arena, req->lang, credited,
			currency_of(reply)));
	view_set(view, "minutes", minutes_text(req, reply));
	set_patterns(req, view, currency_of(reply));
	view_set_flag(view, "some", credited > 0);
	view_set_flag(view, "enough", cost > 0);
	view_set_flag(view, "left_over", cost > 0 && credited > cost);
}

/* Of a refusal that led here; only what there are words for. */
static void set_error(struct request *req, struct view *view)
{
	const char *code = form_get(&req->query, "error");

	if (code && strlen(code) < 32)
		view_set(view, "error", page_sentence(req, code, NULL));
}

static void on_status(struct request *req, const struct outcome *outcome)
{
	struct view *view;

	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	add_rates(req, view, outcome->reply);
	add_slots(req, view, outcome->reply);
	page_terms(view, outcome->reply);
	set_lock(req, view, outcome->reply);
	set_error(req, view);
	page_send(req, 200, "coins.html", view);
}

void page_coins(struct request *req)
{
	operation_start(req, "coins.status", json_object(), on_status);
}

/* Back to the page, with the code of a refusal and the page first asked for. */
static void go_back(struct request *req, const char *code)
{
	const char *url = view_get(page_view(req), "url");

	response_redirect(req, 303,
		arena_printf(&req->arena, "/coins%s%s%s%s",
			code || url ? "?" : "", code ? "error=" : "", code ?: "",
			!url ? ""
			     : arena_printf(&req->arena, "%surl=%s",
				       code ? "&" : "",
				       form_escape(&req->arena, url))));
}

static void on_changed(struct request *req, const struct outcome *outcome)
{
	if (outcome->code && outcome->status >= 500 &&
		strcmp(outcome->code, "slot_offline"))
		page_outcome_error(req, outcome);
	else
		go_back(req, outcome->code);
}

static void on_started(struct request *req, const struct outcome *outcome)
{
	struct view *view;

	if (outcome->code) {
		on_changed(req, outcome);
		return;
	}
	view = page_view(req);
	page_session_values(req, view, outcome->reply, "running");
	view_set_flag(view, "fresh", true);
	page_send(req, 200, "welcome.html", view);
}

static void start(struct request *req, const char *operation, const char *field,
	const char *arg, operation_fn *fn)
{
	const char *value = form_get(&req->form, field);
	json_t *args = json_object();

	if (value && *value && strlen(value) <= CTL_NAME_MAX)
		json_object_set_new(args, arg, json_string(value));
	if (strcmp(operation, "coins.done"))
		page_accept(req, args);
	operation_start(req, operation, args, fn);
}

void page_coins_lock(struct request *req)
{
	start(req, "coins.lock", "slot", "slot", on_changed);
}

void page_coins_done(struct request *req)
{
	start(req, "coins.done", "lock", "lockId", on_changed);
}

void page_coins_start(struct request *req)
{
	start(req, "sessions.start", "lock", "lockId", on_started);
}
