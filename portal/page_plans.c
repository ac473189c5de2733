/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plans on sale: what each gives and costs. One that was chosen is shown by
 * itself, with the ways to pay for it that there are here: the desk's voucher, and
 * coins where the plan and the box take them.
 */
#include <stdlib.h>

#include "base/util.h"
#include "locale.h"
#include "pages.h"

static long long number(const json_t *plan, const char *name)
{
	return json_integer_value(json_object_get(plan, name));
}

static void add_fact(struct view *view, const char *text)
{
	if (text)
		view_set(view_add_row(view, "facts"), "fact", text);
}

/* "2 GB": per direction, if only one counts. */
static const char *data_text(struct request *req, const json_t *plan)
{
	const json_t *megabytes = json_object_get(plan, "megabytes");

	if (!json_is_integer(megabytes))
		return lang_text(req->lang, "no_data_limit");
	return lang_bytes(&req->arena, req->lang,
		json_integer_value(megabytes) * CTL_MEGABYTE);
}

/* "Devices: 3" */
static void add_named(
	struct request *req, struct view *row, const char *key, const char *text)
{
	add_fact(row, arena_printf(&req->arena, "%s: %s",
			lang_text(req->lang, key), text));
}

static void add_facts(struct request *req, struct view *row, const json_t *plan)
{
	struct arena *arena = &req->arena;
	long long down = number(plan, "downKbps");
	long long devices = number(plan, "devices");
	long long days = number(plan, "validDays");

	add_fact(row, json_is_integer(json_object_get(plan, "minutes"))
			      ? lang_duration(arena, req->lang,
					number(plan, "minutes") * 60)
			      : lang_text(req->lang, "no_end"));
	add_fact(row, data_text(req, plan));
	if (down > 0)
		add_fact(row, lang_rate(arena, req->lang, down));
	if (devices > 1)
		add_named(req, row, "devices_short",
			lang_number(arena, req->lang, devices));
	if (json_is_string(json_object_get(plan, "hours"))) {
		page_hours(row, "hours",
			json_string_value(json_object_get(plan, "hours")));
		add_fact(row, view_get(row, "hours"));
	}
	if (days > 0)
		add_named(req, row, "valid_for",
			lang_duration(arena, req->lang, days * SEC_PER_DAY));
}

static void set_plan(struct request *req, struct view *row, const json_t *plan)
{
	view_format(row, "name", "%s",
		json_string_value(json_object_get(plan, "name")) ?: "");
	view_set_int(row, "id", number(plan, "id"));
	view_set(row, "price",
		lang_money(&req->arena, req->lang, number(plan, "priceMinor"),
			json_string_value(json_object_get(plan, "currency"))
				?: ""));
	view_set_flag(row, "by_coin", json_is_true(json_object_get(plan, "coin")));
	add_facts(req, row, plan);
}

/* The one that was chosen; NULL: none, or one that is not there any more. */
static const json_t *chosen(const struct request *req, const json_t *plans)
{
	const char *id = form_get(&req->query, "plan");
	const json_t *plan;
	size_t at;

	json_array_foreach(plans, at, plan)
		if (id && number(plan, "id") == atoll(id))
			return plan;
	return NULL;
}

static void on_plans(struct request *req, const struct outcome *outcome)
{
	const json_t *plans = json_object_get(outcome->reply, "plans"), *plan;
	const json_t *one = chosen(req, plans);
	struct view *view;
	size_t at;

	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	page_terms(view, outcome->reply);
	if (one)
		set_plan(req, view_add_row(view, "chosen"), one);
	json_array_foreach(plans, at, plan)
		if (!one)
			set_plan(req, view_add_row(view, "plans"), plan);
	/* What a code does from here. */
	view_set_flag(view, "captive", true);
	view_set_flag(view, "none", !json_array_size(plans));
	page_send(req, 200, "plans.html", view);
}

void page_plans(struct request *req)
{
	operation_start(req, "guest.plans", json_object(), on_plans);
}
