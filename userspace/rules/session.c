/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a session. Everything that ends, starts or lengthens one passes
 * through here and account.c, whatever the kind, so the sum of what a guest has
 * only changes by use, sale, expiry and an operator's word.
 */
#include "rules/session.h"

#include <string.h>

#include "rules/hours.h"
#include "rules/kinds.h"
#include "rules/pause.h"
#include "rules/standing.h"

#define FROM(state) (1U << (state))
#define LIVE (FROM(SESSION_RUNNING) | FROM(SESSION_PAUSED) | FROM(SESSION_HELD))
#define ENDS SESSION_ENDED
#define STAYS (-1)

/*
 * The one table of what may happen to a session, whatever the kind of its
 * credits. It begins running, or in the state of the one that it is split from;
 * every later change of its state is a row. `name` and `reason` are told to
 * those who listen, `end_reason` is kept. Without a reason whoever causes it
 * gives one.
 */
/* clang-format off */
static const struct {
	unsigned int from;
	int to;
	const char *name, *reason, *end_reason;
} transitions[] = {
	[SESSION_EVENT_STARTED] = {LIVE, STAYS, "start"},
	[SESSION_EVENT_EXTENDED] = {LIVE, STAYS, "extend"},
	[SESSION_EVENT_REDUCED] = {LIVE, STAYS, "reduce"},
	[SESSION_EVENT_PAUSED] = {FROM(SESSION_RUNNING), SESSION_PAUSED, "pause"},
	[SESSION_EVENT_RESUMED] = {FROM(SESSION_PAUSED), SESSION_RUNNING, "resume"},
	[SESSION_EVENT_STANDS] = {FROM(SESSION_RUNNING), STAYS, "pause"},
	[SESSION_EVENT_GOES_ON] = {FROM(SESSION_RUNNING), STAYS, "resume"},
	[SESSION_EVENT_HELD] = {FROM(SESSION_RUNNING) | FROM(SESSION_PAUSED), SESSION_HELD, "hold"},
	[SESSION_EVENT_RELEASED] = {FROM(SESSION_HELD), SESSION_RUNNING, "release"},
	[SESSION_EVENT_RELEASED_PAUSED] = {FROM(SESSION_HELD), SESSION_PAUSED, "release"},
	[SESSION_EVENT_BLOCKED] = {LIVE, STAYS, "block"},
	[SESSION_EVENT_UNBLOCKED] = {LIVE, STAYS, "unblock"},
	[SESSION_EVENT_MOVED] = {LIVE, STAYS, "move", "device moved"},
	[SESSION_EVENT_EXPIRED] = {LIVE, ENDS, "end", "time", "expired"},
	[SESSION_EVENT_USED_UP] = {LIVE, ENDS, "end", "bytes", "used up"},
	[SESSION_EVENT_EMPTIED] = {LIVE, ENDS, "end", "empty", "empty"},
	[SESSION_EVENT_KICKED] = {LIVE, ENDS, "end", "operator", "ended by operator"},
	[SESSION_EVENT_REMOVED] = {LIVE, ENDS, "end", "removed", "removed by its guest"},
	[SESSION_EVENT_JOINED] = {LIVE, ENDS, "end", "joined", "joined another"},
	[SESSION_EVENT_FORGOTTEN] = {LIVE, ENDS, "end", "restore", "over before restore"},
	[SESSION_EVENT_REFUNDED] = {LIVE, STAYS, "refund"},
	[SESSION_EVENT_ENDED_BY_REFUND] = {LIVE, ENDS, "end", "refund", "refunded"},
};
/* clang-format on */

/* To be told when it is saved. More than there is room for is told as the last
 * one: nothing does so much to a session at once. */
static void note(struct account *account, enum session_event event,
	const char *reason, const struct moment *now)
{
	struct happened *happened =
		&account->happened[MIN(account->happened_count, HAPPENED_MAX - 1)];

	account->happened_count = MIN(account->happened_count + 1, HAPPENED_MAX);
	*happened = (struct happened){.event = event, .at = *now};
	snprintf(happened->reason, sizeof(happened->reason), "%s",
		reason ?: transitions[event].reason);
}

bool account_change(struct account *account, enum session_event event,
	const char *reason, const struct moment *now)
{
	struct session *session = &account->session;
	int to = transitions[event].to;

	if (!(transitions[event].from & FROM(session->state)))
		return false;
	if (to == ENDS) {
		session->ended_at = now->wall_sec;
		snprintf(session->end_reason, sizeof(session->end_reason),
			"%s", transitions[event].end_reason);
		account_use_up(account, now->mono_ns);
	}
	if (to != STAYS) {
		session->state = (enum session_state)to;
		account_run_clock(account, now->mono_ns);
	}
	note(account, event, reason, now);
	return true;
}

static void tell_one(struct rules *rules, const struct account *account,
	const struct happened *happened)
{
	const struct credit *last =
		account->count ? &account->credits[account->count - 1] : NULL;
	struct view view;

	account_view(account, &happened->at, &view);
	/* At the end none is in use: what it was about is the last one. */
	if (!view.kind && last) {
		view.kind = last->kind;
		memcpy(view.plan, last->plan_name, sizeof(view.plan));
	}
	rules->happened(rules->listener,
		&(struct happening){
			.name = transitions[happened->event].name,
			.reason = happened->reason,
			.at = happened->at.wall_sec,
			.from = happened->from,
			.session = &account->session,
			.view = &view,
		});
}

