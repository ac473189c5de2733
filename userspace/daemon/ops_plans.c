/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about plans. A plan is changed for who begins with it afterwards;
 * what was begun has copied what it needs, and takes part of it over when an
 * operator says so.
 */
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/group_records.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "daemon/sliced.h"
#include "daemon/sentences.h"
#include "daemon/sync.h"
#include "rules/hours.h"

_Static_assert(STORE_NAME == CTL_NAME_MAX + 1, "a name is what ctl.h says");
_Static_assert(STORE_NETWORKS == CTL_NETWORKS_MAX + 1, "so are networks");

static json_t *plan_json(const struct plan *plan)
{
	json_t *object = json_pack("{s:I, s:s, s:o, s:o, s:I, s:s, s:o, s:o,"
				   " s:b, s:o, s:I}",
		"id", (json_int_t)plan->id, "name", plan->name, "minutes",
		json_limit(plan->seconds == UNLIMITED ? UNLIMITED
						      : plan->seconds / 60),
		"megabytes",
		json_limit(plan->bytes == UNLIMITED
				   ? UNLIMITED
				   : plan->bytes / CTL_MEGABYTE),
		"priceMinor", (json_int_t)plan->price_minor, "currency",
		plan->currency, "moves", json_limit(plan->moves), "tokenDays",
		json_limit(plan->token_days), "active", plan->is_active,
		"networks", json_words(plan->networks), "devices",
		(json_int_t)plan->devices);

	json_add_rates(object, &plan->rates);
	json_object_set_new(object, "coin", json_boolean(plan->coin));
	json_object_set_new(object, "counts",
		plan->bytes == UNLIMITED
			? json_null()
			: json_string(counts_name(plan->terms.counts)));
	json_object_set_new(object, "hours", json_name(plan->terms.hours));
	json_object_set_new(object, "idleMinutes",
		json_limit(plan->terms.idle_sec ? plan->terms.idle_sec / 60
						: UNLIMITED));
	json_object_set_new(object, "validDays",
		json_limit(plan->terms.valid_days ?: UNLIMITED));
	return object;
}

json_t *op_plans_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct plan rows[OPS_LIST_MAX];
	json_t *items;
	int n, i;

	n = store_plan_list(g->store, a->all, a->after, rows, limit);
	if (n < 0)
		return reply_failed("plans.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, plan_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *find_plan(struct gatehoused *g, const char *name, struct plan *ret_plan)
{
	int ret = store_plan_by_name(g->store, name, ret_plan);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no plan \"%s\"; see `gatehousectl plan "
			"list`.",
			name);
	return ret ? reply_failed("reading a plan", ret) : NULL;
}

