/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about coins: a guest reserves a slot, sees what falls into it and
 * starts; an operator sees the slots, and what is nobody's or was left. What a
 * browser says of an amount is compared, never believed.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/coins.h"
#include "daemon/ops_handlers.h"
#include "daemon/sentences.h"
#include "daemon/sync.h"
#include "daemon/terms.h"

#define PESO 100 /* minor units of what a browser counts in */

/* The money of a lock, and what it buys for this guest. */
static int add_money(struct gatehoused *g, const struct guest *guest,
	const struct coin_lock *lock, json_t *object)
{
	int64_t rest = lock->credited_minor - lock->spent_minor;
	struct coin_offer offer;
	int ret = coin_offer(&g->rules, guest, lock->currency, rest, &offer);

	if (ret)
		return ret;
	json_object_set_new(object, "creditedMinor", json_integer(rest));
	if (rest % PESO)
		json_object_set_new(object, "pesos",
			json_real((double)rest / PESO));
	else
		json_object_set_new(object, "pesos", json_integer(rest / PESO));
	json_object_set_new(object, "currency", json_string(lock->currency));
	json_object_set_new(object, "minutes", json_integer(offer.seconds / 60));
	json_object_set_new(object, "costMinor", json_integer(offer.minor));
	return 0;
}

/* What may be bought, the cheapest first. */
static int add_rates(struct gatehoused *g, const struct guest *guest, json_t *object)
{
	struct plan plans[COIN_PLANS_MAX];
	json_t *rates = json_array();
	int n = coin_plans(&g->rules, guest, g->config.currency, plans,
		COIN_PLANS_MAX);
	int i;

	for (i = 0; i < n; i++)
		json_array_append_new(rates,
			json_pack("{s:s, s:I, s:s, s:I}", "plan",
				plans[i].name, "priceMinor",
				(json_int_t)plans[i].price_minor, "currency",
				plans[i].currency, "minutes",
				(json_int_t)(plans[i].seconds / 60)));
	json_object_set_new(object, "rates", rates);
	return MIN(n, 0);
}

/* "open": put coins in; "soon": a moment yet; otherwise how it ended. */
static const char *state_of(
	const struct coin_lock *lock, const struct moment *now)
{
	if (coin_is_open(lock, now))
		return now->mono_ns < lock->from_ns ? "soon" : "open";
	return coin_lock_state_name(lock->state == COIN_LOCK_OPEN
					    ? COIN_LOCK_OVER
					    : lock->state);
}

/* The lock as its own client sees it. */
static int add_lock(struct gatehoused *g, const struct guest *guest,
	const struct coin_lock *lock, const struct moment *now, json_t *object)
{
	int64_t left = coin_is_open(lock, now) ? lock->until_ns - now->mono_ns : 0;

	json_object_set_new(object, "slot", json_string(lock->slot));
	json_object_set_new(object, "state", json_string(state_of(lock, now)));
	json_object_set_new(object, "lockId", json_string(lock->key));
	json_object_set_new(object, "lock", json_integer(lock->id));
	json_object_set_new(object, "seconds", json_seconds(left));
	json_object_set_new(object, "coins", json_integer(lock->coins));
	return add_money(g, guest, lock, object);
}

/* Every slot: its name, and whether this client could have it now. */
static json_t *slots_json(struct gatehoused *g, const struct guest *guest,
	const struct moment *now)
{
	json_t *slots = json_array();
	struct coin_lock lock;
	int i;

	for (i = 0; i < g->config.coin_count; i++) {
		const struct config_coin *slot =
			coins_slot(g, g->config.coins[i].name);
		bool busy;

		if (!slot)
			continue;
		busy = coin_open_lock(&g->rules, slot->name, now, &lock) == 0 &&
		       !mac_equal(&lock.mac, guest->mac);
		json_array_append_new(slots,
			json_pack("{s:s, s:b, s:b}", "slot", slot->name, "ready",
				coins_is_ready(g, slot), "busy", busy));
	}
	return slots;
}

/* The slots show it, and its client. */
static json_t *lock_reply(struct gatehoused *g, const char *operation,
	const struct guest *guest, const struct coin_lock *lock,
	const struct moment *now, bool with_rates)
{
	json_t *reply = reply_ok();
	int ret;

	coins_touch(g);
	ret = add_lock(g, guest, lock, now, reply);
	if (!ret && with_rates)
		ret = add_rates(g, guest, reply);
	if (!ret)
		return reply;
	json_decref(reply);
	return reply_failed(operation, ret);
}

