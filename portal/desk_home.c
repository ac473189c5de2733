/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an operator comes to: how the place is at this moment, what was taken
 * today, and what wants attention; beside it a page for who answers for a shift
 * and one for who answers for the money. Each part is one operation, so a role
 * sees the parts that it may ask for.
 */
#include <time.h>

#include "base/clock.h"
#include "base/util.h"
#include "desk.h"
#include "locale.h"

/* The day here, as the daemon's days are. */
static json_t *today(void)
{
	time_t now = (time_t)clock_wall_sec();
	char day[16];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	return json_string(day);
}

static json_t *today_args(struct request *req)
{
	return json_pack("{s:o, s:o}", "from", today(), "to", today());
}

static void add_problem(struct view *view, const json_t *row, const char *name)
{
	const char *problem =
		json_string_value(json_object_get(row, "problem"));
	struct view *line;

	if (!problem || !*problem)
		return;
	line = view_add_row(view, "problems");
	desk_put_text(line, "what", json_object_get(row, name));
	view_format(line, "problem", "%s", problem);
}

static void show_status(
	struct request *req, struct view *view, const json_t *status)
{
	const json_t *row;
	size_t at;

	desk_put_int(view, "sessions", json_object_get(status, "sessions"));
	desk_put_int(view, "captive", json_object_get(status, "captive"));
	view_set_flag(view, "status", true);
	json_array_foreach(json_object_get(status, "networks"), at, row)
		add_problem(view, row, "name");
	json_array_foreach(json_object_get(status, "ports"), at, row)
		add_problem(view, row, "interface");
	view_set_flag(view, "store_failing",
		strcmp(json_string_value(json_object_get(status, "store")) ?: "",
			"ok") != 0);
}

/* What was taken in one currency. */
struct sum {
	const char *currency;
	long long minor, sales;
};

#define CURRENCIES 4 /* a venue has one, perhaps two */

static void add_up(struct sum *sums, const json_t *row)
{
	const char *currency =
		json_string_value(json_object_get(row, "currency")) ?: "";
	int i;

	for (i = 0; i < CURRENCIES; i++) {
		if (!sums[i].currency)
			sums[i].currency = currency;
		if (strcmp(sums[i].currency, currency))
			continue;
		sums[i].minor +=
			json_integer_value(json_object_get(row, "totalMinor"));
		sums[i].sales +=
			json_integer_value(json_object_get(row, "sales"));
		return;
	}
}

static void show_sums(
	struct request *req, struct view *view, const json_t *reply)
{
	struct sum sums[CURRENCIES] = {{0}};
	const json_t *row;
	struct view *line;
	size_t at;
	int i;

	json_array_foreach(json_object_get(reply, "items"), at, row) {
		add_up(sums, row);
		line = view_add_row(view, "takings");
		desk_put_text(line, "who", json_object_get(row, "who"));
		desk_put_word(req, line, "method", "method",
			json_object_get(row, "method"));
		desk_put_int(line, "sales", json_object_get(row, "sales"));
		desk_put_money(req, line, "sum", row, "totalMinor");
	}
	for (i = 0; i < CURRENCIES && sums[i].currency; i++) {
		line = view_add_row(view, "today");
		view_set(line, "sum",
			lang_money(&req->arena, req->lang, sums[i].minor,
				sums[i].currency));
		view_set_int(line, "sales", sums[i].sales);
	}
	view_set_flag(view, "no_takings", at == 0);
	view_set_flag(view, "sums", true);
}

static json_t *few_args(struct request *req)
{
	return json_pack("{s:i}", "limit", 8);
}

static void show_events(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *event;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, event) {
		struct view *row = view_add_row(view, "events");

		desk_put_time(req, row, "at", json_object_get(event, "lastAt"));
		desk_put_text(row, "what", json_object_get(event, "description"));
		desk_put_text(row, "type", json_object_get(event, "type"));
		desk_put_text(row, "severity", json_object_get(event, "severity"));
		desk_put_text(row, "mac", json_object_get(event, "mac"));
	}
	view_set_flag(view, "no_events", at == 0);
	view_set_flag(view, "alarms", true);
}

static const struct desk_page home = {"/dashboard", "desk_home.html",
	"desk_home", NULL,
	{{"status", NULL, show_status}, {"payments.sums", today_args, show_sums},
		{"events.list", few_args, show_events}}};

void desk_home(struct request *req)
{
	desk_show(req, &home);
}

/* For who answers for a shift. */

static json_t *held_args(struct request *req)
{
	return json_pack("{s:s, s:i}", "state", "held", "limit", 25);
}

static void show_held(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *client;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, client) {
		struct view *row = view_add_row(view, "held");

		desk_put_text(row, "mac", json_object_get(client, "mac"));
		desk_put_text(row, "plan", json_object_get(client, "plan"));
	}
	view_set_flag(view, "has_held", true);
	view_set_flag(view, "none_held", at == 0);
}

static void show_payments(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *payment;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, payment) {
		struct view *row = view_add_row(view, "payments");
		const char *status = json_string_value(
			json_object_get(payment, "status"));

		desk_put_int(row, "id", json_object_get(payment, "id"));
		desk_put_time(req, row, "at", json_object_get(payment, "paidAt"));
		desk_put_text(row, "plan", json_object_get(payment, "plan"));
		desk_put_text(row, "who", json_object_get(payment, "who"));
		desk_put_money(req, row, "sum", payment, "amountMinor");
		view_set_flag(row, "is_paid", status && !strcmp(status, "paid"));
		view_set_flag(row, "is_refunded",
			status && !strcmp(status, "refunded"));
	}
	view_set_flag(view, "sales", true);
	view_set_flag(view, "no_payments", at == 0);
}

const struct desk_page desk_page_shift = {"/dashboard/supervisor",
	"desk_home.html", "desk_shift", "events.list",
	{{"events.list", few_args, show_events},
		{"clients.list", held_args, show_held},
		{"payments.list", few_args, show_payments}}};

void desk_supervisor(struct request *req)
{
	desk_show(req, &desk_page_shift);
}

/* For who answers for the money: two weeks, and of which plans. */

static json_t *days_args(struct request *req)
{
	return json_pack("{s:s}", "by", "day");
}

static json_t *plans_args(struct request *req)
{
	return json_pack("{s:s}", "by", "plan");
}

static void show_statistics(struct request *req, struct view *view,
	const char *list, const char *by, const json_t *reply)
{
	const json_t *row;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, row) {
		struct view *line = view_add_row(view, list);

		desk_put_text(line, "of", json_object_get(row, by));
		desk_put_int(line, "sessions", json_object_get(row, "sessions"));
		desk_put_bytes(req, line, "down", json_object_get(row, "bytesDown"));
		desk_put_money(req, line, "sum", row, "revenueMinor");
	}
	view_set_flag(view, "statistics", true);
}

static void show_days(
	struct request *req, struct view *view, const json_t *reply)
{
	show_statistics(req, view, "days", "day", reply);
}

static void show_plans(
	struct request *req, struct view *view, const json_t *reply)
{
	show_statistics(req, view, "by_plan", "plan", reply);
}

static const struct desk_page money = {"/dashboard/manager", "desk_home.html",
	"desk_money", "statistics.list",
	{{"statistics.list", days_args, show_days},
		{"statistics.list", plans_args, show_plans},
		{"payments.sums", today_args, show_sums}}};

void desk_manager(struct request *req)
{
	desk_show(req, &money);
}
