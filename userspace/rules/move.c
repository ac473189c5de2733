/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving a session from one MAC to another (P5, P6). The credits that may move
 * go; the rest stay with the old MAC in a session of their own. Nothing is
 * added and nothing lost, whatever either MAC had. Both MACs' records change in
 * the same turn.
 */
#include "rules/move.h"

#include <string.h>

#include "rules/pause.h"
#include "store/payments.h"

/* Credits of `from` that do not move become a session of the old MAC, in the
 * state that it had. */
static int leave_behind(struct rules *rules, struct account *from,
	const bool *moves, const struct session *was,
	const struct moment *now)
{
	struct account rest;
	int ret, i, kept = 0;

	memset(&rest, 0, sizeof(rest));
	rest.session = (struct session){
		.mac = was->mac,
		.state = was->state,
		.started_at = now->wall_sec,
		.paused_at = was->paused_at,
	};
	memcpy(rest.session.paused_by, was->paused_by,
		sizeof(rest.session.paused_by));
	ret = store_session_insert(rules->store, &rest.session);
	for (i = 0; !ret && i < from->count; i++) {
		struct credit *credit = &from->credits[i];

		if (credit->state == CREDIT_USED || moves[i]) {
			from->credits[kept++] = *credit;
			continue;
		}
		credit->session_id = rest.session.id;
		rest.credits[rest.count++] = *credit;
	}
	if (ret)
		return ret;
	from->count = kept;
	account_change(&rest, SESSION_EVENT_STARTED, "split", now);
	account_settle(&rest, now, false);
	return account_save(rules, &rest);
}

/* One voucher's time twice, one after the other, was never sold. */
static bool has_share_of(
	const struct account *account, const bool *moves, int64_t group_id)
{
	int i;

	for (i = 0; group_id && i < account->count; i++)
		if (moves[i] && account->credits[i].state != CREDIT_USED &&
			account->credits[i].group_id == group_id)
			return true;
	return false;
}

/* What the client would use first of what moves to it. */
static struct credit *first_moved(struct account *account, const bool *moves)
{
	struct credit *first = NULL;
	int i;

	for (i = 0; i < account->count; i++)
		if (moves[i] && account->credits[i].state == CREDIT_IN_USE)
			return &account->credits[i];
	for (i = 0; i < account->count && !first; i++)
		if (moves[i] && account->credits[i].state == CREDIT_WAITING)
			first = &account->credits[i];
	return first;
}

/*
 * A clock without a pause must not be stopped by a session that joins: the share
 * of a voucher would wait until the other devices have had theirs. What moves
 * waits instead, if it may. NULL: nothing goes on so.
 */
static struct credit *goes_on(struct account *account, const bool *moves,
	struct account *other)
{
	struct credit *credit = account_in_use(other);
	struct credit *first = first_moved(account, moves);

	if (!credit || !first || other->session.state != SESSION_RUNNING ||
		account->session.state == SESSION_HELD ||
		credit->is_resting || credit_may_pause(credit) ||
		!credit_may_pause(first) ||
		has_share_of(account, moves, credit->group_id))
		return NULL;
	/* It may be worth nothing on this network. */
	return !credit->networks[0] ||
			       !strcmp(credit->networks, first->networks)
		       ? credit
		       : NULL;
}

static void let_wait(struct credit *credit, const struct moment *now)
{
	credit_stop(credit, now->mono_ns);
	credit->state = CREDIT_WAITING;
}

/* It becomes the first of the account, in use as it is. The store hears of that
 * when all is saved: for a moment no credit may be in use twice. */
static int put_first(struct rules *rules, struct account *account, bool *moves,
	struct credit *credit, const struct moment *now)
{
	struct credit stored;

	let_wait(first_moved(account, moves), now);
	credit->session_id = account->session.id;
	credit->position = account->credits[0].position - 1;
	memmove(&account->credits[1], &account->credits[0],
		(size_t)account->count * sizeof(*credit));
	memmove(&moves[1], &moves[0], (size_t)account->count * sizeof(*moves));
	account->credits[0] = stored = *credit;
	moves[0] = true;
	account->count++;
	let_wait(&stored, now);
	return store_credit_update(rules->store, &stored);
}

/* The client may already have a session: its credits queue behind the moved ones.
 * `ret_runs`, if there was one: whether it did. */
