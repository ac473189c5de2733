/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about the QR codes of the house (U1 to U3, U8), for admins: making
 * and showing them, and who is logged in by them. The code is on a poster, so
 * it can be shown again; a login cannot.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/portal_url.h"
#include "rules/qr_login.h"

/* The first that takes such logins; NULL: none does. */
static const struct config_network *login_network(const struct config *config)
{
	int i;

	for (i = 0; i < config->network_count; i++)
		if (config->networks[i].qr_login &&
			portal_is_on(&config->networks[i]))
			return &config->networks[i];
	return NULL;
}

/* What a poster needs. */
static json_t *token_reply(struct gatehoused *g, const struct qr_token *token,
	const char *text)
{
	const struct config_network *network = login_network(&g->config);
	char base[PORTAL_URL], url[PORTAL_URL + 64], id[24];

	if (!network)
		return reply_refuse(CTL_conflict,
			"No network has `qr_login = yes`; see "
			"gatehouse.conf(5).");
	portal_url(&g->config, network, base);
	snprintf(url, sizeof(url), "%slogin?token=%s", base, text);
	snprintf(id, sizeof(id), "%lld", (long long)token->id);
	return reply_fields("{s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "qrTokenId",
		id, "token", text, "loginUrl", url, "expiresAt",
		json_time(token->expires_at), "label", json_name(token->label),
		"venue", network->venue_name[0] ? network->venue_name
						: g->config.venue_name,
		"ssid", strcmp(network->ssid, network->name) != 0
				? json_name(network->ssid)
				: json_null());
}

static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, int64_t id)
{
	char detail[32];

	snprintf(detail, sizeof(detail), "%lld", (long long)id);
	return audit_now(g, caller, operation, NULL, detail);
}

json_t *op_qr_generate(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_label *a = args;
	struct moment now = moment_now();
	char text[QR_TOKEN_TEXT];
	struct qr_token token;
	json_t *reply;
	int ret;

	memset(&token, 0, sizeof(token));
	memcpy(token.label, a->label, sizeof(token.label));
	memcpy(token.created_by, caller->who, sizeof(caller->who));
	ret = qr_token_make(
		&g->rules, g->config.qr_token_days, &now, &token, text);
	if (!ret)
		ret = audit(g, caller, "qr.generate", token.id);
	reply = ret ? reply_failed("qr.generate", ret)
		    : token_reply(g, &token, text);
	crypto_wipe(text, sizeof(text));
	return reply;
}

/* NULL, or the refusal. */
static json_t *find_token(
	struct gatehoused *g, int64_t id, struct qr_token *ret_token)
{
	int ret = store_qr_token_lookup(g->store, id, ret_token);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no QR code %lld; see `gatehousectl qr list`.",
			(long long)id);
	return ret ? reply_failed("reading a QR code", ret) : NULL;
}

json_t *op_qr_show(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_id *a = args;
	char text[QR_TOKEN_TEXT];
	struct qr_token token;
	json_t *reply = find_token(g, a->id, &token);
	int ret;

	if (reply)
		return reply;
	ret = qr_token_reveal(&g->rules, &token, text);
	reply = ret ? reply_failed("qr.show", ret)
		    : token_reply(g, &token, text);
	crypto_wipe(text, sizeof(text));
	return reply;
}

static json_t *token_json(const struct qr_token *t, int64_t now_sec)
{
	return json_pack("{s:I, s:o, s:o, s:b, s:s, s:I, s:o, s:o, s:o}", "id",
		(json_int_t)t->id, "createdAt", json_time(t->created_at),
		"expiresAt", json_time(t->expires_at), "isActive",
		!t->revoked_at && t->expires_at > now_sec, "createdBy",
		t->created_by, "sessionCount", (json_int_t)t->logins, "label",
		json_name(t->label), "revokedAt", json_time(t->revoked_at),
		"nextId", t->next_id ? json_integer(t->next_id) : json_null());
}

json_t *op_qr_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct qr_token rows[OPS_LIST_MAX];
	int64_t now_sec = clock_wall_sec();
	json_t *items;
	int n, i;

	n = store_qr_token_list(g->store, a->after_set ? a->after : UNLIMITED,
		rows, limit);
	if (n < 0)
		return reply_failed("qr.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, token_json(&rows[i], now_sec));
	return reply_fields("{s:o, s:o}", "qrTokens", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_qr_revoke(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_id *a = args;
	struct qr_token token;
	json_t *refusal = find_token(g, a->id, &token);
	int ret;

	if (refusal)
		return refusal;
	if (!token.revoked_at)
		token.revoked_at = clock_wall_sec();
	ret = store_qr_token_put(g->store, &token);
	if (!ret)
		ret = audit(g, caller, "qr.revoke", token.id);
	if (ret)
		return reply_failed("qr.revoke", ret);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)token.id, "message",
		"Nobody logs in by this code any more; who is logged in stays "
		"so. Take its posters down.");
}

/* Who it is of: a member that is gone took its logins along. */
static json_t *login_json(struct gatehoused *g, const struct qr_session *s)
{
	struct member member = {.role = ROLE_NONE};

	if (s->member_id && store_member_lookup(g->store, s->member_id, &member))
		return json_null();
	return json_pack(
		"{s:I, s:s, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}",
		"id", (json_int_t)s->id, "identity", s->identity, "name",
		json_name(member.name), "role",
		member_role_name(s->has_cookie ? MIN(member.role, ROLE_STAFF)
					       : ROLE_NONE),
		"mac", json_mac(&s->mac), "ip", json_ip(&s->ip), "network",
		s->network, "userAgent", json_name(s->user_agent), "qrTokenId",
		s->token_id ? json_integer(s->token_id) : json_null(),
		"createdAt", json_time(s->created_at), "usedAt",
		json_time(s->used_at), "expiresAt", json_time(s->expires_at));
}

json_t *op_qr_sessions(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)MIN(a->limit, OPS_WIDE_MAX)
				 : OPS_WIDE_MAX;
	struct qr_session rows[OPS_WIDE_MAX];
	json_t *items;
	int n, i;

	n = store_qr_session_list(g->store, clock_wall_sec(),
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("qr.sessions", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, login_json(g, &rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_qr_end(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_id *a = args;
	struct qr_session session;
	int ret = store_qr_session_lookup(g->store, a->id, &session);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no login %lld; see `gatehousectl qr "
			"sessions`.",
			(long long)a->id);
	if (!ret)
		ret = store_qr_session_remove(g->store, session.id);
	if (!ret)
		ret = audit_now(g, caller, "qr.end", &session.mac, NULL);
	if (ret)
		return reply_failed("qr.end", ret);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)session.id,
		"message",
		"The login has ended. Its device is online until its plan ends, "
		"or `gatehousectl kick`.");
}

int qr_rotate(struct gatehoused *g)
{
	struct moment now = moment_now();
	int ret;

	/* A wrong date would make codes that nobody needs. */
	if (!g->config.qr_rotate_days ||
		!wall_is_settled(&g->wall, now.mono_ns))
		return 0;
	ret = turn_begin(g);
	if (!ret)
		ret = qr_token_rotate(&g->rules, g->config.qr_token_days,
			g->config.qr_rotate_days, &now);
	if (ret <= 0)
		return ret;
	alarms_raise(g->alarms, "qr_rotated", SEVERITY_INFO, NULL, NULL, 0,
		"a QR code of the house ends soon and its successor is made: "
		"print that one, see `gatehousectl qr list`");
	log_warning("a QR code of the house ends soon: print its successor, see "
		    "`gatehousectl qr list`");
	return 0;
}