static bool is_currency(const char *text)
{
	return strlen(text) == 3 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* "guest, staff" as the store has it; NULL, or the refusal. */
static json_t *networks_of(const struct gatehoused *g, const char *text,
	char ret_names[static STORE_NETWORKS])
{
	char copy[STORE_NETWORKS], *rest = copy, *word;
	size_t len = 0;

	ret_names[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ,"))) {
		if (!*word || text_has_word(ret_names, word))
			continue;
		if (!config_network_named(&g->config, word))
			return reply_refuse(CTL_not_found,
				"There is no network \"%s\"; see `gatehousectl "
				"status`.",
				word);
		len += (size_t)snprintf(ret_names + len, STORE_NETWORKS - len,
			"%s%s", len ? " " : "", word);
	}
	if (!len)
		return reply_refuse(CTL_bad_request, "networks is empty.");
	return NULL;
}

static json_t *terms_of(const struct args_plan *a, struct terms *terms)
{
	int ret = a->hours_set ? hours_parse(a->hours, terms->hours) : 0;

	if (ret)
		return reply_refuse(CTL_bad_request,
			"hours are spans of the day such as 08:00-22:00, or "
			"22:00-06:00 over midnight, at most 7 with commas "
			"between; or \"any\".");
	if (a->counts_set && counts_parse(a->counts, &terms->counts))
		return reply_refuse(CTL_bad_request,
			"counts is one of: both, up, down.");
	if (a->idle_set)
		terms->idle_sec = a->idle_minutes * 60;
	if (a->valid_set)
		terms->valid_days = a->valid_days;
	return NULL;
}

/* Its time and bytes. */
static void amounts_of(const struct gatehoused *g, const struct args_plan *a,
	struct plan *plan)
{
	int64_t days;

	if (a->megabytes_set) {
		plan->bytes = a->megabytes ? a->megabytes * CTL_MEGABYTE
					   : UNLIMITED;
		/* Slow rates hold once there are none left. */
		if (!a->megabytes)
			plan->rates.slow_up = plan->rates.slow_down = 0;
	}
	if (a->token_days_set)
		plan->token_days = a->token_days;
	if (!a->minutes)
		return;
	plan->seconds = a->minutes * 60;
	/* A longer plan brings its own days (P1). */
	days = (a->minutes + 1439) / 1440;
	if (!a->token_days_set)
		plan->token_days =
			days > g->config.token_days ? days : UNLIMITED;
}

/* What the arguments say of a plan; the rest stays. NULL, or the refusal. */
static json_t *change_plan(const struct gatehoused *g, const struct args_plan *a,
	struct plan *plan)
{
	json_t *refusal;

	amounts_of(g, a, plan);
	refusal = rates_of(&a->rates, plan->bytes != UNLIMITED, &plan->rates);
	if (!refusal)
		refusal = terms_of(a, &plan->terms);
	if (!refusal && a->networks_set && !strcmp(a->networks, "any"))
		plan->networks[0] = '\0';
	else if (!refusal && a->networks_set)
		refusal = networks_of(g, a->networks, plan->networks);
	if (refusal)
		return refusal;
	if (a->currency_set && !is_currency(a->currency))
		return reply_refuse(CTL_bad_request,
			"currency is three capital letters such as TZS.");
	if (a->currency_set)
		snprintf(plan->currency, sizeof(plan->currency), "%.3s", a->currency);
	if (a->price_set)
		plan->price_minor = a->price_minor;
	if (a->moves_set)
		plan->moves = a->moves;
	if (a->devices_set)
		plan->devices = a->devices;
	if (a->coin_set)
		plan->coin = a->coin;
	if (plan->coin && !plan->price_minor)
		return reply_refuse(CTL_bad_request,
			"priceMinor is missing: a plan that is sold by coin "
			"needs one.");
	if (plan->devices > 1 && plan->terms.idle_sec)
		return reply_refuse(CTL_bad_request,
			"idleMinutes is for plans of one device: what several "
			"share runs for all of them.");
	return NULL;
}

/* One row in the audit, with all that the plan says by now. */
static int audit_plan(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct plan *plan)
{
	_cleanup_json_ json_t *object = plan_json(plan);
	char *text = json_dumps(object, JSON_COMPACT);
	int ret = text ? audit_now(g, caller, operation, NULL, text)
		       : -ENOMEM;

	free(text);
	return ret;
}

json_t *op_plans_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_plan *a = args;
	struct plan plan = {.bytes = UNLIMITED, .is_active = true, .devices = 1};
	struct plan other;
	char message[256], money[SENTENCES_MONEY];
	json_t *refusal;
	int ret;

	memcpy(plan.name, a->name, sizeof(plan.name));
	snprintf(plan.currency, sizeof(plan.currency), "%.3s", g->config.currency);
	refusal = change_plan(g, a, &plan);
	if (refusal)
		return refusal;
	/* Nobody at the desk should have to tell "hour" from "Hour". */
	ret = store_plan_by_name(g->store, a->name, &other);
	if (!ret)
		return reply_refuse(CTL_conflict,
			"A plan \"%s\" exists already; `gatehousectl plan set` "
			"changes it.",
			other.name);
	if (ret == -ENOENT)
		ret = store_plan_insert(g->store, &plan, &plan.id);
	if (!ret)
		ret = audit_plan(g, caller, "plan add", &plan);
	if (ret)
		return reply_failed("plans.add", ret);
	snprintf(message, sizeof(message),
		"The plan can be sold now, for %s: `gatehousectl voucher sell "
		"\"%s\"`.",
		say_money(money, plan.price_minor, plan.currency), plan.name);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)plan.id, "message",
		message);
}

