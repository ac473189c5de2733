/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One credit: what is left of it, what is put on it and what is taken from it.
 * Pure: the clock is an argument, and which credit is in use is account.c's.
 */
#include "rules/credit.h"

#include <string.h>

int64_t credit_full_bytes_left(const struct credit *credit)
{
	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->bytes - credit_counted(credit), 0);
}

bool credit_ends_by_bytes(const struct credit *credit)
{
	return credit->bytes != UNLIMITED && !rates_have_slow(&credit->rates);
}

int64_t credit_bytes_left(const struct credit *credit)
{
	return credit_ends_by_bytes(credit) ? credit_full_bytes_left(credit)
					    : UNLIMITED;
}

int64_t credit_time_left(const struct credit *credit, int64_t now_ns)
{
	if (credit->deadline_ns != UNLIMITED)
		return MAX(credit->deadline_ns - now_ns, 0);
	return credit->left_ns;
}

int64_t credit_time_to_use(const struct credit *credit, const struct moment *now)
{
	int64_t left_ns = credit_time_left(credit, now->mono_ns);

	if (!credit->valid_until)
		return left_ns;
	return MIN(left_ns, MAX(credit->valid_until - now->wall_sec, 0) *
				    NSEC_PER_SEC);
}

void credit_stop(struct credit *credit, int64_t at_ns)
{
	credit->left_ns = credit_time_left(credit, at_ns);
	credit->deadline_ns = UNLIMITED;
}

void credit_use_up(struct credit *credit, int64_t at_ns)
{
	credit_stop(credit, at_ns);
	credit->state = CREDIT_USED;
}

void credit_take_time(struct credit *credit, int64_t ns)
{
	if (credit->deadline_ns != UNLIMITED)
		credit->deadline_ns -= ns;
	else
		credit->left_ns -= ns;
	if (credit->full_ns != UNLIMITED)
		credit->full_ns -= ns;
}

int64_t credit_sum(int64_t have, int64_t more)
{
	if (have == UNLIMITED || more == UNLIMITED || have > UNLIMITED - more)
		return UNLIMITED;
	return have + more;
}

static bool rates_equal(const struct rates *a, const struct rates *b)
{
	return a->up == b->up && a->down == b->down &&
	       a->slow_up == b->slow_up && a->slow_down == b->slow_down;
}

/* What ends on a day has a day of its own. */
static bool terms_equal(const struct terms *a, const struct terms *b)
{
	return a->counts == b->counts && !strcmp(a->hours, b->hours) &&
	       a->idle_sec == b->idle_sec && !a->valid_days && !b->valid_days;
}

bool credit_is_more_of(const struct credit *last, const struct credit *credit)
{
	static const struct rates none;

	/* What several devices share, or a member has, stays what it is. */
	return last->kind == credit->kind && last->plan_id == credit->plan_id &&
	       !last->group_id && !credit->group_id && !last->member_id &&
	       !credit->member_id &&
	       terms_equal(&last->terms, &credit->terms) &&
	       (rates_equal(&last->rates, &credit->rates) ||
		       (!credit->plan_id && rates_equal(&credit->rates, &none)));
}

/* What went at the slow rate does not count against what is bought now. */
static int64_t bytes_begun(const struct credit *credit)
{
	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->bytes, credit_counted(credit));
}

void credit_add(struct credit *last, const struct credit *credit)
{
	if (last->deadline_ns != UNLIMITED) {
		last->deadline_ns =
			credit_sum(last->deadline_ns, credit->left_ns);
		/* No end: the clock has nothing to count. */
		if (last->deadline_ns == UNLIMITED)
			last->left_ns = UNLIMITED;
	} else {
		last->left_ns = credit_sum(last->left_ns, credit->left_ns);
	}
	/* Time alone lifts no limit of bytes. */
	if (credit->plan_id || credit->bytes != UNLIMITED)
		last->bytes = credit_sum(bytes_begun(last), credit->bytes);
	last->full_ns = credit_sum(last->full_ns, credit->left_ns);
	last->moves_left = MAX(last->moves_left, credit->moves_left);
}

/* So often, up to what has no end. */
static int64_t times_of(int64_t amount, int64_t times)
{
	return amount == UNLIMITED || amount > UNLIMITED / times
		       ? UNLIMITED
		       : amount * times;
}

struct credit credit_of_plan(
	enum kind kind, const struct plan *plan, int64_t times)
{
	struct credit credit = {
		.kind = kind,
		.plan_id = plan->id,
		.left_ns = times_of(
			times_of(plan->seconds, NSEC_PER_SEC), times),
		.bytes = times_of(plan->bytes, times),
		.rates = plan->rates,
		.moves_left = plan->moves,
		.token_days = plan->token_days,
		.terms = plan->terms,
	};

	memcpy(credit.plan_name, plan->name, sizeof(credit.plan_name));
	memcpy(credit.networks, plan->networks, sizeof(credit.networks));
	return credit;
}
