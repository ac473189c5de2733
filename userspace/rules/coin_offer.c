/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an amount of coins buys: of all ways to spend it on plans that are sold
 * by coin, the one with the most time, and among those the cheapest.
 */
#include "rules/coin.h"

#include <string.h>

#define UNITS_MAX 4096 /* steps of the search */

int coin_plans(struct rules *rules, const struct guest *guest,
	const char *currency, struct plan *rows, int max)
{
	struct plan list[COIN_PLANS_MAX];
	int64_t after = 0;
	int n, i, at, count = 0;

	do {
		n = store_plan_list(
			rules->store, false, after, list, COIN_PLANS_MAX);
		for (i = 0; i < n; i++) {
			const struct plan *plan = &list[i];

			after = plan->id;
			if (!plan->coin || plan->price_minor <= 0 ||
				plan->seconds == UNLIMITED || count == max ||
				strcmp(plan->currency, currency) ||
				!guest_is_in(guest, plan->networks))
				continue;
			for (at = count++; at > 0 && rows[at - 1].price_minor >
							     plan->price_minor;
				at--)
				rows[at] = rows[at - 1];
			rows[at] = *plan;
		}
	} while (n == COIN_PLANS_MAX);
	return n < 0 ? n : count;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* best[i]: most seconds for i units; last[i]: the plan bought last for it, -1:
 * the unit is not spent. */
struct search {
	int64_t best[UNITS_MAX + 1];
	int16_t last[UNITS_MAX + 1];
};

/* Adds to `times` how often each of `n` plans is bought for so many units. */
static void search_best(const struct plan *plans, int n, int64_t unit,
	int64_t units, int64_t *times)
{
	_cleanup_free_ struct search *s = xcalloc(1, sizeof(*s));
	int64_t i;
	int at;

	for (i = 0; i <= units; i++) {
		s->last[i] = -1;
		s->best[i] = i ? s->best[i - 1] : 0;
		for (at = 0; at < n; at++) {
			int64_t cost = plans[at].price_minor / unit;

			if (cost <= i && s->best[i - cost] + plans[at].seconds >
						 s->best[i]) {
				s->best[i] = s->best[i - cost] +
					     plans[at].seconds;
				s->last[i] = (int16_t)at;
			}
		}
	}
	for (i = units; i > 0;) {
		at = s->last[i];
		if (at >= 0)
			times[at]++;
		i -= at < 0 ? 1 : plans[at].price_minor / unit;
	}
}

/* The plan with the most time for its money. */
static int best_value(const struct plan *plans, int n)
{
	int i, best = 0;

	for (i = 1; i < n; i++)
		if ((__int128)plans[i].seconds * plans[best].price_minor >
			(__int128)plans[best].seconds * plans[i].price_minor)
			best = i;
	return best;
}

static void fill_offer(struct coin_offer *offer, const struct plan *plans,
	const int64_t *times, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!times[i])
			continue;
		offer->parts[offer->count++] =
			(struct coin_part){plans[i], times[i]};
		offer->minor += times[i] * plans[i].price_minor;
		offer->seconds += times[i] * plans[i].seconds;
	}
}

int coin_offer(struct rules *rules, const struct guest *guest,
	const char *currency, int64_t amount_minor, struct coin_offer *ret_offer)
{
	struct plan plans[COIN_PLANS_MAX];
	int64_t times[COIN_PLANS_MAX] = {0};
	int64_t unit = 0, left = amount_minor;
	int n, i, best;

	memset(ret_offer, 0, sizeof(*ret_offer));
	n = coin_plans(rules, guest, currency, plans, COIN_PLANS_MAX);
	if (n <= 0)
		return n;
	for (i = 0; i < n; i++)
		unit = common_divisor(plans[i].price_minor, unit);
	/* Of a great sum the bulk goes to the best plan; the search needs only
	 * what is left of it. */
	if (left / unit > UNITS_MAX) {
		int64_t beyond = left - UNITS_MAX * unit;

		best = best_value(plans, n);
		times[best] = MIN((beyond - 1) / plans[best].price_minor + 1,
			left / plans[best].price_minor);
		left -= times[best] * plans[best].price_minor;
	}
	search_best(plans, n, unit, MIN(left / unit, UNITS_MAX), times);
	fill_offer(ret_offer, plans, times, n);
	return 0;
}