json_t *op_plans_set(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_plan *a = args;
	struct plan plan;
	char message[320];
	json_t *refusal = find_plan(g, a->name, &plan);
	int ret;

	if (!refusal)
		refusal = change_plan(g, a, &plan);
	if (refusal)
		return refusal;
	ret = store_plan_update(g->store, &plan);
	if (!ret)
		ret = audit_plan(g, caller, "plan set", &plan);
	if (ret)
		return reply_failed("plans.set", ret);
	snprintf(message, sizeof(message),
		"The plan is changed for who begins with it from now on, with "
		"a voucher that was made before as well. For the sessions that "
		"run: `gatehousectl plan apply \"%s\"`.",
		plan.name);
	return reply_fields(
		"{s:o, s:s}", "plan", plan_json(&plan), "message", message);
}

#define CREDITS_AT_ONCE 128

/* A plan that is applied, while it is. */
struct application {
	struct gatehoused *g;
	struct plan plan;
	char who[sizeof(((struct caller *)0)->who)];
	int64_t after;
	long long clients;
};

static int applied(void *data, const struct mac *mac, bool is_new, int64_t group_id)
{
	struct application *application = data;

	if (group_id)
		groups_touch(application->g, group_id);
	if (mac)
		sync_touch(application->g->sync, mac);
	application->clients += mac && is_new;
	return 0;
}

static int apply_some(struct gatehoused *g, void *data)
{
	struct application *a = data;
	char detail[STORE_NAME + 32];
	int ret = store_plan_apply(g->store, &a->plan, &a->after,
		CREDITS_AT_ONCE, applied, a);

	if (ret)
		return ret;
	snprintf(detail, sizeof(detail), "%s: %lld", a->plan.name, a->clients);
	return store_audit(g->store, clock_wall_sec(), a->who, "plan apply", NULL,
		0, detail);
}

static json_t *applied_reply(struct gatehoused *g, void *data, int ret)
{
	const struct application *a = data;
	char message[256];

	if (ret)
		return reply_failed("plans.apply", ret);
	snprintf(message, sizeof(message),
		"Rates, networks, hours and idle time of the plan hold for %lld "
		"session%s now. Time, bytes and days stay as they were sold.",
		a->clients, a->clients == 1 ? "" : "s");
	return reply_fields("{s:I, s:s}", "sessions", (json_int_t)a->clients,
		"message", message);
}

json_t *op_plans_apply(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct sliced_work work = {apply_some, applied_reply};
	const struct args_name *a = args;
	struct application *application;
	struct plan plan;
	json_t *refusal = find_plan(g, a->name, &plan);

	if (refusal)
		return refusal;
	application = xcalloc(1, sizeof(*application));
	application->g = g;
	application->plan = plan;
	snprintf(application->who, sizeof(application->who), "%s", caller->who);
	return sliced_start(g, &work, application);
}

json_t *op_plans_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	char message[256];
	struct plan plan;
	json_t *refusal = find_plan(g, a->name, &plan);
	int ret;

	if (refusal)
		return refusal;
	ret = store_plan_remove(g->store, plan.id);
	if (!ret)
		ret = audit_now(g, caller, "plan remove", NULL, plan.name);
	if (ret)
		return reply_failed("plans.remove", ret);
	snprintf(message, sizeof(message),
		"The plan \"%s\" is off sale. Vouchers and sessions of it stay "
		"as they were sold, and another plan may have its name.",
		plan.name);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)plan.id, "message",
		message);
}
