/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest can buy, before he has chosen how to pay. */
#ifndef RULES_OFFER_H
#define RULES_OFFER_H

#include "rules/rules.h"

#define OFFER_PLANS_MAX 24 /* that a page shows */

/*
 * Plans on sale that are worth something where the guest is, the cheapest first,
 * and of one price the longest; up to `max` of them. One without a price is the
 * desk's to give, or the free one, and not offered. Returns how many, or an errno.
 */
int offer_plans(struct rules *rules, const struct guest *guest,
	struct plan *rows, int max);

#endif
