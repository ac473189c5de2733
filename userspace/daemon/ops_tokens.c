/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about API tokens (T1). One is shown once, to who makes it; whoever
 * may handle an operator's account may make and remove its tokens.
 */
#include <string.h>

#include "base/clock.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "rules/operator.h"

json_t *op_tokens_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_token_add *a = args;
	int64_t now = clock_wall_sec();
	struct api_token row = {.created_at = now, .expires_at = UNLIMITED};
	char text[OPERATOR_TOKEN], detail[128];
	struct operator operator;
	json_t *refusal = find_operator(g, caller, a->name, &operator);
	int ret;

	if (refusal)
		return refusal;
	row.operator_id = operator.id;
	if (a->expires_set)
		row.expires_at = now + a->expires_days * SEC_PER_DAY;
	memcpy(row.label, a->label, sizeof(row.label));
	memcpy(row.created_by, caller->who, sizeof(row.created_by));
	ret = operator_token_make(g->store, &row, text);
	snprintf(detail, sizeof(detail), "%lld of %s: %s", (long long)row.id,
		operator.name, row.label);
	if (!ret)
		ret = audit_now(g, caller, "operator.token.add", NULL, detail);
	if (ret)
		return reply_failed("tokens.add", ret);
	return reply_fields("{s:I, s:s, s:s, s:s, s:o}", "id",
		(json_int_t)row.id, "token", text, "name", operator.name, "role",
		role_name(operator.role), "expiresAt",
		json_time(row.expires_at));
}

static json_t *token_json(const struct api_token *t)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:o, s:o}", "id",
		(json_int_t)t->id, "name", t->operator_name, "role",
		role_name(t->role), "label", json_name(t->label), "createdAt",
		json_time(t->created_at), "createdBy", t->created_by, "usedAt",
		json_time(t->used_at), "expiresAt", json_time(t->expires_at));
}

json_t *op_tokens_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct api_token rows[OPS_LIST_MAX];
	json_t *items;
	int n, i;

	n = store_api_token_list(g->store, a->after, rows, limit);
	if (n < 0)
		return reply_failed("tokens.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, token_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_tokens_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_id *a = args;
	struct api_token token;
	char detail[128];
	int ret = store_api_token_lookup(g->store, a->id, &token);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no API token %lld; see `gatehousectl operator "
			"token list`.",
			(long long)a->id);
	if (ret)
		return reply_failed("tokens.remove", ret);
	if (!operator_may_handle(caller->role, token.role))
		return refuse_above(token.role);
	snprintf(detail, sizeof(detail), "%lld of %s: %s", (long long)token.id,
		token.operator_name, token.label);
	ret = store_api_token_remove(g->store, token.id);
	if (!ret)
		ret = audit_now(g, caller, "operator.token.remove", NULL, detail);
	if (ret)
		return reply_failed("tokens.remove", ret);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)token.id, "message",
		"The token is good for nothing any more.");
}
