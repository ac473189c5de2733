/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about devices, for operators (P4): show, allow, block, kick,
 * move, describe. Each change leaves an audit row in its own transaction.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "daemon/sentences.h"
#include "daemon/sync.h"
#include "rules/device.h"
#include "rules/move.h"
#include "rules/pause.h"
#include "rules/sale.h"

/* The newest that has ended; null: none. */
static json_t *last_session(struct gatehoused *g, const struct mac *mac)
{
	struct moment now = moment_now();
	struct session session;

	if (store_session_last(g->store, mac, &session))
		return json_null();
	return session_json(g, &session, &now);
}

/* What is known of a client, or why nothing is. */
static json_t *client_reply(struct gatehoused *g, const struct mac *mac)
{
	json_t *object, *reply;
	char text[MAC_TEXT];
	int ret = json_client(g, mac, true, &object);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"No device %s is known; see `gatehousectl clients`.",
			mac_format(mac, text));
	if (ret)
		return reply_failed("reading a device", ret);
	reply = reply_ok();
	json_object_update(reply, object);
	json_decref(object);
	json_object_set_new(reply, "lastSession", last_session(g, mac));
	return reply;
}

json_t *client_changed(struct gatehoused *g, const struct mac *mac,
	const char *message)
{
	json_t *reply = client_reply(g, mac);

	if (reply_is_ok(reply))
		json_object_set_new(reply, "message", json_string(message));
	return reply;
}

json_t *client_refused(enum outcome outcome, const struct mac *mac)
{
	char text[MAC_TEXT];

	if (outcome != OUTCOME_NOT_FOUND)
		return reply_outcome(outcome);
	return reply_refuse(CTL_not_found,
		"The device %s has no session; see `gatehousectl sessions "
		"--state running`.",
		mac_format(mac, text));
}

json_t *client_shown(struct gatehoused *g, const struct mac *mac,
	const char *message)
{
	json_t *reply = message ? client_changed(g, mac, message)
				: client_reply(g, mac);
	int ret = reply_is_ok(reply) ? json_add_addresses(g, mac, reply) : 0;

	if (!ret)
		return reply;
	json_decref(reply);
	return reply_failed("reading a device's addresses", ret);
}

int audit_now(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct mac *mac, const char *detail)
{
	return store_audit(g->store, clock_wall_sec(), caller->who, operation,
		mac, 0, detail);
}

/* Of what takes the session away from the device: looked up before. */
static int64_t session_now(struct gatehoused *g, const struct mac *mac)
{
	struct session session;

	return store_session_of(g->store, mac, &session) ? 0 : session.id;
}

json_t *op_clients_get(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_device *a = args;
	struct mac mac;
	json_t *refusal = device_meant(g, &a->device, &mac);

	if (refusal)
		return refusal;
	return client_shown(g, &mac, NULL);
}

static bool is_rated(const struct args_rates *a)
{
	return a->up_set || a->down_set || a->slow_up_set || a->slow_down_set;
}

/* What is given, from the arguments. NULL, or a refusal. */
static json_t *allowance_of(struct gatehoused *g, const struct caller *caller,
	const struct args_allow *a, struct plan *plan,
	struct allowance *ret_allowance)
{
	json_t *refusal;
	int64_t minutes;
	int ret;

