/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans, and what an operator does to a client by hand. A plan is copied into
 * the credit that is sold: changing it later changes nothing that was paid.
 */
#include "rules/plan.h"

#include <string.h>

#include "base/util.h"

/* Requirements: N2. Prices are minor units. */
static const struct plan defaults[] = {
	{ .name = "1 Hour", .seconds = 60 * 60, .price_minor = 50000 },
	{ .name = "Daily", .seconds = 1440 * 60, .price_minor = 100000 },
	{ .name = "Weekly", .seconds = 10080 * 60, .price_minor = 500000 },
	{ .name = "Monthly", .seconds = 43200 * 60, .price_minor = 2000000 },
};
#define DEFAULT_KBPS 10000
#define DAY_SEC (24 * 3600)

int plan_defaults(struct store *store, const char *currency, const struct moment *now)
{
	struct plan plan;
	int err = store_plan_list(store, 0, &plan, 1);
	int64_t id;

	if (err != 0)
		return MIN(err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(defaults) && err == 0; i++) {
		plan = defaults[i];
		plan.bytes = UNLIMITED;
		plan.up_kbps = DEFAULT_KBPS;
		plan.down_kbps = DEFAULT_KBPS;
		plan.devices = 1;
		/* A longer plan brings tokens as long as itself. */
		plan.token_days = plan.seconds > DAY_SEC ? plan.seconds / DAY_SEC : UNLIMITED;
		plan.is_active = true;
		snprintf(plan.currency, sizeof(plan.currency), "%s", currency);
		err = store_plan_insert(store, &plan, &id);
	}
	if (err == 0)
		err = store_audit(store, now->wall_sec, "gatehoused", "plans.defaults",
			NULL, 0, "");
	return err;
}

int plan_add(struct store *store, struct plan *plan, const char *who,
	const struct moment *now, enum outcome *ret_outcome)
{
	int err = store_plan_insert(store, plan, &plan->id);

	if (err == -EEXIST) {
		*ret_outcome = OUTCOME_NAME_TAKEN;
		return 0;
	}
	if (err == 0)
		err = store_audit(store, now->wall_sec, who, "plans.add", NULL, 0, plan->name);
	if (err == 0)
		*ret_outcome = OUTCOME_DONE;
	return err;
}

struct credit plan_credit(const struct plan *plan, enum kind kind)
{
	struct credit credit = {
		.kind = kind,
		.plan_id = plan->id,
		.left_ns = plan->seconds == UNLIMITED ? UNLIMITED
						      : plan->seconds * NSEC_PER_SEC,
		.bytes = plan->bytes,
		.up_kbps = plan->up_kbps,
		.down_kbps = plan->down_kbps,
		.moves_left = plan->moves,
		.token_days = plan->token_days,
	};

	memcpy(credit.plan_name, plan->name, sizeof(credit.plan_name));
	return credit;
}

static struct credit manual_credit(int64_t seconds, int64_t bytes)
{
	return (struct credit){
		.kind = KIND_MANUAL,
		.plan_name = "manual",
		.left_ns = seconds * NSEC_PER_SEC,
		.bytes = bytes,
		.moves_left = UNLIMITED,
		.token_days = UNLIMITED,
	};
}

int manual_allow(struct store *store, const struct mac *mac, int64_t seconds,
	int64_t bytes, const char *plan, const char *who,
	const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome)
{
	struct session session = { 0 };
	struct credit credit;
	struct plan row;
	char detail[120];
	int err = 0;

	snprintf(detail, sizeof(detail), "%lld s%s%s", (long long)seconds,
		plan ? ", plan " : "", plan ? plan : "");
	if (plan) {
		err = store_plan_by_name(store, plan, &row);
		if (err == -ENOENT) {
			*ret_outcome = OUTCOME_PLAN_UNKNOWN;
			return 0;
		}
		if (err < 0)
			return err;
		credit = plan_credit(&row, KIND_MANUAL);
	} else {
		credit = manual_credit(seconds, bytes);
	}
	if (!plan && seconds < 0)
		err = session_take(store, mac, -seconds, now, touched, ret_outcome);
	else
		err = session_give(store, mac, &credit, 0, rules, now, touched,
			ret_outcome, &session);
	if (err == 0 && *ret_outcome == OUTCOME_DONE)
		err = store_audit(store, now->wall_sec, who, "clients.allow", mac,
			session.id, detail);
	return err;
}

/* The client's row, or a fresh one. */
static int device_of(struct store *store, const struct mac *mac,
	const struct moment *now, struct device *ret_device)
{
	int err = store_device_lookup(store, mac, ret_device);

	if (err == -ENOENT) {
		*ret_device = (struct device){ .mac = *mac,
			.first_seen = now->wall_sec, .last_seen = now->wall_sec };
		return 0;
	}
	return err;
}

int client_block(struct store *store, const struct mac *mac, bool blocked,
	const char *who, const struct moment *now, const struct touched *touched)
{
	struct device device;
	int err = device_of(store, mac, now, &device);

	if (err < 0)
		return err;
	device.blocked = blocked;
	err = store_device_put(store, &device);
	if (err == 0)
		err = store_audit(store, now->wall_sec, who,
			blocked ? "clients.block" : "clients.unblock", mac, 0, "");
	if (err == 0 && touched)
		touched->fn(touched->data, mac);
	return err;
}

int client_describe(struct store *store, const struct mac *mac,
	const char *name, const char *note, const char *who,
	const struct moment *now)
{
	struct device device;
	int err = device_of(store, mac, now, &device);

	if (err < 0)
		return err;
	if (name)
		snprintf(device.name, sizeof(device.name), "%s", name);
	if (note)
		snprintf(device.note, sizeof(device.note), "%s", note);
	err = store_device_put(store, &device);
	if (err == 0)
		err = store_audit(store, now->wall_sec, who, "clients.set", mac, 0, "");
	return err;
}
