/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about sessions: the operators' list, the guest's own view, and
 * the ways to one: a voucher, or the token of a session (P1, P5).
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "daemon/moves.h"
#include "daemon/group_records.h"
#include "daemon/ops_free.h"
#include "daemon/ops_handlers.h"
#include "daemon/sync.h"
#include "daemon/terms.h"
#include "daemon/uplink.h"
#include "rules/share.h"
#include "rules/token.h"
#include "rules/voucher.h"

_Static_assert(TOKEN_TEXT == CTL_TOKEN_LEN + 1, "a token is what ctl.h says");

json_t *session_json(struct gatehoused *g, const struct session *session,
	const struct moment *now)
{
	struct account account;
	bool has_last, known;
	struct credit last;
	struct plan plan;
	json_t *object;

	if (account_load_id(&g->rules, session->id, now, &account))
		return json_null();
	object = json_object();
	json_object_set_new(object, "id", json_integer(session->id));
	json_object_set_new(object, "mac", json_mac(&account.session.mac));
	json_object_set_new(object, "state",
		json_string(session_state_name(account.session.state)));
	json_add_account(object, &account, now);
	json_add_stops(object, &account);
	has_last = store_credit_last(g->store, session->id, &last) == 0;
	known = has_last && last.plan_id &&
		store_plan_lookup(g->store, last.plan_id, &plan) == 0;
	/* Ended ones have no credit in use: the last one tells. */
	if (account.session.state == SESSION_ENDED && has_last) {
		json_object_set_new(object, "kind",
			json_string(kind_rules(last.kind)->name));
		json_object_set_new(object, "plan", json_name(last.plan_name));
	}
	json_object_set_new(
		object, "startedAt", json_time(account.session.started_at));
	json_object_set_new(
		object, "endedAt", json_time(account.session.ended_at));
	json_object_set_new(
		object, "endReason", json_name(account.session.end_reason));
	json_object_set_new(object, "totalPaidMinor",
		json_integer(account.session.total_paid_minor));
	json_object_set_new(object, "currency",
		json_string(known ? plan.currency : g->config.currency));
	return object;
}

