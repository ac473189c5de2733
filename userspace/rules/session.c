/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a session. Invariants, at the end of every function here:
 *   - a live session has exactly one credit in use, the first in order that is
 *     not used up; a session without such a credit has ended;
 *   - the clock of that credit runs (deadline_ns) if and only if the session
 *     runs; every other clock stands (left_ns);
 *   - time and bytes are neither made nor lost: what one credit or client
 *     loses another gets, except by use, sale and end.
 */
#include "rules/session.h"

#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "rules/kind.h"
#include "rules/token.h"

/* A session with its credits, as it is worked on. */
struct work {
	struct session session;
	struct credit credits[SESSION_CREDITS_MAX];
	int n;
};

/* Which state an event leads to; every other pair is refused. */
enum event { EVENT_PAUSE, EVENT_RESUME, EVENT_HOLD, EVENT_RELEASE };

static const struct {
	enum event event;
	enum session_state from, to;
} transitions[] = {
	{ EVENT_PAUSE, SESSION_RUNNING, SESSION_PAUSED },
	{ EVENT_RESUME, SESSION_PAUSED, SESSION_RUNNING },
	{ EVENT_HOLD, SESSION_RUNNING, SESSION_HELD },
	{ EVENT_RELEASE, SESSION_HELD, SESSION_RUNNING },
};

static void touch(const struct touched *touched, const struct mac *mac)
{
	if (touched)
		touched->fn(touched->data, mac);
}

/* UNLIMITED stays so; sums stop below it. */
static int64_t add_limit(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == UNLIMITED || b == UNLIMITED ||
	    __builtin_add_overflow(a, b, &sum))
		return UNLIMITED;
	return sum;
}

static int64_t bytes_left(const struct credit *credit)
{
	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->bytes - credit->bytes_up - credit->bytes_down, 0);
}

/* Whether the clock of the credit in use runs. */
static bool runs(const struct session *session, const struct credit *credit)
{
	return session->state == SESSION_RUNNING && credit->state == CREDIT_IN_USE;
}

static int64_t time_left(const struct session *session,
	const struct credit *credit, const struct moment *now)
{
	if (!runs(session, credit))
		return credit->left_ns;
	if (credit->deadline_ns == UNLIMITED)
		return UNLIMITED;
	return MAX(credit->deadline_ns - now->mono_ns, 0);
}

static struct credit *in_use(struct work *work)
{
	for (int i = 0; i < work->n; i++)
		if (work->credits[i].state == CREDIT_IN_USE)
			return &work->credits[i];
	return NULL;
}

static struct credit *first_waiting(struct work *work)
{
	for (int i = 0; i < work->n; i++)
		if (work->credits[i].state == CREDIT_WAITING)
			return &work->credits[i];
	return NULL;
}

/* Clocks. */

static void clock_stop(struct credit *credit, const struct session *session,
	const struct moment *now)
{
	credit->left_ns = time_left(session, credit, now);
	credit->deadline_ns = 0;
}

static void clock_start(struct credit *credit, const struct moment *now)
{
	credit->deadline_ns = add_limit(now->mono_ns, credit->left_ns);
	credit->left_ns = 0;
}

/* Store. */

static int load(struct store *store, const struct session *session, struct work *work)
{
	int n = store_credit_list(store, session->id, work->credits,
		SESSION_CREDITS_MAX);

	if (n < 0)
		return n;
	work->session = *session;
	work->n = n;
	return 0;
}

static int begin_next(struct store *store, struct work *work,
	const struct moment *now)
{
	struct credit *next = first_waiting(work);

	if (!next)
		return -ENOENT;
	next->state = CREDIT_IN_USE;
	if (work->session.state == SESSION_RUNNING)
		clock_start(next, now);
	return store_credit_update(store, next);
}

static int finish(struct store *store, struct work *work, const char *reason,
	const struct moment *now)
{
	struct session *session = &work->session;

	session->state = SESSION_ENDED;
	session->ended_at = now->wall_sec;
	snprintf(session->end_reason, sizeof(session->end_reason), "%s", reason);
	return store_session_update(store, session);
}