static void tell(struct rules *rules, struct account *account)
{
	int i;

	for (i = 0; rules->happened && i < account->happened_count; i++)
		tell_one(rules, account, &account->happened[i]);
	account->happened_count = 0;
}

/* What has nothing left makes room: a session may be topped up for ever. */
static void drop_used(struct account *account)
{
	int i, kept = 0;

	for (i = 0; i < account->count; i++) {
		const struct credit *credit = &account->credits[i];

		if (credit->state == CREDIT_USED) {
			account->used_up += credit->bytes_up;
			account->used_down += credit->bytes_down;
		} else {
			account->credits[kept++] = *credit;
		}
	}
	account->count = kept;
}

/* A clock that stands in silence. True: it changed. */
static bool hear(const struct rules *rules, struct account *account,
	const struct moment *now)
{
	struct credit *credit = account_in_use(account);

	if (!rules->seen || !credit || !account_runs(account, credit) ||
		(!credit_idle_sec(credit) && !credit->is_idle))
		return false;
	return standing_by_silence(credit,
		rules->seen(rules->data, &account->session.mac), now);
}

/* The clock of the credit that was in use, and is, has stopped by itself or has
 * begun again. */
static void note_standing(struct account *account, const struct credit *was,
	const struct moment *now)
{
	const struct credit *credit = account_in_use(account);

	if (!credit || credit->id != was->id)
		return;
	if (credit->is_idle != was->is_idle)
		account_change(account,
			credit->is_idle ? SESSION_EVENT_STANDS
					: SESSION_EVENT_GOES_ON,
			"idle", now);
	if (credit->is_resting != was->is_resting)
		account_change(account,
			credit->is_resting ? SESSION_EVENT_STANDS
					   : SESSION_EVENT_GOES_ON,
			"hours", now);
}

/* The session is loaded: its credits, as they are now. */
static int load_credits(
	struct rules *rules, const struct moment *now, struct account *account)
{
	bool exhausted = false, is_changed;
	struct credit was = {.id = 0};
	int ret = 0, n;

	account->happened_count = 0;
	account->is_new = false;
	account->added.credit_id = 0;
	if (rules->fold && account->session.state != SESSION_ENDED)
		ret = rules->fold(
			rules->data, &account->session.mac, &exhausted);
	if (!ret)
		ret = store_credit_used(rules->store, account->session.id,
			&account->used_up, &account->used_down);
	if (ret)
		return ret;
	n = store_credit_list(rules->store, account->session.id,
		account->credits, CREDITS_MAX);
	if (n < 0)
		return n;
	account->count = n;
	if (account_in_use(account))
		was = *account_in_use(account);
	is_changed = hear(rules, account, now);
	if (!account_settle(account, now, exhausted) && !is_changed)
		return 0;
	note_standing(account, &was, now);
	ret = account_save(rules, account);
	drop_used(account);
	return ret;
}

int account_load(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account)
{
	int ret = store_session_of(rules->store, mac, &ret_account->session);

	if (!ret)
		ret = load_credits(rules, now, ret_account);
	if (!ret && ret_account->session.state == SESSION_ENDED)
		ret = -ENOENT;
	return ret;
}

int account_find(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account,
	enum outcome *ret_outcome)
{
	int ret = account_load(rules, mac, now, ret_account);

	if (ret && ret != -ENOENT)
		return ret;
	*ret_outcome = ret ? OUTCOME_NOT_FOUND : OUTCOME_OK;
	return 0;
}

int account_load_id(struct rules *rules, int64_t id, const struct moment *now,
	struct account *ret_account)
{
	int ret = store_session_lookup(rules->store, id, &ret_account->session);

	return ret ? ret : load_credits(rules, now, ret_account);
}

int account_open(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account)
{
	int ret = account_load(rules, mac, now, ret_account);

	if (ret != -ENOENT)
		return ret;
	ret_account->count = 0;
	ret_account->used_up = ret_account->used_down = 0;
	ret_account->happened_count = 0;
	ret_account->is_new = true;
	ret_account->added.credit_id = 0;
	ret_account->session = (struct session){
		.mac = *mac,
		.state = SESSION_RUNNING,
		.started_at = now->wall_sec,
	};
	return 0;
}

/* One that was added to the account is new to the store. */
static int save_credit(
	struct rules *rules, const struct account *account, struct credit *credit)
{
	/* Whatever took it out of use: nothing turns any more. */
	if (credit->state != CREDIT_IN_USE) {
		credit->turn_ns = 0;
		credit->is_resting = credit->is_idle = false;
	}
	if (credit->id)
		return store_credit_update(rules->store, credit);
	credit->session_id = account->session.id;
	return store_credit_insert(rules->store, credit);
}