static struct guest guest_of(const struct caller *caller)
{
	return (struct guest){&caller->mac, caller->network_name};
}

static json_t *no_slot(void)
{
	return reply_refuse(CTL_not_found, "There is no such coin slot here.");
}

json_t *op_coins_lock(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_coin *a = args;
	const struct config_coin *slot = coins_slot(g, a->slot);
	struct guest guest = guest_of(caller);
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct coin_lock lock;
	int64_t wait_ns = 0;
	json_t *reply;
	int ret;

	if (!slot)
		return no_slot();
	if (!coins_is_ready(g, slot))
		return reply_refuse(CTL_slot_offline,
			"The coin slot is out of order. Please ask at the desk.");
	reply = refuse_without_room(g, &caller->mac);
	if (reply)
		return reply;
	ret = coin_lock(&g->rules, &guest, slot->name, g->config.currency, &now,
		&lock, &wait_ns, &outcome);
	if (ret)
		return reply_failed("coins.lock", ret);
	if (outcome) {
		reply = reply_outcome(outcome);
		if (wait_ns)
			json_object_set_new(
				reply, "retryAfter", json_seconds(wait_ns));
		return reply;
	}
	return lock_reply(g, "coins.lock", &guest, &lock, &now, true);
}

json_t *op_coins_status(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_coin *a = args;
	struct guest guest = guest_of(caller);
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct coin_lock lock;
	json_t *reply;
	int ret = coin_status(&g->rules, &guest, a->lock_set ? a->lock : NULL,
		&lock, &outcome);

	/* One that was not named need not be there. */
	if (!ret && outcome && a->lock_set)
		return reply_outcome(outcome);
	reply = reply_ok();
	terms_add(g, &caller->mac, reply);
	json_object_set_new(reply, "slots", slots_json(g, &guest, &now));
	if (!ret)
		ret = add_rates(g, &guest, reply);
	if (!ret && !outcome)
		ret = add_lock(g, &guest, &lock, &now, reply);
	else if (!ret)
		json_object_set_new(reply, "state", json_string("none"));
	if (!ret)
		return reply;
	json_decref(reply);
	return reply_failed("coins.status", ret);
}

json_t *op_coins_done(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_coin *a = args;
	struct guest guest = guest_of(caller);
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct coin_lock lock;
	int ret = coin_done(&g->rules, &guest, a->lock_set ? a->lock : NULL,
		&now, &lock, &outcome);

	if (ret)
		return reply_failed("coins.done", ret);
	if (outcome)
		return reply_outcome(outcome);
	return lock_reply(g, "coins.done", &guest, &lock, &now, false);
}

/* In the words of P2: a mismatch is refused with what is really there. */
static json_t *refuse_start(struct gatehoused *g, const struct guest *guest,
	const struct coin_started *started, enum outcome outcome)
{
	json_t *reply = reply_outcome(outcome);

	if ((outcome == OUTCOME_AMOUNT_DIFFERS ||
		    outcome == OUTCOME_AMOUNT_SMALL) &&
		add_money(g, guest, &started->lock, reply))
		log_warning("coins: cannot say what was inserted");
	return reply;
}

/* What it has cost, for the audit: "500 PHP, slot main, lock 17". */
static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct coin_started *started,
	const struct moment *now)
{
	char detail[120], money[SENTENCES_MONEY];

	snprintf(detail, sizeof(detail), "%s, slot %s, lock %lld",
		say_money(money, started->paid_minor, started->lock.currency),
		started->lock.slot, (long long)started->lock.id);
	return store_audit(g->store, now->wall_sec, caller->who, operation,
		&started->account.session.mac, started->account.session.id,
		detail);
}

json_t *op_sessions_start(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_start *a = args;
	const struct coin_claim claim = {
		.minutes = a->minutes_set ? a->minutes : UNLIMITED,
		.amount_minor = a->pesos_set ? a->pesos * PESO : UNLIMITED,
		.slot = a->slot,
	};
	struct guest guest = guest_of(caller);
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct coin_started started;
	json_t *reply = refuse_without_room(g, &caller->mac);
	int ret;

	if (reply)
		return reply;
	sync_touch(g->sync, &caller->mac);
	ret = coin_start(&g->rules, &guest, a->lock, &claim, &now, &started,
		&outcome);
	if (!ret && !outcome)
		ret = device_seen(g, &caller->mac, NULL);
	if (!ret && !outcome && started.paid_minor)
		ret = audit(g, caller, "coins start", &started, &now);
	if (ret)
		return reply_failed("sessions.start", ret);
	if (outcome)
		return refuse_start(g, &guest, &started, outcome);
	coins_touch(g);
	reply = reply_ok();
	json_object_set_new(reply, "token", json_string(started.token));
	json_object_set_new(reply, "paidMinor",
		json_integer(started.paid_minor));
	json_object_set_new(reply, "restMinor",
		json_integer(started.lock.credited_minor -
			     started.lock.spent_minor));
	json_object_set_new(
		reply, "currency", json_string(started.lock.currency));
	json_add_own(reply, caller, &started.account, &now);
	return reply;
}

