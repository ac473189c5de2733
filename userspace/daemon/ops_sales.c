/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about what is sold: plans and vouchers. Codes are in replies to
 * managers only, and in no log line.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "rules/voucher.h"

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

/* The plan on sale; NULL, or the refusal. */
static json_t *find_plan(
	struct gatehoused *g, const char *name, struct plan *ret_plan)
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
	int ret;

	/* Staff sells a voucher; making a stock of them is another matter. */
	if (a->count_set && a->count > 1 && caller->role < ROLE_MANAGER)
		return reply_refuse(CTL_not_allowed,
			"More than one code at once needs the role manager.");
	if (a->prefix_set && !is_prefix(a->prefix))
		return reply_refuse(CTL_bad_request,
			"prefix has capital letters and digits only.");
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

	if (voucher->state == VOUCHER_UNUSED && voucher->expires_at <= now)
		state = "expired";
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "code",
		known ? json_string(code) : json_null(), "state", state, "plan",
		voucher->plan_name, "batch", voucher->batch, "expiresAt",
		json_time(voucher->expires_at), "usedAt",
		json_time(voucher->used_at), "usedMac",
		voucher->used_at ? json_mac(&voucher->used_mac) : json_null(),
		"createdBy", voucher->created_by);
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

json_t *op_vouchers_revoke(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_code *a = args;
	enum outcome outcome = OUTCOME_OK;
	struct voucher voucher;
	char detail[80];
	int ret = voucher_revoke(&g->rules, a->code, &voucher, &outcome);

	if (!ret && !outcome) {
		/* Not the code: the audit is for more eyes. */
		snprintf(detail, sizeof(detail), "voucher %lld of %s",
			(long long)voucher.id, voucher.batch);
		ret = store_audit(g->store, clock_wall_sec(), caller->who,
			"voucher revoke", NULL, 0, detail);
	}
	if (ret)
		return reply_failed("vouchers.revoke", ret);
	if (outcome)
		return not_revoked(g, &voucher, outcome);
	return reply_fields("{s:s}", "message",
		"The code is revoked: nobody can use it any more.");
}
