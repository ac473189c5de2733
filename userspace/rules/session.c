/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a session. Everything that ends, starts or lengthens a credit
 * passes through here, whatever the kind, so the sum of what a guest has only
 * changes by use, sale, expiry and an operator's word.
 *
 * A credit's time is left_ns while its clock stands, and deadline_ns on the
 * kernel's clock while it runs: exactly one credit of a running session runs.
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

static bool runs(const struct account *account, const struct credit *credit)
{
	return account->session.state == SESSION_RUNNING && !credit->is_resting;
}

/* Its credit in use counts against the clock, or stands. */
static void run_clock(struct account *account, int64_t from_ns)
{
	struct credit *credit = account_in_use(account);

	if (!credit)
		return;
	credit->left_ns = credit_time_left(credit, from_ns);
	credit->deadline_ns = UNLIMITED;
	credit->heard_ns = from_ns;
	credit->is_idle = false;
	if (runs(account, credit) && credit->left_ns != UNLIMITED)
		credit->deadline_ns = from_ns + credit->left_ns;
}

static void use_up(struct credit *credit, int64_t at_ns)
{
	credit->left_ns = credit_time_left(credit, at_ns);
	credit->deadline_ns = UNLIMITED;
	credit->state = CREDIT_USED;
}

static void use_up_all(struct account *account, int64_t at_ns)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED)
			use_up(&account->credits[i], at_ns);
}

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
		use_up_all(account, now->mono_ns);
	}
	if (to != STAYS) {
		session->state = (enum session_state)to;
		run_clock(account, now->mono_ns);
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

	if (!rules->seen || !credit || !runs(account, credit) ||
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
	return store_session_insert(rules->store, &ret_account->session);
}

/* One that was added to the account is new to the store. */
static int save_credit(struct rules *rules, struct credit *credit)
{
	/* Whatever took it out of use: nothing turns any more. */
	if (credit->state != CREDIT_IN_USE) {
		credit->turn_ns = 0;
		credit->is_resting = credit->is_idle = false;
	}
	return credit->id ? store_credit_update(rules->store, credit)
			  : store_credit_insert(rules->store, credit);
}

int account_save(struct rules *rules, struct account *account)
{
	int ret = 0, i;

	/* Two passes: for a moment no credit may be in use twice. */
	for (i = 0; !ret && i < account->count; i++)
		if (account->credits[i].state != CREDIT_IN_USE)
			ret = save_credit(rules, &account->credits[i]);
	for (i = 0; !ret && i < account->count; i++)
		if (account->credits[i].state == CREDIT_IN_USE)
			ret = save_credit(rules, &account->credits[i]);
	if (!ret)
		ret = store_session_update(rules->store, &account->session);
	if (!ret)
		tell(rules, account);
	return ret;
}

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

/* At the full rate. */
static int64_t full_bytes_left(const struct credit *credit)
{
	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->bytes - credit_counted(credit), 0);
}

/* What went at the slow rate does not count against what is bought now. */
static int64_t bytes_begun(const struct credit *credit)
{
	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->bytes, credit_counted(credit));
}

/* By fair use it goes on without them. */
static bool ends_by_bytes(const struct credit *credit)
{
	return credit->bytes != UNLIMITED && !rates_have_slow(&credit->rates);
}

int64_t credit_bytes_left(const struct credit *credit)
{
	return ends_by_bytes(credit) ? full_bytes_left(credit) : UNLIMITED;
}

int64_t credit_time_left(const struct credit *credit, int64_t now_ns)
{
	if (credit->deadline_ns != UNLIMITED)
		return MAX(credit->deadline_ns - now_ns, 0);
	return credit->left_ns;
}

/* Its clock starts at `from_ns`, if clocks run at all. */
static void use(struct account *account, struct credit *credit, int64_t from_ns)
{
	credit->state = CREDIT_IN_USE;
	run_clock(account, from_ns);
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

	use(account, credit, from_ns);
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
			use_up(credit, at_ns);
		} else if (standing_is_over(credit, now)) {
			at_ns = now->mono_ns;
			end = SESSION_EVENT_EXPIRED;
			use_up(credit, at_ns);
		} else if (ends_by_bytes(credit) &&
			   (exhausted || full_bytes_left(credit) == 0)) {
			at_ns = now->mono_ns;
			end = SESSION_EVENT_USED_UP;
			use_up(credit, at_ns);
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
	in_use->left_ns = credit_time_left(in_use, now->mono_ns);
	in_use->deadline_ns = UNLIMITED;
	in_use->state = CREDIT_WAITING;
	begin(account, fit, now->mono_ns, now);
	return true;
}

