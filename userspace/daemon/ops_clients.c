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
#include "daemon/sync.h"
#include "rules/token.h"

#define STAFF_MINUTES 60 /* what staff may give or take at once (N13) */
#define BYTES_PER_MEGABYTE 1000000

static json_t *client_reply(struct gatehoused *g, const struct mac *mac)
{
	json_t *object, *reply;
	int ret = json_client(g, mac, &object);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"No device with this address is known.");
	if (ret)
		return reply_failed("reading a device", ret);
	reply = reply_ok();
	json_object_update(reply, object);
	json_decref(object);
	return reply;
}

static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct mac *mac, const char *detail)
{
	return store_audit(g->store, clock_wall_sec(), caller->who, operation,
		mac, 0, detail);
}

struct captives {
	struct gatehoused *g;
	json_t *items;
	int room;
	int ret;
};

/* Clients that only the kernel knows. */
static int add_captive(void *data, const struct captive *captive)
{
	struct captives *captives = data;
	struct device device;
	json_t *object;
	int ret;

	if (captives->room == 0)
		return 1;
	ret = store_device_lookup(
		captives->g->store, &captive->mac, &device);
	if (ret != -ENOENT)
		return MIN(ret, 0);
	ret = json_client(captives->g, &captive->mac, &object);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	json_array_append_new(captives->items, object);
	captives->room--;
	return 0;
}

static int add_devices(struct gatehoused *g, const struct args_list *a,
	int limit, json_t *items, json_int_t *ret_next)
{
	struct captives captives = {g, items, limit, 0};
	struct device rows[OPS_LIST_MAX];
	json_t *object;
	int n, i, ret;

	n = store_device_list(g->store, a->after, rows, limit);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		ret = json_client(g, &rows[i].mac, &object);
		if (ret)
			return ret;
		json_array_append_new(items, object);
	}
	*ret_next = n == limit ? rows[n - 1].id : -1;
	if (n == limit)
		return 0;
	captives.room = limit - n;
	ret = captive_each(g->dp, add_captive, &captives);
	return MIN(ret, 0);
}

json_t *op_clients_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	json_t *items = json_array();
	json_int_t next = -1;
	int ret = add_devices(g, a, limit, items, &next);

	if (ret) {
		json_decref(items);
		return reply_failed("clients.list", ret);
	}
	return reply_fields("{s:o, s:o}", "items", items, "next",
		next < 0 ? json_null() : json_integer(next));
}

json_t *op_clients_get(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;

	return client_reply(g, &a->mac);
}

/* What is given, from the arguments. NULL, or a refusal. */
static json_t *allowance_of(struct gatehoused *g, const struct caller *caller,
	const struct args_allow *a, struct plan *plan,
	struct allowance *ret_allowance)
{
	int64_t minutes;
	int ret;

	if (a->plan_set == a->minutes_set || (a->minutes_set && !a->minutes))
		return reply_refuse(CTL_bad_request,
			"Say minutes (not 0) or a plan.");
	*ret_allowance = (struct allowance){
		.seconds = a->minutes * 60,
		.bytes = a->megabytes_set ? a->megabytes * BYTES_PER_MEGABYTE
					  : UNLIMITED,
	};
	minutes = a->minutes < 0 ? -a->minutes : a->minutes;
	if (a->plan_set) {
		ret = store_plan_by_name(g->store, a->plan, plan);
		if (ret == -ENOENT)
			return reply_refuse(CTL_not_found,
				"There is no plan \"%s\".", a->plan);
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

json_t *op_clients_allow(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_allow *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct allowance allowance;
	struct account account;
	struct plan plan;
	json_t *refusal;
	char detail[64];
	int ret;

	refusal = allowance_of(g, caller, a, &plan, &allowance);
	if (!refusal)
		refusal = refuse_without_room(g, &a->mac);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->mac);
	ret = session_allow(
		&g->rules, &a->mac, &allowance, &now, &account, &outcome);
	if (!ret && !outcome)
		ret = device_seen(g, &a->mac, NULL);
	snprintf(detail, sizeof(detail), "%lld s",
		(long long)allowance.seconds);
	if (!ret && !outcome)
		ret = audit(g, caller, "allow", &a->mac, detail);
	if (ret)
		return reply_failed("clients.allow", ret);
	return outcome ? reply_outcome(outcome) : client_reply(g, &a->mac);
}

json_t *op_clients_block(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_block *a = args;
	struct device device;
	json_t *refusal;
	int ret;

	refusal = a->blocked ? refuse_without_room(g, &a->mac) : NULL;
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->mac);
	ret = device_seen(g, &a->mac, &device);
	if (!ret) {
		device.blocked = a->blocked;
		ret = store_device_put(g->store, &device);
	}
	if (!ret)
		ret = audit(g, caller, a->blocked ? "block" : "unblock",
			&a->mac, NULL);
	if (ret)
		return reply_failed("clients.block", ret);
	return reply_fields("{s:s}", "message",
		a->blocked ? "The device is blocked."
			   : "The device is not blocked any more.");
}

json_t *op_clients_kick(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	int ret;

	sync_touch(g->sync, &a->mac);
	ret = session_kick(&g->rules, &a->mac, &now, &outcome);
	if (!ret && !outcome)
		ret = audit(g, caller, "kick", &a->mac, NULL);
	if (ret)
		return reply_failed("clients.kick", ret);
	if (outcome)
		return reply_outcome(outcome);
	return reply_fields("{s:s}", "message", "The session is ended.");
}

json_t *op_clients_move(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_move *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	char to[MAC_TEXT];
	json_t *refusal;
	int ret;

	if (mac_equal(&a->from, &a->to))
		return reply_refuse(
			CTL_bad_request, "from and to are the same device.");
	refusal = refuse_without_room(g, &a->to);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &a->from);
	sync_touch(g->sync, &a->to);
	ret = session_move(&g->rules, &a->from, &a->to, &now, &outcome);
	if (!ret && !outcome)
		ret = device_seen(g, &a->to, NULL);
	if (!ret && !outcome)
		ret = audit(
			g, caller, "move", &a->from, mac_format(&a->to, to));
	if (ret)
		return reply_failed("clients.move", ret);
	if (outcome)
		return reply_outcome(outcome);
	return reply_fields(
		"{s:s}", "message", "The session is with the other device.");
}

json_t *op_clients_set(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_describe *a = args;
	struct device device;
	int ret;

	if (!a->name_set && !a->note_set)
		return reply_refuse(CTL_bad_request, "Say a name or a note.");
	ret = device_seen(g, &a->mac, &device);
	if (a->name_set)
		memcpy(device.name, a->name, sizeof(device.name));
	if (a->note_set)
		memcpy(device.note, a->note, sizeof(device.note));
	if (!ret)
		ret = store_device_put(g->store, &device);
	if (!ret)
		ret = audit(g, caller, "describe", &a->mac, NULL);
	if (ret)
		return reply_failed("clients.set", ret);
	return client_reply(g, &a->mac);
}
