/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about plans: what is sold, at which price, and what a voucher or
 * time of it is worth. What was sold keeps what it was sold as.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"

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

static bool is_network(const struct config *config, const char *name)
{
	int i;

	for (i = 0; i < config->network_count; i++)
		if (!strcmp(config->networks[i].name, name))
			return true;
	return false;
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
		if (!is_network(&g->config, word))
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

json_t *op_plans_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_plan *a = args;
	int64_t days = (a->minutes + 1439) / 1440;
	struct plan plan = {
		.seconds = a->minutes * 60,
		.bytes = a->megabytes_set ? a->megabytes * CTL_MEGABYTE
					  : UNLIMITED,
		.price_minor = a->price_minor,
		.moves = a->moves,
		.token_days = a->token_days,
		.is_active = true,
		.devices = a->devices_set ? a->devices : 1,
		.coin = a->coin,
	};
	struct plan other;
	char message[256];
	json_t *refusal;
	int64_t id = 0;
	int ret;

	refusal = rates_of(&a->rates, a->megabytes_set, &plan.rates);
	if (!refusal && a->networks_set)
		refusal = networks_of(g, a->networks, plan.networks);
	if (refusal)
		return refusal;
	if (a->currency_set && !is_currency(a->currency))
		return reply_refuse(CTL_bad_request,
			"currency is three capital letters such as TZS.");
	/* A longer plan brings its own days (P1). */
	if (!a->token_days_set)
		plan.token_days =
			days > g->config.token_days ? days : UNLIMITED;
	if (a->coin && !a->price_minor)
		return reply_refuse(CTL_bad_request,
			"priceMinor is missing: a plan that is sold by coin "
			"needs one.");
	memcpy(plan.name, a->name, sizeof(plan.name));
	snprintf(plan.currency, sizeof(plan.currency), "%.3s",
		a->currency_set ? a->currency : g->config.currency);
	/* Nobody at the desk should have to tell "hour" from "Hour". */
	ret = store_plan_by_name(g->store, a->name, &other);
	if (!ret)
		return reply_refuse(CTL_conflict,
			"A plan \"%s\" exists already.", other.name);
	if (ret == -ENOENT)
		ret = store_plan_insert(g->store, &plan, &id);
	if (!ret)
		ret = store_audit(g->store, clock_wall_sec(), caller->who,
			"plan add", NULL, 0, plan.name);
	if (ret)
		return reply_failed("plans.add", ret);
	snprintf(message, sizeof(message),
		"The plan can be sold now, for %lld.%02lld %s: `gatehousectl "
		"voucher create --plan \"%s\"`.",
		(long long)(plan.price_minor / 100),
		(long long)(plan.price_minor % 100), plan.currency, plan.name);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)id, "message",
		message);
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
		ret = store_audit(g->store, clock_wall_sec(), caller->who,
			"plan remove", NULL, 0, plan.name);
	if (ret)
		return reply_failed("plans.remove", ret);
	snprintf(message, sizeof(message),
		"The plan \"%s\" is off sale. Vouchers and sessions of it stay "
		"as they were sold, and another plan may have its name.",
		plan.name);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)plan.id, "message",
		message);
}
