/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets free time, and how much of it. What was given is kept apart from
 * sessions, so that the end of a session gives nobody a second one.
 */
#include "rules/free.h"

#include <time.h>

#include "base/mac.h"
#include "rules/device.h"

#define HOUR_SEC 3600

/* 20261121, where the box is. */
static int64_t local_day(int64_t wall_sec)
{
	time_t t = wall_sec;
	struct tm tm;

	localtime_r(&t, &tm);
	return (tm.tm_year + 1900) * 10000LL + (tm.tm_mon + 1) * 100 +
	       tm.tm_mday;
}

/* What the device itself has to do with it. */
static int judge_device(struct rules *rules, const struct guest *guest,
	const struct moment *now, enum outcome *ret_outcome)
{
	bool is_blocked = false;
	struct account account;
	int64_t count = 0;
	int ret = store_device_is_blocked(rules->store, guest->mac, &is_blocked);

	if (!ret && is_blocked)
		*ret_outcome = OUTCOME_CLIENT_BLOCKED;
	if (ret || is_blocked)
		return ret;
	ret = account_load(rules, guest->mac, now, &account);
	if (!ret)
		*ret_outcome = account.session.state == SESSION_HELD
				       ? OUTCOME_SESSION_HELD
				       : OUTCOME_FREE_NOT_NEEDED;
	if (ret != -ENOENT)
		return ret;
	ret = store_free_use_count(rules->store, guest->mac,
		local_day(now->wall_sec), &count);
	if (!ret && count)
		*ret_outcome = OUTCOME_FREE_USED;
	return ret;
}

/* Are there too many who made up an address? */
static int judge_crowd(struct rules *rules, const struct guest *guest,
	const struct free_terms *terms, const struct moment *now,
	enum outcome *ret_outcome)
{
	int64_t count = 0;
	int ret = 0;

	if (mac_is_random(guest->mac))
		ret = store_free_random_count(rules->store,
			guest->network ?: "", now->wall_sec - HOUR_SEC, &count);
	if (!ret && mac_is_random(guest->mac) && count >= terms->random_per_hour)
		*ret_outcome = OUTCOME_FREE_FULL;
	return ret;
}

int free_offer(struct rules *rules, const struct guest *guest,
	const struct free_terms *terms, const struct moment *now,
	struct plan *ret_plan, enum outcome *ret_outcome)
{
	int ret;

	*ret_outcome = OUTCOME_OK;
	ret = terms->plan[0] ? store_plan_by_name(
				       rules->store, terms->plan, ret_plan)
			     : -ENOENT;
	if (ret) {
		*ret_outcome = OUTCOME_FREE_OFF;
		return ret == -ENOENT ? 0 : ret;
	}
	if (!guest_is_in(guest, ret_plan->networks)) {
		*ret_outcome = OUTCOME_OTHER_NETWORK;
		return 0;
	}
	ret = judge_device(rules, guest, now, ret_outcome);
	return ret || *ret_outcome
		       ? ret
		       : judge_crowd(rules, guest, terms, now, ret_outcome);
}

static int note(struct rules *rules, const struct guest *guest,
	const struct moment *now)
{
	struct free_use use = {
		.mac = *guest->mac,
		.day = local_day(now->wall_sec),
		.is_random = mac_is_random(guest->mac),
		.at = now->wall_sec,
	};

	snprintf(use.network, sizeof(use.network), "%s", guest->network ?: "");
	return store_free_use_insert(rules->store, &use);
}

int free_take(struct rules *rules, const struct guest *guest,
	const struct free_terms *terms, const struct moment *now,
	struct freed *ret_freed, enum outcome *ret_outcome)
{
	const struct rates most = {.up = terms->kbps, .down = terms->kbps};
	struct account *account = &ret_freed->account;
	struct credit credit;
	struct plan plan;
	int ret = free_offer(rules, guest, terms, now, &plan, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	credit = credit_of_plan(KIND_FREE, &plan, 1);
	credit.rates = rates_lower(&plan.rates, &most);
	credit.moves_left = 0;
	ret = note(rules, guest, now);
	if (!ret)
		ret = account_open(rules, guest->mac, now, account);
	if (!ret)
		ret = account_add(rules, account, &credit, now, ret_outcome);
	return ret || *ret_outcome
		       ? ret
		       : token_make(rules, account, now, ret_freed->token);
}