static int settle(struct store *store, struct work *work,
	const struct moment *now, const struct touched *touched)
{
	struct session *session = &work->session;
	struct credit *credit = in_use(work);
	const char *reason = "time";
	bool changed = false;
	int err;

	while (session->state != SESSION_ENDED) {
		if (credit && time_left(session, credit, now) > 0 && bytes_left(credit) > 0)
			break;
		changed = true;
		if (credit) {
			reason = bytes_left(credit) > 0 ? "time" : "bytes";
			clock_stop(credit, session, now);
			credit->state = CREDIT_USED;
			err = store_credit_update(store, credit);
			if (err < 0)
				return err;
		}
		err = begin_next(store, work, now);
		if (err == -ENOENT)
			err = finish(store, work, reason, now);
		if (err < 0)
			return err;
		credit = in_use(work);
	}
	if (changed && session->state == SESSION_ENDED)
		err = store_audit(store, now->wall_sec, "gatehoused", "session.end",
			&session->mac, session->id, session->end_reason);
	else
		err = 0;
	if (changed)
		touch(touched, &session->mac);
	return err;
}

/* The live session of a client, settled. -ENOENT: none, or none any more. */
static int open_session(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched, struct work *work)
{
	struct session session;
	int err;

	err = store_session_of(store, mac, &session);
	if (err == 0)
		err = load(store, &session, work);
	if (err == 0)
		err = settle(store, work, now, touched);
	if (err == 0 && work->session.state == SESSION_ENDED)
		err = -ENOENT;
	return err;
}

int session_settle(struct store *store, struct session *session,
	const struct moment *now, const struct touched *touched)
{
	struct work work;
	int err;

	if (session->state == SESSION_ENDED)
		return 0;
	err = load(store, session, &work);
	if (err == 0)
		err = settle(store, &work, now, touched);
	if (err == 0)
		*session = work.session;
	return err;
}

int session_settle_client(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched)
{
	struct work work;
	int err = open_session(store, mac, now, touched, &work);

	return err == -ENOENT ? 0 : err;
}

int session_settle_due(struct store *store, const struct moment *now,
	const struct touched *touched)
{
	struct mac macs[64];
	int n, err = 0;

	do {
		n = store_credit_due(store, now->mono_ns, macs, ARRAY_SIZE(macs));
		for (int i = 0; i < n && err == 0; i++)
			err = session_settle_client(store, &macs[i], now, touched);
	} while (err == 0 && n == ARRAY_SIZE(macs));
	return err < 0 ? err : MIN(n, 0);
}

/* Views. */

int session_view_of(struct store *store, const struct session *session,
	const struct moment *now, struct session_view *ret_view)
{
	struct session_view view = { .session = *session };
	struct work work;
	int err = load(store, session, &work);

	if (err < 0)
		return err;
	for (int i = 0; i < work.n; i++) {
		const struct credit *credit = &work.credits[i];

		view.bytes_up += credit->bytes_up;
		view.bytes_down += credit->bytes_down;
		/* A used up session still says what it was. */
		if (!view.credits) {
			view.kind = credit->kind;
			memcpy(view.plan, credit->plan_name, sizeof(view.plan));
		}
		if (credit->state == CREDIT_USED)
			continue;
		view.credits++;
		view.remaining_ns = add_limit(
			view.remaining_ns, time_left(session, credit, now));
		view.bytes_left = add_limit(view.bytes_left, bytes_left(credit));
	}
	if (session->state == SESSION_RUNNING && view.remaining_ns != UNLIMITED)
		view.expires_at = now->wall_sec + view.remaining_ns / NSEC_PER_SEC;
	*ret_view = view;
	return 0;
}

int session_view(struct store *store, const struct mac *mac,
	const struct moment *now, struct session_view *ret_view)
{
	struct session session;
	int err = store_session_of(store, mac, &session);

	return err < 0 ? err : session_view_of(store, &session, now, ret_view);
}

void session_view_add(struct session_view *view, const struct record *record,
	int64_t raw_up, int64_t raw_down)
{
	int64_t up = MAX(raw_up - record->raw_up, 0);
	int64_t down = MAX(raw_down - record->raw_down, 0);

	if (record->session_id != view->session.id)
		return;
	view->bytes_up += up;
	view->bytes_down += down;
	if (view->bytes_left != UNLIMITED)
		view->bytes_left = MAX(view->bytes_left - up - down, 0);
}

/* Giving and taking. */

