/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest may choose from (N2): the plans on sale with what each gives and
 * costs. That they can be paid for by coin is said where there is a slot.
 */
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "daemon/terms.h"
#include "rules/offer.h"

static json_t *offer_json(const struct gatehoused *g, const struct plan *plan)
{
	json_t *object = json_pack("{s:I, s:s, s:o, s:o, s:I, s:s, s:I, s:b}",
		"id", (json_int_t)plan->id, "name", plan->name, "minutes",
		json_limit(plan->seconds == UNLIMITED ? UNLIMITED
						      : plan->seconds / 60),
		"megabytes",
		json_limit(plan->bytes == UNLIMITED
				   ? UNLIMITED
				   : plan->bytes / CTL_MEGABYTE),
		"priceMinor", (json_int_t)plan->price_minor, "currency",
		plan->currency, "devices", (json_int_t)plan->devices, "coin",
		plan->coin && g->config.coin_count > 0);

	json_add_rates(object, &plan->rates);
	json_object_set_new(object, "counts",
		plan->bytes == UNLIMITED
			? json_null()
			: json_string(counts_name(plan->terms.counts)));
	json_object_set_new(object, "hours", json_name(plan->terms.hours));
	json_object_set_new(object, "validDays",
		json_limit(plan->terms.valid_days ?: UNLIMITED));
	return object;
}

json_t *op_guest_plans(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct guest guest = {&caller->mac, caller->network_name};
	struct plan plans[OFFER_PLANS_MAX];
	json_t *items, *reply;
	int n, i;

	n = offer_plans(&g->rules, &guest, plans, OFFER_PLANS_MAX);
	if (n < 0)
		return reply_failed("guest.plans", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, offer_json(g, &plans[i]));
	reply = reply_fields("{s:o, s:o, s:s}", "plans", items, "mac",
		json_mac(&caller->mac), "network", caller->network_name);
	terms_add(g, &caller->mac, reply);
	return reply;
}