static int take_over(struct rules *rules, struct account *account,
	const struct mac *mac, bool *moves, const struct moment *now, bool *ret_runs,
	enum outcome *ret_outcome)
{
	struct credit *stays;
	struct account other;
	int ret = account_load(rules, mac, now, &other), i;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	/* Another session's token is no proof for this one. */
	if (other.session.state == SESSION_HELD) {
		*ret_outcome = OUTCOME_SESSION_HELD;
		return 0;
	}
	if (account->count + other.count > CREDITS_MAX) {
		*ret_outcome = OUTCOME_CONFLICT;
		return 0;
	}
	stays = goes_on(account, moves, &other);
	ret = stays ? put_first(rules, account, moves, stays, now) : 0;
	if (ret)
		return ret;
	for (i = 0; i < other.count; i++) {
		struct credit *credit = &other.credits[i];
		struct credit *last = &account->credits[account->count];

		if (credit == stays)
			continue;
		let_wait(credit, now);
		if (has_share_of(account, moves, credit->group_id)) {
			credit->state = CREDIT_USED;
			ret = store_credit_update(rules->store, credit);
			if (ret)
				return ret;
			continue;
		}
		credit->session_id = account->session.id;
		credit->position =
			account->count ? last[-1].position + 1 : 1;
		ret = store_credit_update(rules->store, credit);
		if (ret)
			return ret;
		*last = *credit;
		moves[account->count++] = true;
	}
	/* Whoever kept a link to the other finds this one with it. */
	ret = store_token_rebind(
		rules->store, other.session.id, account->session.id);
	if (!ret)
		ret = store_payment_rebind(
			rules->store, other.session.id, account->session.id);
	if (ret)
		return ret;
	account->session.token_handed |= other.session.token_handed;
	account->session.total_paid_minor += other.session.total_paid_minor;
	other.session.total_paid_minor = 0;
	other.count = 0;
	*ret_runs = other.session.state == SESSION_RUNNING;
	account_change(&other, SESSION_EVENT_JOINED, NULL, now);
	return account_save(rules, &other);
}

/*
 * Whoever shares a group's limits does so with the next device as well: a new MAC
 * is no way out. `stays`: the old one has credits left, and is in it still.
 */
static int follow_group(struct rules *rules, const struct mac *from,
	const struct mac *to, bool stays, const struct moment *now)
{
	struct device old, device = {.mac = *to,
		.first_seen = now->wall_sec, .last_seen = now->wall_sec};
	int ret = store_device_lookup(rules->store, from, &old);

	if (ret || !old.group_id)
		return ret == -ENOENT ? 0 : ret;
	ret = store_device_lookup(rules->store, to, &device);
	if (ret && ret != -ENOENT)
		return ret;
	if (!device.group_id) {
		device.group_id = old.group_id;
		ret = store_device_put(rules->store, &device);
		if (ret)
			return ret;
	}
	if (stays)
		return 0;
	old.group_id = 0;
	return store_device_put(rules->store, &old);
}

int account_move(struct rules *rules, struct account *account,
	const struct mac *mac, bool *moves, const struct moment *now,
	enum outcome *ret_outcome)
{
	const struct session was = account->session;
	int ret, i;
	bool stays = false, runs = false;

	for (i = 0; i < account->count; i++)
		stays |= account->credits[i].state != CREDIT_USED && !moves[i];
	*ret_outcome = OUTCOME_OK;
	ret = take_over(rules, account, mac, moves, now, &runs, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	/* The old MAC must be free before another session gets it. */
	account->session.mac = *mac;
	ret = store_session_update(rules->store, &account->session);
	if (!ret && stays)
		ret = leave_behind(rules, account, moves, &was, now);
	if (!ret)
		ret = follow_group(rules, &was.mac, mac, stays, now);
	if (ret)
		return ret;
	account_change(account, SESSION_EVENT_MOVED, NULL, now);
	account->happened[account->happened_count - 1].from = was.mac;
	/* Who is online stays so. */
	if (runs)
		account_resume(account, "joined", now);
	account_settle(account, now, false);
	return account_save(rules, account);
}

int session_move(struct rules *rules, const struct mac *from,
	const struct mac *to, const struct moment *now, enum outcome *ret_outcome)
{
	bool moves[CREDITS_MAX];
	struct account account;
	int ret = account_find(rules, from, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	memset(moves, true, sizeof(moves));
	return account_move(rules, &account, to, moves, now, ret_outcome);
}