static bool adds_up(const struct credit *last, const struct credit *more)
{
	return last->state != CREDIT_USED && last->kind == more->kind &&
	       last->plan_id == more->plan_id &&
	       strcmp(last->plan_name, more->plan_name) == 0 &&
	       last->up_kbps == more->up_kbps && last->down_kbps == more->down_kbps &&
	       (last->bytes == UNLIMITED) == (more->bytes == UNLIMITED);
}

static int extend(struct store *store, struct work *work, const struct credit *more)
{
	struct credit *last = &work->credits[work->n - 1];

	if (runs(&work->session, last))
		last->deadline_ns = add_limit(last->deadline_ns, more->left_ns);
	else
		last->left_ns = add_limit(last->left_ns, more->left_ns);
	last->bytes = add_limit(last->bytes, more->bytes);
	last->moves_left = MAX(last->moves_left, more->moves_left);
	return store_credit_update(store, last);
}

static int append(struct store *store, struct work *work,
	const struct credit *more, const struct moment *now)
{
	struct credit *credit = &work->credits[work->n];
	int err;

	*credit = *more;
	credit->session_id = work->session.id;
	credit->position = work->n ? credit[-1].position + 1 : 1;
	credit->state = in_use(work) ? CREDIT_WAITING : CREDIT_IN_USE;
	credit->deadline_ns = 0;
	if (runs(&work->session, credit))
		clock_start(credit, now);
	err = store_credit_insert(store, credit);
	if (err == 0)
		work->n++;
	return err;
}

static int start(struct store *store, const struct mac *mac,
	const struct moment *now, struct work *work)
{
	*work = (struct work){ .session = { .mac = *mac,
				       .state = SESSION_RUNNING,
				       .started_at = now->wall_sec } };
	return store_session_insert(store, &work->session);
}

int session_give(struct store *store, const struct mac *mac,
	const struct credit *credit, int64_t paid_minor, const struct rules *rules,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome, struct session *ret_session)
{
	struct work work;
	int err = open_session(store, mac, now, touched, &work);

	if (err == -ENOENT)
		err = start(store, mac, now, &work);
	if (err < 0)
		return err;
	if (work.n > 0 && adds_up(&work.credits[work.n - 1], credit)) {
		err = extend(store, &work, credit);
	} else if (work.n == SESSION_CREDITS_MAX) {
		*ret_outcome = OUTCOME_TOO_MANY_CREDITS;
		return 0;
	} else {
		err = append(store, &work, credit, now);
	}
	work.session.total_paid_minor += paid_minor;
	if (err == 0)
		err = store_session_update(store, &work.session);
	if (err < 0)
		return err;
	touch(touched, mac);
	*ret_outcome = OUTCOME_DONE;
	*ret_session = work.session;
	return 0;
}

int session_take(struct store *store, const struct mac *mac, int64_t seconds,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome)
{
	int64_t rest = seconds * NSEC_PER_SEC;
	struct work work;
	int err = open_session(store, mac, now, touched, &work);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_SESSION_UNKNOWN;
		return 0;
	}
	if (err < 0)
		return err;
	for (int i = work.n - 1; err == 0 && rest > 0 && i >= 0; i--) {
		struct credit *credit = &work.credits[i];
		int64_t left = time_left(&work.session, credit, now);
		int64_t part = MIN(left, rest);

		/* Nothing comes off a credit without end. */
		if (credit->state == CREDIT_USED || left == UNLIMITED)
			continue;
		if (runs(&work.session, credit))
			credit->deadline_ns -= part;
		else
			credit->left_ns -= part;
		rest -= part;
		err = store_credit_update(store, credit);
	}
	if (err == 0)
		err = settle(store, &work, now, touched);
	if (err < 0)
		return err;
	touch(touched, mac);
	*ret_outcome = OUTCOME_DONE;
	return 0;
}

int session_end(struct store *store, const struct mac *mac, const char *reason,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome)
{
	struct work work;
	struct credit *credit;
	int err = open_session(store, mac, now, touched, &work);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_SESSION_UNKNOWN;
		return 0;
	}
	credit = err == 0 ? in_use(&work) : NULL;
	if (credit) {
		/* What was left stays in the row: the audit can tell. */
		clock_stop(credit, &work.session, now);
		credit->state = CREDIT_USED;
		err = store_credit_update(store, credit);
	}
	if (err == 0)
		err = finish(store, &work, reason, now);
	if (err == 0)
		touch(touched, mac);
	if (err == 0)
		*ret_outcome = OUTCOME_DONE;
	return err;
}

