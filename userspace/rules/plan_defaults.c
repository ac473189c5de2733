/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plans of a first start (N2): a table, written once. Whatever the
 * operator makes of them afterwards is never touched again.
 */
#include "rules/plan_defaults.h"

#include <string.h>

static const struct {
	const char *name;
	int64_t minutes;
	int64_t price_minor;
	int64_t token_days; /* a longer plan brings its own (P1) */
} defaults[] = {
	{"1 Hour", 60, 50000, UNLIMITED},
	{"Daily", 1440, 100000, UNLIMITED},
	{"Weekly", 10080, 500000, 7},
	{"Monthly", 43200, 2000000, 30},
};

int plan_defaults(struct rules *rules, const char *currency)
{
	struct plan plan;
	size_t i;
	int ret = store_plan_list(rules->store, true, 0, &plan, 1);

	if (ret)
		return MIN(ret, 0);
	for (i = 0; i < ARRAY_SIZE(defaults); i++) {
		plan = (struct plan){
			.seconds = defaults[i].minutes * 60,
			.bytes = UNLIMITED,
			.rates = {.up = 10000, .down = 10000},
			.price_minor = defaults[i].price_minor,
			.token_days = defaults[i].token_days,
			.is_active = true,
		};
		snprintf(plan.name, sizeof(plan.name), "%s", defaults[i].name);
		snprintf(plan.currency, sizeof(plan.currency), "%s", currency);
		ret = store_plan_insert(rules->store, &plan, NULL);
		if (ret)
			return ret;
	}
	return 0;
}