	if (a->plan_set == a->minutes_set || (a->minutes_set && !a->minutes))
		return reply_refuse(CTL_bad_request,
			"Give either minutes (not 0) or a plan.");
	if (a->megabytes_set && a->minutes <= 0)
		return reply_refuse(CTL_bad_request,
			"Megabytes can be given together with minutes only: a "
			"plan has its own, and they cannot be taken away.");
	if (a->paid_set && !a->plan_set && a->minutes <= 0)
		return reply_refuse(CTL_bad_request,
			"paidMinor goes with time that is given, not taken.");
	if (is_rated(&a->rates) && a->minutes <= 0)
		return reply_refuse(CTL_bad_request,
			"Rates can be given together with minutes only: a plan "
			"has its own; see also `gatehousectl rate`.");
	*ret_allowance = (struct allowance){
		.seconds = a->minutes * 60,
		.bytes = a->megabytes_set ? a->megabytes * CTL_MEGABYTE
					  : UNLIMITED,
	};
	refusal = rates_of(&a->rates, a->megabytes_set, &ret_allowance->rates);
	if (refusal)
		return refusal;
	minutes = a->minutes < 0 ? -a->minutes : a->minutes;
	if (a->plan_set) {
		ret = store_plan_by_name(g->store, a->plan, plan);
		if (ret == -ENOENT)
			return reply_refuse(CTL_not_found,
				"There is no plan \"%s\"; see `gatehousectl "
				"plan list`.",
				a->plan);
		if (ret)
			return reply_failed("reading a plan", ret);
		ret_allowance->plan = plan;
		ret_allowance->seconds = plan->seconds;
		ret_allowance->bytes = plan->bytes;
		minutes = plan->seconds / 60;
	}
	if (minutes > STAFF_MINUTES && caller->role < ROLE_SUPERVISOR)
		return reply_refuse(CTL_not_allowed,
			"More than %d minutes need the role supervisor.",
			STAFF_MINUTES);
	return NULL;
}

/* What was paid at the desk for what the session was given. */
static int take_money(struct gatehoused *g, const struct caller *caller,
	const struct args_allow *a, const struct plan *plan,
	const struct moment *now, struct account *account)
{
	struct payment payment = {
		.paid_at = now->wall_sec,
		.method = SALE_CASH,
		.amount_minor = a->paid_minor,
		.plan_id = plan ? plan->id : 0,
	};
	const char *name;
	uint32_t network;
	int64_t seen_ns;

	client_sight(g, &a->mac, &network, &seen_ns);
	name = network_name_of(g, network);
	snprintf(payment.network, sizeof(payment.network), "%s", name ?: "");
	snprintf(payment.currency, sizeof(payment.currency), "%s",
		plan ? plan->currency : g->config.currency);
	snprintf(payment.who, sizeof(payment.who), "%s", caller->who);
	return sale_to_session(&g->rules, account, &payment);
}

json_t *op_clients_allow(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_allow *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct allowance allowance;
	struct account before = {.count = 0}, account;
	char detail[64], message[SENTENCES];
	struct plan plan;
	json_t *refusal;
	bool is_blocked;
	int ret;

	refusal = allowance_of(g, caller, a, &plan, &allowance);
	if (!refusal)
		refusal = refuse_without_room(g, &a->mac);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->mac);
	ret = account_load(&g->rules, &a->mac, &now, &before);
	if (ret == -ENOENT)
		before.count = ret = 0;
	if (!ret)
		ret = session_allow(&g->rules, &a->mac, &allowance, &now,
			&account, &outcome);
	if (!ret && !outcome)
		ret = device_known(g, &a->mac, NULL);
	if (!ret && !outcome && a->paid_set)
		ret = take_money(g, caller, a, allowance.plan, &now, &account);
	snprintf(detail, sizeof(detail), "%lld s%s",
		(long long)allowance.seconds, a->paid_set ? ", paid" : "");
	if (!ret && !outcome)
		ret = audit_now(g, caller, "allow", &a->mac, detail);
	if (!ret)
		ret = store_device_is_blocked(g->store, &a->mac, &is_blocked);
	if (ret)
		return reply_failed("clients.allow", ret);
	if (outcome)
		return client_refused(outcome, &a->mac);
	if (allowance.seconds > 0)
		say_given(message, &allowance, &before, &account, is_blocked);
	else
		say_taken(message, -a->minutes, &account, is_blocked);
	return client_changed(g, &a->mac, message);
}