/* Operators. */

static json_t *rest_json(const struct coin_lock *lock)
{
	bool is_nobodys = lock->state == COIN_LOCK_UNCLAIMED;

	return json_pack("{s:I, s:s, s:o, s:s, s:o, s:I, s:I, s:s}", "id",
		(json_int_t)lock->id, "slot", lock->slot, "mac",
		is_nobodys ? json_null() : json_mac(&lock->mac), "state",
		coin_lock_state_name(lock->state), "at",
		json_time(lock->created_at), "coins", (json_int_t)lock->coins,
		"amountMinor",
		(json_int_t)(lock->credited_minor - lock->spent_minor),
		"currency", lock->currency);
}

static json_t *operator_slot(struct gatehoused *g,
	const struct config_coin *slot, const struct moment *now)
{
	struct coin_lock lock;
	bool open = coin_open_lock(&g->rules, slot->name, now, &lock) == 0;

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:I}", "slot",
		slot->name, "acceptor", slot->socket[0] ? "socket" : "gpio",
		"ready", coins_is_ready(g, slot), "lock",
		open ? json_integer(lock.id) : json_null(), "mac",
		open ? json_mac(&lock.mac) : json_null(), "seconds",
		json_seconds(open ? lock.until_ns - now->mono_ns : 0),
		"valueMinor", (json_int_t)slot->value_minor);
}

json_t *op_coins_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct coin_lock rows[OPS_LIST_MAX];
	struct moment now = moment_now();
	struct coin_sums sums = {0};
	json_t *items, *slots;
	int n, i, ret;

	n = store_coin_lock_rests(g->store, NULL,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	ret = n < 0 ? n : store_coin_sums(g->store, &sums);
	if (ret)
		return reply_failed("coins.list", ret);
	items = json_array();
	slots = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, rest_json(&rows[i]));
	for (i = 0; i < g->config.coin_count; i++) {
		const struct config_coin *slot =
			coins_slot(g, g->config.coins[i].name);

		if (slot)
			json_array_append_new(
				slots, operator_slot(g, slot, &now));
	}
	return reply_fields("{s:o, s:o, s:I, s:I, s:I, s:s, s:o}", "slots",
		slots, "items", items, "insertedMinor",
		(json_int_t)sums.pulses_minor, "soldMinor",
		(json_int_t)sums.paid_minor, "restMinor",
		(json_int_t)sums.rest_minor, "currency", g->config.currency,
		"next", n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_coins_claim(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_claim *a = args;
	struct guest guest = {&a->mac, NULL};
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct coin_started started;
	json_t *reply = refuse_without_room(g, &a->mac);
	char message[160], money[SENTENCES_MONEY];
	uint32_t network;
	int64_t seen_ns;
	int ret;

	if (reply)
		return reply;
	/* Where it is: what is sold there, and whose revenue it is. */
	client_sight(g, &a->mac, &network, &seen_ns);
	guest.network = network_name_of(g, network);
	sync_touch(g->sync, &a->mac);
	ret = coin_claim(
		&g->rules, a->id, &guest, &now, &started, &outcome);
	if (!ret && !outcome)
		ret = device_known(g, &a->mac, NULL);
	if (!ret && !outcome)
		ret = audit(g, caller, "coins claim", &started, &now);
	if (ret)
		return reply_failed("coins.claim", ret);
	if (outcome == OUTCOME_LOCK_UNKNOWN)
		return reply_refuse(CTL_not_found,
			"There is no money under that number; see "
			"`gatehousectl coins`.");
	if (outcome)
		return refuse_start(g, &guest, &started, outcome);
	coins_touch(g);
	snprintf(message, sizeof(message),
		"The device has %lld minutes for %s.",
		(long long)(started.offer.seconds / 60),
		say_money(money, started.paid_minor, started.lock.currency));
	return reply_fields("{s:I, s:I, s:s}", "minutes",
		(json_int_t)(started.offer.seconds / 60), "paidMinor",
		(json_int_t)started.paid_minor, "message", message);
}