static int save_session(struct rules *rules, struct session *session)
{
	return session->id ? store_session_update(rules->store, session)
			   : store_session_insert(rules->store, session);
}

int account_save(struct rules *rules, struct account *account)
{
	/* A new one as a whole: a row that is written again costs each of its
	 * indices again. */
	int ret = save_session(rules, &account->session), i;

	/* Two passes: for a moment no credit may be in use twice. */
	for (i = 0; !ret && i < account->count; i++)
		if (account->credits[i].state != CREDIT_IN_USE)
			ret = save_credit(rules, account, &account->credits[i]);
	for (i = 0; !ret && i < account->count; i++)
		if (account->credits[i].state == CREDIT_IN_USE)
			ret = save_credit(rules, account, &account->credits[i]);
	if (!ret)
		tell(rules, account);
	return ret;
}

int64_t account_token_days(
	const struct rules *rules, const struct account *account)
{
	int64_t days = rules->token_days;
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].token_days != UNLIMITED)
			days = MAX(days, account->credits[i].token_days);
	return days;
}

/* Of one credit after the other. */
static int64_t end_of_all(const struct account *account, const struct moment *now)
{
	static const enum credit_state order[] = {CREDIT_IN_USE, CREDIT_WAITING};
	int64_t at_sec = now->wall_sec;
	size_t state;
	int i;

	for (state = 0; state < ARRAY_SIZE(order); state++)
		for (i = 0; at_sec != UNLIMITED && i < account->count; i++) {
			const struct credit *credit = &account->credits[i];

			if (credit->state == order[state])
				at_sec = standing_end(credit,
					credit_time_left(credit, now->mono_ns),
					at_sec);
		}
	return at_sec;
}

void account_view(const struct account *account, const struct moment *now,
	struct view *ret_view)
{
	struct view view = {
		.bytes_up = account->used_up,
		.bytes_down = account->used_down,
		.full_bytes = UNLIMITED,
		.turn_at = UNLIMITED,
	};
	int64_t left_ns;
	int i;

	for (i = 0; i < account->count; i++) {
		const struct credit *credit = &account->credits[i];

		view.bytes_up += credit->bytes_up;
		view.bytes_down += credit->bytes_down;
		if (credit->state == CREDIT_USED)
			continue;
		left_ns = credit_time_to_use(credit, now);
		view.remaining_ns = credit_sum(view.remaining_ns, left_ns);
		if (credit->state != CREDIT_IN_USE)
			continue;
		view.kind = credit->kind;
		view.rates = credit->rates;
		memcpy(view.networks, credit->networks, sizeof(view.networks));
		if (rates_have_slow(&credit->rates))
			view.full_bytes = credit_full_bytes_left(credit);
		memcpy(view.plan, credit->plan_name, sizeof(view.plan));
		view.credit_ns = left_ns;
		view.terms = &credit->terms;
		view.is_resting = credit->is_resting;
		view.is_idle = credit->is_idle;
		view.valid_until = credit->valid_until;
		hours_hold(credit->terms.hours, now->wall_sec, &view.turn_at);
		view.remaining_bytes = credit_bytes_left(credit);
	}
	view.ends_at = end_of_all(account, now);
	*ret_view = view;
}

static int give(struct rules *rules, const struct mac *mac,
	const struct allowance *allowance, const struct moment *now,
	struct account *account, enum outcome *ret_outcome)
{
	struct credit credit = {
		.kind = KIND_MANUAL,
		.rates = allowance->rates,
		.token_days = UNLIMITED,
	};
	int ret;

	if (allowance->plan)
		credit = credit_of_plan(KIND_MANUAL, allowance->plan, 1);
	credit.left_ns = allowance->seconds == UNLIMITED
				 ? UNLIMITED
				 : allowance->seconds * NSEC_PER_SEC;
	credit.bytes = allowance->bytes;
	credit.moves_left = UNLIMITED;
	ret = account_open(rules, mac, now, account);
	if (ret)
		return ret;
	return account_add(rules, account, &credit, now, ret_outcome);
}

int session_allow(struct rules *rules, const struct mac *mac,
	const struct allowance *allowance, const struct moment *now,
	struct account *ret_account, enum outcome *ret_outcome)
{
	int ret;

	if (allowance->seconds > 0)
		return give(rules, mac, allowance, now, ret_account,
			ret_outcome);
	ret = account_find(rules, mac, now, ret_account, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	account_take(ret_account, -allowance->seconds * NSEC_PER_SEC, now);
	return account_save(rules, ret_account);
}

static void change_rate(int64_t *rate, int64_t to)
{
	if (to != RATE_KEEP)
		*rate = to;
}

int session_rate(struct rules *rules, const struct mac *mac,
	const struct rates *rates, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct account account;
	struct credit *credit;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	credit = account_in_use(&account);
	if (!credit) {
		*ret_outcome = OUTCOME_NOT_FOUND;
		return 0;
	}
	change_rate(&credit->rates.up, rates->up);
	change_rate(&credit->rates.down, rates->down);
	change_rate(&credit->rates.slow_up, rates->slow_up);
	change_rate(&credit->rates.slow_down, rates->slow_down);
	return account_save(rules, &account);
}
