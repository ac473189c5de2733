/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The credits of a session, one after another: which one is in use, when the
 * next one's turn comes, what joins them and what is taken from them. The clock
 * of one runs at most, and between two there is no gap.
 */
#include "rules/session.h"

#include "rules/kinds.h"
#include "rules/pause.h"
#include "rules/standing.h"

struct credit *account_in_use(struct account *account)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state == CREDIT_IN_USE)
			return &account->credits[i];
	return NULL;
}

static struct credit *first_waiting(struct account *account)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state == CREDIT_WAITING)
			return &account->credits[i];
	return NULL;
}

bool account_runs(const struct account *account, const struct credit *credit)
{
	return account->session.state == SESSION_RUNNING && !credit->is_resting;
}

void account_run_clock(struct account *account, int64_t from_ns)
{
	struct credit *credit = account_in_use(account);

	if (!credit)
		return;
	credit_stop(credit, from_ns);
	credit->heard_ns = from_ns;
	credit->is_idle = false;
	if (account_runs(account, credit))
		credit->deadline_ns = credit_sum(from_ns, credit->left_ns);
}

void account_use_up(struct account *account, int64_t at_ns)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED)
			credit_use_up(&account->credits[i], at_ns);
}

/* `ago_ns` before `now`, by both clocks. */
static struct moment before(const struct moment *now, int64_t ago_ns)
{
	return (struct moment){
		now->mono_ns - ago_ns, now->wall_sec - ago_ns / NSEC_PER_SEC};
}

/* The next one, from somewhat before `now` on. */
static void begin(struct account *account, struct credit *credit,
	int64_t from_ns, const struct moment *now)
{
	struct moment then = before(now, now->mono_ns - from_ns);

	credit->state = CREDIT_IN_USE;
	account_run_clock(account, from_ns);
	standing_begin(credit, &then);
	standing_by_hours(
		credit, account->session.state == SESSION_RUNNING, &then);
}

/* Somewhat before `now`, by both clocks. */
static void end_at(struct account *account, enum session_event event,
	int64_t at_ns, const struct moment *now)
{
	struct moment then = before(now, now->mono_ns - at_ns);

	account_change(account, event, NULL, &then);
}

bool account_settle(
	struct account *account, const struct moment *now, bool exhausted)
{
	enum session_event end = SESSION_EVENT_EMPTIED;
	int64_t at_ns = now->mono_ns;
	bool changed = false;

	while (account->session.state != SESSION_ENDED) {
		struct credit *credit = account_in_use(account);

		if (credit)
			changed |= standing_by_hours(credit,
				account->session.state == SESSION_RUNNING, now);
		if (!credit) {
			credit = first_waiting(account);
			if (credit)
				begin(account, credit, at_ns, now);
			else
				end_at(account, end, at_ns, now);
		} else if (credit_time_left(credit, now->mono_ns) == 0) {
			at_ns = MIN(credit->deadline_ns, now->mono_ns);
			end = SESSION_EVENT_EXPIRED;
			credit_use_up(credit, at_ns);
		} else if (standing_is_over(credit, now)) {
			at_ns = now->mono_ns;
			end = SESSION_EVENT_EXPIRED;
			credit_use_up(credit, at_ns);
		} else if (credit_ends_by_bytes(credit) &&
			   (exhausted || credit_full_bytes_left(credit) == 0)) {
			at_ns = now->mono_ns;
			end = SESSION_EVENT_USED_UP;
			credit_use_up(credit, at_ns);
		} else {
			break;
		}
		/* The kernel spoke of the credit that was in use. */
		exhausted = false;
		changed = true;
	}
	return changed;
}

bool account_prefer(struct account *account, const struct guest *guest,
	const struct moment *now)
{
	struct credit *in_use = account_in_use(account), *fit = NULL;
	int i;

	if (!in_use || guest_is_in(guest, in_use->networks))
		return false;
	for (i = 0; !fit && i < account->count; i++)
		if (account->credits[i].state == CREDIT_WAITING &&
			guest_is_in(guest, account->credits[i].networks))
			fit = &account->credits[i];
	if (!fit)
		return false;
	credit_stop(in_use, now->mono_ns);
	in_use->state = CREDIT_WAITING;
	begin(account, fit, now->mono_ns, now);
	return true;
}

static struct credit *same_at_end(
	struct account *account, const struct credit *credit)
{
	struct credit *last = NULL;
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED)
			last = &account->credits[i];
	return last && credit_is_more_of(last, credit) ? last : NULL;
}

/* Whoever bought time wants to use it: that ends a pause. */
static void extended(struct account *account, const struct credit *credit,
	const struct moment *now)
{
	const struct kind_rules *kind = kind_rules(credit->kind);

	account_change(account,
		account->is_new ? SESSION_EVENT_STARTED : SESSION_EVENT_EXTENDED,
		kind->name, now);
	account->is_new = false;
	if (kind->ends_pause)
		account_resume(account, SESSION_BY_USER, now);
}

/* `credit` became `place`, or part of it, among the account's. */
static int save_added(struct rules *rules, struct account *account,
	const struct credit *place, const struct credit *credit,
	const struct moment *now)
{
	int ret;

	extended(account, credit, now);
	account_settle(account, now, false);
	ret = account_save(rules, account);
	account->added.credit_id = place->id;
	account->added.ns = credit->left_ns;
	account->added.bytes = credit->bytes;
	return ret;
}

int account_add(struct rules *rules, struct account *account,
	const struct credit *credit, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct credit *last = same_at_end(account, credit);

	*ret_outcome = OUTCOME_OK;
	if (last) {
		credit_add(last, credit);
		return save_added(rules, account, last, credit, now);
	}
	if (account->count == CREDITS_MAX) {
		*ret_outcome = OUTCOME_CONFLICT;
		return 0;
	}
	last = &account->credits[account->count];
	*last = *credit;
	last->id = 0; /* new, whatever it is a copy of */
	last->position =
		account->count ? account->credits[account->count - 1].position + 1
			       : 1;
	last->state = CREDIT_WAITING;
	last->deadline_ns = UNLIMITED;
	/* A copy of another device's has it already. */
	if (!last->full_ns)
		last->full_ns = last->left_ns;
	last->turn_ns = 0;
	last->is_resting = last->is_idle = false;
	account->count++;
	return save_added(rules, account, last, credit, now);
}

static bool has_time(const struct account *account, int64_t now_ns)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED &&
			credit_time_left(&account->credits[i], now_ns) > 0)
			return true;
	return false;
}

void account_take(
	struct account *account, int64_t ns, const struct moment *now)
{
	int i;

	for (i = account->count - 1; i >= 0 && ns > 0; i--) {
		struct credit *credit = &account->credits[i];
		int64_t left, part;

		if (credit->state == CREDIT_USED)
			continue;
		left = credit_time_left(credit, now->mono_ns);
		/* Nothing can be taken from what has no end. */
		if (left == UNLIMITED)
			continue;
		part = MIN(left, ns);
		ns -= part;
		credit_take_time(credit, part);
		if (credit->state == CREDIT_WAITING && credit->left_ns == 0)
			credit->state = CREDIT_USED;
	}
	/* The last of it was taken, not used. */
	if (!has_time(account, now->mono_ns))
		account_change(account, SESSION_EVENT_KICKED, NULL, now);
	else
		account_change(account, SESSION_EVENT_REDUCED, SESSION_BY_OPERATOR,
			now);
	account_settle(account, now, false);
}
