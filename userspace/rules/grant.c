/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a client's rows to its grant. Pure: it reads its arguments only. Blocked
 * wins over everything; exempt over a session, whose clock goes on meanwhile.
 */
#include "rules/grant.h"

#include <string.h>

#include "rules/device.h"
#include "rules/standing.h"

static const enum grant_state states[] = {
	[SESSION_RUNNING] = GRANT_RUNNING,
	[SESSION_PAUSED] = GRANT_PAUSED,
	[SESSION_HELD] = GRANT_HELD,
	[SESSION_ENDED] = GRANT_NONE,
};

static void from_session(const struct holder *holder, struct grant *grant)
{
	const struct credit *credit = &holder->credit;

	/* A live session without a credit in use has nothing to give. */
	if (!holder->session.id || !credit->id)
		return;
	grant->state = states[holder->session.state];
	if (grant->state == GRANT_NONE)
		return;
	grant->session_id = holder->session.id;
	grant->credit_id = credit->id;
	if (credit->is_resting && grant->state == GRANT_RUNNING)
		grant->state = GRANT_PAUSED;
	/* The kernel keeps both ends, that of the time and that of the hours;
	 * of a clock that stands, what is left on it. */
	grant->expires_ns = credit->deadline_ns;
	if (grant->state != GRANT_RUNNING)
		grant->expires_ns = credit->left_ns;
	else if (credit->turn_ns)
		grant->expires_ns = MIN(grant->expires_ns, credit->turn_ns);
	grant->idle_sec = credit_idle_sec(credit);
	grant->is_idle = credit->is_idle;
	grant->heard_ns = credit->heard_ns;
	grant->rates = rates_lower(&credit->rates, &holder->rates);
	memcpy(grant->networks, credit->networks, sizeof(grant->networks));
	if (credit->group_id)
		grant->group_id = credit->group_id;
	if (credit->bytes != UNLIMITED)
		grant->bytes_left = credit->bytes - credit_counted(credit);
	grant->counts = credit->terms.counts;
	if (!rates_have_slow(&credit->rates))
		grant->bytes_left = MAX(grant->bytes_left, 0);
}

/* No limits but the device's own: not those of a session that it has besides,
 * which is not charged either. */
static struct grant exempt(const struct holder *holder)
{
	struct grant grant = {
		.state = GRANT_EXEMPT,
		.expires_ns = holder->exemption.deadline_ns,
		.bytes_left = UNLIMITED,
		.rates = holder->rates,
	};

	memcpy(grant.networks, holder->exemption.network,
		sizeof(holder->exemption.network));
	return grant;
}

struct grant grant_of(const struct holder *holder, const struct moment *now)
{
	struct grant grant = {
		.state = GRANT_NONE,
		.expires_ns = UNLIMITED,
		.bytes_left = UNLIMITED,
		.group_id = holder->group_id,
	};

	if (!holder->blocked && exemption_holds(&holder->exemption, now))
		return exempt(holder);
	from_session(holder, &grant);
	if (holder->blocked)
		grant.state = GRANT_BLOCKED;
	return grant;
}