/* Pause and resume. */

static int change(struct store *store, struct work *work, enum event event,
	const struct moment *now, enum outcome *ret_outcome)
{
	struct session *session = &work->session;
	struct credit *credit = in_use(work);
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(transitions); i++)
		if (transitions[i].event == event && transitions[i].from == session->state)
			break;
	*ret_outcome = OUTCOME_NOTHING_TO_DO;
	if (i == ARRAY_SIZE(transitions))
		return 0;
	if (event == EVENT_PAUSE && !kind_get(credit->kind)->may_pause)
		return 0;
	if (runs(session, credit))
		clock_stop(credit, session, now);
	session->state = transitions[i].to;
	if (runs(session, credit))
		clock_start(credit, now);
	err = store_credit_update(store, credit);
	if (err == 0)
		err = store_session_update(store, session);
	if (err == 0)
		*ret_outcome = OUTCOME_DONE;
	return err;
}

static int pause_or_resume(struct store *store, const struct mac *mac,
	enum event event, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome)
{
	struct work work;
	int err = open_session(store, mac, now, touched, &work);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_SESSION_UNKNOWN;
		return 0;
	}
	if (err == 0)
		err = change(store, &work, event, now, ret_outcome);
	if (err == 0)
		touch(touched, mac);
	return err;
}

int session_pause(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome)
{
	return pause_or_resume(store, mac, EVENT_PAUSE, now, touched, ret_outcome);
}

int session_resume(struct store *store, const struct mac *mac,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome)
{
	return pause_or_resume(store, mac, EVENT_RESUME, now, touched, ret_outcome);
}

/* Moving. */

static int stop_in_use(struct store *store, struct work *work, const struct moment *now)
{
	struct credit *credit = in_use(work);

	if (!credit)
		return 0;
	clock_stop(credit, &work->session, now);
	credit->state = CREDIT_WAITING;
	return store_credit_update(store, credit);
}

/*
 * Hands credits that wait over to the end of another session: all, or only
 * those that a token may not take.
 */
static int hand_over(struct store *store, struct work *from, struct work *to,
	bool only_unmovable)
{
	int err = 0, kept = 0;

	for (int i = 0; i < from->n && err == 0; i++) {
		struct credit credit = from->credits[i];
		bool goes = credit.state == CREDIT_WAITING &&
			    !(only_unmovable && kind_get(credit.kind)->may_move(&credit));

		if (!goes || to->n == SESSION_CREDITS_MAX) {
			from->credits[kept++] = credit;
			continue;
		}
		credit.session_id = to->session.id;
		credit.position = to->n ? to->credits[to->n - 1].position + 1 : 1;
		err = store_credit_update(store, &credit);
		to->credits[to->n++] = credit;
	}
	from->n = kept;
	return err;
}


/* What may not move stays with the old client, in a session of its own. */
static int leave_behind(struct store *store, struct work *work,
	const struct mac *from, const struct moment *now)
{
	struct work rest;
	int err = start(store, from, now, &rest);

	rest.session.state = work->session.state;
	if (err == 0)
		err = hand_over(store, work, &rest, true);
	if (err == 0)
		err = begin_next(store, &rest, now);
	if (err == 0)
		err = store_session_update(store, &rest.session);
	return err;
}

static int count_waiting(const struct work *work, bool movable)
{
	int n = 0;

	for (int i = 0; i < work->n; i++) {
		const struct credit *credit = &work->credits[i];

		n += credit->state != CREDIT_USED &&
		     kind_get(credit->kind)->may_move(credit) == movable;
	}
	return n;
}

static int note_moved(struct store *store, struct work *work)
{
	int err = 0;

	for (int i = 0; i < work->n && err == 0; i++) {
		if (work->credits[i].state != CREDIT_WAITING)
			continue;
		kind_get(work->credits[i].kind)->moved(&work->credits[i]);
		err = store_credit_update(store, &work->credits[i]);
	}
	return err;
}

