/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopping a session and letting it go on. The states and the clocks are
 * session.c's; who may ask for what, and when, is said here.
 */
#include "rules/pause.h"

#include <string.h>

#include "rules/kinds.h"

/* Each device that shares a credit has a clock: if one of them stood while the
 * other goes on, minutes would be made of nothing. */
bool credit_may_pause(const struct credit *credit)
{
	return kind_rules(credit->kind)->may_pause && !credit->group_id;
}

bool account_may_pause(const struct account *account)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state == CREDIT_IN_USE)
			return credit_may_pause(&account->credits[i]);
	return false;
}

bool account_pause(struct account *account, const char *by,
	const struct moment *now, enum outcome *ret_outcome)
{
	struct session *session = &account->session;

	*ret_outcome = OUTCOME_OK;
	if (session->state == SESSION_HELD)
		*ret_outcome = OUTCOME_SESSION_HELD;
	else if (session->state == SESSION_RUNNING && !account_may_pause(account))
		*ret_outcome = OUTCOME_NOT_PAUSABLE;
	if (*ret_outcome ||
		!account_change(account, SESSION_EVENT_PAUSED, by, now))
		return false;
	session->paused_at = now->wall_sec;
	snprintf(session->paused_by, sizeof(session->paused_by), "%s", by);
	return true;
}

bool account_resume(
	struct account *account, const char *by, const struct moment *now)
{
	if (!account_change(account, SESSION_EVENT_RESUMED, by, now))
		return false;
	account->session.paused_at = 0;
	account->session.paused_by[0] = '\0';
	return true;
}

bool account_hold(
	struct account *account, const char *reason, const struct moment *now)
{
	struct session *session = &account->session;

	if (!account_change(account, SESSION_EVENT_HELD, reason, now))
		return false;
	snprintf(session->held_for, sizeof(session->held_for), "%s", reason);
	session->held_at = now->wall_sec;
	return true;
}

bool account_release(
	struct account *account, const char *by, const struct moment *now)
{
	struct session *session = &account->session;

	if (!account_change(account,
		    session->paused_at ? SESSION_EVENT_RELEASED_PAUSED
				       : SESSION_EVENT_RELEASED,
		    by, now))
		return false;
	session->held_for[0] = '\0';
	session->held_at = 0;
	return true;
}

/* A blocked device's clock goes on: that is not the guest's to stop. */
static int refuse_blocked(struct rules *rules, const struct mac *mac,
	const char *by, enum outcome *ret_outcome)
{
	bool is_blocked = false;
	int ret = store_device_is_blocked(rules->store, mac, &is_blocked);

	if (!ret && is_blocked && !strcmp(by, SESSION_BY_USER))
		*ret_outcome = OUTCOME_CLIENT_BLOCKED;
	return ret;
}

int session_pause(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome)
{
	struct account account;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (!ret && !*ret_outcome)
		ret = refuse_blocked(rules, mac, by, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	*ret_changed = account_pause(&account, by, now, ret_outcome);
	return *ret_changed ? account_save(rules, &account) : 0;
}

int session_resume(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome)
{
	struct account account;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	if (account.session.state == SESSION_HELD) {
		*ret_outcome = OUTCOME_SESSION_HELD;
		return 0;
	}
	*ret_changed = account_resume(&account, by, now);
	return *ret_changed ? account_save(rules, &account) : 0;
}

int session_hold(struct rules *rules, const struct mac *mac, const char *reason,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome)
{
	struct account account;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	*ret_changed = account_hold(&account, reason, now);
	return account_save(rules, &account);
}

int session_release(struct rules *rules, const struct mac *mac, const char *by,
	const struct moment *now, bool *ret_changed, enum outcome *ret_outcome)
{
	struct account account;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	*ret_changed = account_release(&account, by, now);
	return account_save(rules, &account);
}

int session_blocked(struct rules *rules, const struct mac *mac, bool is_blocked,
	const struct moment *now)
{
	struct account account;
	int ret = account_load(rules, mac, now, &account);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	account_change(&account,
		is_blocked ? SESSION_EVENT_BLOCKED : SESSION_EVENT_UNBLOCKED,
		SESSION_BY_OPERATOR, now);
	return account_save(rules, &account);
}

int session_kick(struct rules *rules, const struct mac *mac,
	const struct moment *now, enum outcome *ret_outcome)
{
	struct account account;
	int ret = account_find(rules, mac, now, &account, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	account_change(&account, SESSION_EVENT_KICKED, NULL, now);
	return account_save(rules, &account);
}