json_t *op_sessions_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct session rows[OPS_LIST_MAX];
	struct moment now = moment_now();
	enum session_state state = SESSION_RUNNING;
	json_t *items;
	int n, i;

	if (a->state_set && session_state_parse(a->state, &state))
		return reply_refuse(CTL_bad_request,
			"state is running, paused, held or ended.");
	n = store_session_list(g->store, a->state_set ? (int)state : -1,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("sessions.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, session_json(g, &rows[i], &now));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

void guess_missed(struct gatehoused *g, const struct caller *caller)
{
	if (throttle_missed(g->throttle, &caller->mac, caller->network,
		    clock_mono_ns()))
		alarms_raise(g->alarms, "guessing", SEVERITY_HIGH, NULL, NULL,
			(uint32_t)caller->network,
			"somebody tries out codes or tokens, more than 5 a "
			"second; tries are slowed down");
}

/*
 * The ways to a session by a secret that the guest shows. `redeem` does what
 * is its own, adds its fields to the reply and leaves an audit row.
 */
struct way {
	const char *op;
	enum outcome unknown; /* there is no such secret: maybe a guess */
	json_t *(*refuse)(struct gatehoused *g, const struct mac *mac);
	int (*redeem)(struct gatehoused *g, const struct caller *caller,
		const char *secret, const struct moment *now, json_t *reply,
		enum outcome *ret_outcome);
};

static json_t *open_session(struct gatehoused *g, const struct caller *caller,
	const struct way *way, const char *secret)
{
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	json_t *reply = way->refuse(g, &caller->mac);
	int ret;

	if (reply)
		return reply;
	sync_touch(g->sync, &caller->mac);
	reply = reply_ok();
	ret = way->redeem(g, caller, secret, &now, reply, &outcome);
	if (outcome == way->unknown)
		guess_missed(g, caller);
	if (!ret && !outcome)
		ret = device_seen(g, &caller->mac, NULL);
	if (!ret && !outcome)
		return reply;
	json_decref(reply);
	return ret ? reply_failed(way->op, ret) : reply_outcome(outcome);
}

/* How much the credit in use was in all, for a page that shows which part of it
 * is left; null: it has no end, or nobody wrote that down. */
static void add_full(json_t *reply, const struct account *account,
	const struct moment *now)
{
	const struct credit *credit = NULL;
	int64_t left;
	int i;

	for (i = 0; account && i < account->count && !credit; i++)
		if (account->credits[i].state == CREDIT_IN_USE)
			credit = &account->credits[i];
	left = credit ? credit_time_left(credit, now->mono_ns) : UNLIMITED;
	json_object_set_new(reply, "creditTotalSeconds",
		left != UNLIMITED && credit->full_ns >= left
			? json_seconds(credit->full_ns)
			: json_null());
	json_object_set_new(reply, "creditTotalBytes",
		credit ? json_limit(credit->bytes) : json_null());
}

/* What a guest is told of the own session; NULL: none. */
void json_add_own(json_t *reply, const struct caller *caller,
	const struct account *account, const struct moment *now)
{
	json_add_account(reply, account, now);
	add_full(reply, account, now);
	json_add_stops(reply, account);
	json_add_credits(reply, account, now);
	json_object_set_new(reply, "mac", json_mac(&caller->mac));
	json_object_set_new(
		reply, "network", json_string(caller->network_name));
}

static int restore(struct gatehoused *g, const struct caller *caller,
	const char *secret, const struct moment *now, json_t *reply,
	enum outcome *ret_outcome)
{
	struct restored restored;
	char from[MAC_TEXT];
	struct view view;
	struct guest guest = {&caller->mac, caller->network_name};
	int ret = token_restore(&g->rules, &guest, secret, now, &restored,
		ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	account_view(&restored.account, now, &view);
	json_object_set_new(
		reply, "remainingSeconds", json_seconds(view.remaining_ns));
	json_object_set_new(
		reply, "migrated", json_boolean(restored.migrated));
	if (restored.released)
		ret = store_audit(g->store, now->wall_sec, caller->who,
			"release", &caller->mac, restored.account.session.id,
			"token");
	if (ret || !restored.migrated)
		return ret;
	sync_touch(g->sync, &restored.from);
	moves_note(g->moves, &restored.from, &caller->mac);
	return store_audit(g->store, now->wall_sec, caller->who, "restore",
		&caller->mac, restored.account.session.id,
		mac_format(&restored.from, from));
}

static int activate(struct gatehoused *g, const struct caller *caller,
	const char *secret, const struct moment *now, json_t *reply,
	enum outcome *ret_outcome)
{
	struct activated activated;
	struct guest guest = {&caller->mac, caller->network_name};
	int ret = voucher_activate(&g->rules, &guest, secret, now,
		&activated, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	if (activated.group_id)
		groups_touch(g, activated.group_id);
	json_object_set_new(reply, "token", json_string(activated.token));
	json_add_own(reply, caller, &activated.account, now);
	return store_audit(g->store, now->wall_sec, caller->who, "activate",
		&caller->mac, activated.account.session.id, activated.plan);
}

json_t *op_sessions_restore(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way token = {
		"sessions.restore", OUTCOME_SESSION_UNKNOWN,
		refuse_without_room_to_move, restore};
	const struct args_token *a = args;

	return open_session(g, caller, &token, a->token);
}

json_t *op_vouchers_activate(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way voucher = {
		"vouchers.activate", OUTCOME_VOUCHER_UNKNOWN,
		refuse_without_room, activate};
	const struct args_code *a = args;

	return open_session(g, caller, &voucher, a->code);
}

/* The session of the portal's visitor: the token shown gets its time anew; who
 * shows none of this session may claim one, if nobody has any (P1). */
static int show_token(struct gatehoused *g, struct account *account,
	const struct moment *now, const struct args_guest *a, json_t *reply)
{
	char token[TOKEN_TEXT];
	bool is_good = false, handed = false;
	int ret = 0;

	if (a->token_set)
		ret = token_show(&g->rules, account, a->token, now, &is_good);
	if (is_good)
		json_object_set_new(reply, "tokenGood", json_true());
	if (ret || is_good || !a->claim)
		return ret;
	ret = token_claim(&g->rules, account, now, &handed, token);
	if (!ret && handed)
		json_object_set_new(reply, "token", json_string(token));
	return ret;
}

/* The visitor has none; the one of the token shown may be over: why? */
static int add_end(
	struct gatehoused *g, const struct args_guest *a, json_t *reply)
{
	struct session session;
	int ret = a->token_set ? token_session(&g->rules, a->token, &session)
			       : -ENOENT;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (session.state == SESSION_ENDED)
		json_object_set_new(reply, "endReason",
			json_name(session.end_reason));
	return 0;
}

/* May a device without a page be put beside this one? */
static void add_sharing(
	struct gatehoused *g, struct account *account, json_t *reply)
{
	int64_t max = 1;

	json_object_set_new(reply, "mayShare",
		json_boolean(account && !share_max(&g->rules, account, &max) &&
			     max > 1));
}

json_t *op_guest_session(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_guest *a = args;
	struct moment now = moment_now();
	struct device device = {.id = 0};
	struct account account;
	struct guest guest = {&caller->mac, caller->network_name};
	struct group group;
	const char *state;
	bool has_session;
	json_t *reply;
	int ret;

	ret = store_device_lookup(g->store, &caller->mac, &device);
	if (!ret || ret == -ENOENT)
		ret = account_load(&g->rules, &caller->mac, &now, &account);
	if (!ret && account_prefer(&account, &guest, &now)) {
		ret = account_save(&g->rules, &account);
		sync_touch(g->sync, &caller->mac);
	}
	has_session = !ret;
	if (!ret || ret == -ENOENT)
		ret = client_group(
			g, &device, has_session ? &account : NULL, &group);
	if (ret)
		return reply_failed("guest.session", ret);
	state = client_state(
		&device, &guest, has_session ? &account : NULL, &group, &now);
	reply = reply_ok();
	json_object_set_new(reply, "online",
		json_boolean(!strcmp(state, "running") ||
			     !strcmp(state, "exempt")));
	json_object_set_new(reply, "state", json_string(state));
	json_object_set_new(
		reply, "paused", json_boolean(!strcmp(state, "paused")));
	json_add_own(reply, caller, has_session ? &account : NULL, &now);
	if (device.blocked)
		return reply;
	json_add_group(reply, &group);
	add_sharing(g, has_session ? &account : NULL, reply);
	json_add_free(g, has_session ? NULL : &guest, &now, reply);
	terms_add(g, &caller->mac, reply);
	json_object_set_new(reply, "internet", uplink_json(g));
	ret = has_session ? show_token(g, &account, &now, a, reply)
			  : add_end(g, a, reply);
	if (ret) {
		json_decref(reply);
		return reply_failed("guest.session", ret);
	}
	return reply;
}