static int move(struct store *store, struct work *work, const struct mac *to,
	bool by_token, const struct moment *now, const struct touched *touched)
{
	struct mac from = work->session.mac;
	bool split = by_token && count_waiting(work, false) > 0;
	struct work had;
	int err = open_session(store, to, now, touched, &had);
	bool merges = err == 0;

	if (err == -ENOENT)
		err = 0;
	if (err == 0)
		err = stop_in_use(store, work, now);
	/* One live session per client at any time: `to` is freed first. */
	if (err == 0 && merges)
		err = stop_in_use(store, &had, now);
	if (err == 0 && merges)
		err = finish(store, &had, "merged", now);
	work->session.mac = *to;
	if (err == 0)
		err = store_session_update(store, &work->session);
	if (err == 0 && split)
		err = leave_behind(store, work, &from, now);
	if (err == 0 && by_token)
		err = note_moved(store, work);
	if (err == 0 && merges)
		err = hand_over(store, &had, work, false);
	if (err == 0)
		err = begin_next(store, work, now);
	touch(touched, &from);
	touch(touched, to);
	return err;
}

int session_move(struct store *store, const struct mac *from,
	const struct mac *to, bool by_token, const struct rules *rules,
	const struct moment *now, const struct touched *touched,
	enum outcome *ret_outcome)
{
	struct work work;
	int err = open_session(store, from, now, touched, &work);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_SESSION_UNKNOWN;
		return 0;
	}
	if (err < 0)
		return err;
	*ret_outcome = OUTCOME_NOTHING_TO_DO;
	if (mac_equal(from, to))
		return 0;
	*ret_outcome = OUTCOME_NOT_TRANSFERABLE;
	if (by_token && count_waiting(&work, true) == 0)
		return 0;
	*ret_outcome = OUTCOME_DONE;
	return move(store, &work, to, by_token, now, touched);
}

/* Restore. */

static int is_blocked(struct store *store, const struct mac *mac, bool *ret_blocked)
{
	struct device device;
	int err = store_device_lookup(store, mac, &device);

	if (err < 0 && err != -ENOENT)
		return err;
	*ret_blocked = err == 0 && device.blocked;
	return 0;
}

/* Each showing of the token makes it last as long again. */
static int renew(struct store *store, int64_t session_id,
	const struct rules *rules, const struct moment *now)
{
	struct session session;
	struct work work;
	int err = store_session_lookup(store, session_id, &session);

	if (err == 0)
		err = load(store, &session, &work);
	if (err < 0)
		return err;
	session.token_expires_at = now->wall_sec +
		token_days(rules, work.credits, work.n) * 24 * 3600;
	session.token_handed = true;
	return store_session_update(store, &session);
}

static int judge(struct store *store, const struct session *session,
	const struct mac *mac, const struct moment *now, enum outcome *ret_outcome)
{
	bool old_blocked, new_blocked;
	int err = is_blocked(store, &session->mac, &old_blocked);

	if (err == 0)
		err = is_blocked(store, mac, &new_blocked);
	if (err < 0)
		return err;
	*ret_outcome = OUTCOME_DONE;
	if (now->wall_sec >= session->token_expires_at)
		*ret_outcome = OUTCOME_TOKEN_EXPIRED;
	else if (session->state == SESSION_ENDED)
		*ret_outcome = OUTCOME_USED_UP;
	/* Else a blocked client would only need another MAC. */
	else if (old_blocked || new_blocked)
		*ret_outcome = OUTCOME_CLIENT_BLOCKED;
	return 0;
}

int session_restore(struct store *store, const char *token,
	const struct mac *mac, const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome, bool *ret_migrated)
{
	uint8_t hash[CRYPTO_HASH];
	struct session session;
	bool moves;
	int err;

	*ret_outcome = OUTCOME_SESSION_UNKNOWN;
	if (token_hash(token, hash) < 0)
		return 0;
	err = store_session_by_token(store, hash, &session);
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	err = session_settle(store, &session, now, touched);
	if (err == 0)
		err = judge(store, &session, mac, now, ret_outcome);
	if (err < 0 || *ret_outcome != OUTCOME_DONE)
		return err;
	moves = !mac_equal(&session.mac, mac);
	if (moves)
		err = session_move(store, &session.mac, mac, true, rules, now,
			touched, ret_outcome);
	if (err < 0 || *ret_outcome != OUTCOME_DONE)
		return err;
	err = renew(store, session.id, rules, now);
	if (err == 0)
		*ret_migrated = moves;
	return err;
}