/* `more` on top of what a credit has; UNLIMITED stays it. */
static int64_t sum(int64_t have, int64_t more)
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

/* More of the same. Time that names no rate goes at the rate that there is. */
static bool is_more_of(const struct credit *last, const struct credit *credit)
{
	static const struct rates none;

	/* What several devices share stays what it is. */
	return last->kind == credit->kind && last->plan_id == credit->plan_id &&
	       !last->group_id && !credit->group_id &&
	       terms_equal(&last->terms, &credit->terms) &&
	       (rates_equal(&last->rates, &credit->rates) ||
		       (!credit->plan_id && rates_equal(&credit->rates, &none)));
}

static struct credit *same_at_end(
	struct account *account, const struct credit *credit)
{
	struct credit *last = NULL;
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED)
			last = &account->credits[i];
	return last && is_more_of(last, credit) ? last : NULL;
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
		if (last->deadline_ns != UNLIMITED) {
			last->deadline_ns =
				sum(last->deadline_ns, credit->left_ns);
			/* No end: the clock has nothing to count. */
			if (last->deadline_ns == UNLIMITED)
				last->left_ns = UNLIMITED;
		} else {
			last->left_ns = sum(last->left_ns, credit->left_ns);
		}
		/* Time alone lifts no limit of bytes. */
		if (credit->plan_id || credit->bytes != UNLIMITED)
			last->bytes = sum(bytes_begun(last), credit->bytes);
		last->moves_left = MAX(last->moves_left, credit->moves_left);
		return save_added(rules, account, last, credit, now);
	}
	if (account->count == CREDITS_MAX) {
		*ret_outcome = OUTCOME_CONFLICT;
		return 0;
	}
	last = &account->credits[account->count];
	*last = *credit;
	last->id = 0; /* new, whatever it is a copy of */
	last->session_id = account->session.id;
	last->position =
		account->count ? account->credits[account->count - 1].position + 1
			       : 1;
	last->state = CREDIT_WAITING;
	last->deadline_ns = UNLIMITED;
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

/* Takes time away, from the last credit first; never below 0. */
static void account_take(
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
		if (credit->deadline_ns != UNLIMITED)
			credit->deadline_ns -= part;
		else
			credit->left_ns -= part;
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

/* What is left of it, if its day does not come before. */
static int64_t time_to_use(const struct credit *credit, const struct moment *now)
{
	int64_t left_ns = credit_time_left(credit, now->mono_ns);

	if (!credit->valid_until)
		return left_ns;
	return MIN(left_ns, MAX(credit->valid_until - now->wall_sec, 0) *
				    NSEC_PER_SEC);
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
		left_ns = time_to_use(credit, now);
		view.remaining_ns = sum(view.remaining_ns, left_ns);
		if (credit->state != CREDIT_IN_USE)
			continue;
		view.kind = credit->kind;
		view.rates = credit->rates;
		memcpy(view.networks, credit->networks, sizeof(view.networks));
		if (rates_have_slow(&credit->rates))
			view.full_bytes = full_bytes_left(credit);
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

struct credit credit_of_plan(enum kind kind, const struct plan *plan)
{
	struct credit credit = {
		.kind = kind,
		.plan_id = plan->id,
		.left_ns = plan->seconds == UNLIMITED
				   ? UNLIMITED
				   : plan->seconds * NSEC_PER_SEC,
		.bytes = plan->bytes,
		.rates = plan->rates,
		.moves_left = plan->moves,
		.token_days = plan->token_days,
		.terms = plan->terms,
	};

	memcpy(credit.plan_name, plan->name, sizeof(credit.plan_name));
	memcpy(credit.networks, plan->networks, sizeof(credit.networks));
	return credit;
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
		credit = credit_of_plan(KIND_MANUAL, allowance->plan);
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