json_t *op_clients_block(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_block *a = args;
	struct moment now = moment_now();
	char message[SENTENCES];
	struct device device;
	json_t *refusal;
	bool is_blocked;
	int ret;

	ret = store_device_is_blocked(g->store, &a->mac, &is_blocked);
	if (ret)
		return reply_failed("clients.block", ret);
	/* Nothing to lift, so nothing to remember: it may be a typing error. */
	if (!a->blocked && !is_blocked)
		return client_changed(
			g, &a->mac, "The device was not blocked.");
	refusal = a->blocked ? refuse_without_room(g, &a->mac) : NULL;
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->mac);
	ret = device_known(g, &a->mac, &device);
	if (!ret) {
		device.blocked = a->blocked;
		ret = store_device_put(g->store, &device);
	}
	if (!ret && is_blocked != a->blocked)
		ret = session_blocked(&g->rules, &a->mac, a->blocked, &now);
	if (!ret)
		ret = audit_now(g, caller, a->blocked ? "block" : "unblock",
			&a->mac, NULL);
	if (ret)
		return reply_failed("clients.block", ret);
	say_blocked(message, &a->mac);
	return client_changed(g, &a->mac,
		a->blocked ? message : "The device is not blocked any more.");
}

json_t *op_clients_kick(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	char message[SENTENCES];
	int64_t session_id = session_now(g, &a->mac);
	bool is_blocked;
	int ret;

	sync_touch(g->sync, &a->mac);
	ret = session_kick(&g->rules, &a->mac, &now, &outcome);
	if (!ret && !outcome)
		ret = store_audit(g->store, now.wall_sec, caller->who, "kick",
			&a->mac, session_id, NULL);
	if (!ret)
		ret = store_device_is_blocked(g->store, &a->mac, &is_blocked);
	if (ret)
		return reply_failed("clients.kick", ret);
	if (outcome)
		return client_refused(outcome, &a->mac);
	say_kicked(message, &a->mac, is_blocked);
	return client_changed(g, &a->mac, message);
}

json_t *op_clients_move(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_move *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	int64_t session_id = session_now(g, &a->from);
	char to[MAC_TEXT], message[SENTENCES];
	json_t *refusal;
	bool is_blocked;
	int ret;

	if (mac_equal(&a->from, &a->to))
		return reply_refuse(
			CTL_bad_request, "The old and the new device are the same.");
	refusal = refuse_without_room_to_move(g, &a->to);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->from);
	sync_touch(g->sync, &a->to);
	ret = session_move(&g->rules, &a->from, &a->to, &now, &outcome);
	if (!ret && !outcome)
		ret = device_known(g, &a->to, NULL);
	if (!ret && !outcome)
		ret = store_audit(g->store, now.wall_sec, caller->who, "move",
			&a->from, session_id, mac_format(&a->to, to));
	if (!ret)
		ret = store_device_is_blocked(g->store, &a->to, &is_blocked);
	if (ret)
		return reply_failed("clients.move", ret);
	if (outcome)
		return client_refused(outcome, &a->from);
	say_moved(message, &a->from, &a->to, is_blocked);
	return client_changed(g, &a->to, message);
}

/* Does a rate of the device's own hold in place of its session's? */
static bool is_slower_itself(struct gatehoused *g, const struct mac *mac)
{
	struct holder holder;
	struct rates both;

	if (store_holder_lookup(g->store, mac, &holder))
		return false;
	both = rates_lower(&holder.credit.rates, &holder.rates);
	return both.up != holder.credit.rates.up ||
	       both.down != holder.credit.rates.down;
}

json_t *op_clients_rate(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_rate *a = args;
	struct rates rates = {RATE_KEEP, RATE_KEEP, RATE_KEEP, RATE_KEEP};
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	json_t *refusal;
	int ret;

	if (!is_rated(&a->rates))
		return reply_refuse(CTL_bad_request,
			"Give a rate: up, down, slow up or slow down.");
	refusal = rates_of(&a->rates, true, &rates);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->mac);
	ret = session_rate(&g->rules, &a->mac, &rates, &now, &outcome);
	if (!ret && !outcome)
		ret = audit_now(g, caller, "rate", &a->mac, NULL);
	if (ret)
		return reply_failed("clients.rate", ret);
	if (outcome)
		return client_refused(outcome, &a->mac);
	return is_slower_itself(g, &a->mac)
		       ? client_changed(g, &a->mac,
				 "The device has lower rates of its own, and "
				 "those hold: see `gatehousectl limit`.")
		       : client_reply(g, &a->mac);
}
