/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which plans are shown to a guest, and in which order. How each may be paid for
 * is the plan's own matter (`coin`), or the desk's.
 */
#include "rules/offer.h"

#include <string.h>

#define AT_ONCE 32 /* plans read from the store */

static bool is_before(const struct plan *a, const struct plan *b)
{
	if (a->price_minor != b->price_minor)
		return a->price_minor < b->price_minor;
	return a->seconds > b->seconds;
}

/* Puts it where it belongs; the last one makes room when there is none. */
static int insert(struct plan *rows, int count, int max, const struct plan *plan)
{
	int at = count;

	while (at > 0 && is_before(plan, &rows[at - 1]))
		at--;
	if (at == max)
		return count;
	count = MIN(count + 1, max);
	memmove(&rows[at + 1], &rows[at],
		(size_t)(count - 1 - at) * sizeof(*rows));
	rows[at] = *plan;
	return count;
}

int offer_plans(struct rules *rules, const struct guest *guest,
	struct plan *rows, int max)
{
	struct plan list[AT_ONCE];
	int64_t after = 0;
	int n, i, count = 0;

	do {
		n = store_plan_list(rules->store, false, after, list, AT_ONCE);
		for (i = 0; i < n; i++) {
			after = list[i].id;
			if (list[i].price_minor > 0 &&
				guest_is_in(guest, list[i].networks))
				count = insert(rows, count, max, &list[i]);
		}
	} while (n == AT_ONCE);
	return n < 0 ? n : count;
}
