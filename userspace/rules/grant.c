/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From session, credit and device to what the kernel may let pass. The quota
 * is absolute: the counters of the record so far, plus what the credit has
 * left. It does not change when the counters are counted, only when the
 * credit does; so a sweep edits no record.
 */
#include "rules/grant.h"

#include <string.h>

#include "base/util.h"

static enum access access_of(enum session_state state)
{
	switch (state) {
	case SESSION_RUNNING:
		return ACCESS_RUNNING;
	case SESSION_PAUSED:
		return ACCESS_PAUSED;
	case SESSION_HELD:
		return ACCESS_HELD;
	case SESSION_ENDED:
		break;
	}
	return ACCESS_NONE;
}

static int64_t quota_of(const struct credit *credit, const struct record *record)
{
	int64_t raw = record ? record->raw_up + record->raw_down : 0;
	int64_t left;

	if (credit->bytes == UNLIMITED)
		return UNLIMITED;
	left = credit->bytes - credit->bytes_up - credit->bytes_down;
	return raw + MAX(left, 0);
}

void grant_from(const struct holder *holder, const struct record *record,
	const struct moment *now, struct grant *ret_grant)
{
	const struct credit *credit = &holder->credit;
	struct grant grant = {
		.mac = holder->mac,
		.expires_ns = UNLIMITED,
		.quota_bytes = UNLIMITED,
	};

	if (holder->session.id) {
		grant.access = access_of(holder->session.state);
		grant.session_id = holder->session.id;
		grant.credit_id = credit->id;
		grant.quota_bytes = quota_of(credit, record);
		grant.up_kbps = credit->up_kbps;
		grant.down_kbps = credit->down_kbps;
		if (grant.access == ACCESS_RUNNING)
			grant.expires_ns = credit->deadline_ns;
	}
	if (holder->exempt_until > now->wall_sec)
		grant = (struct grant){ .mac = holder->mac,
			.access = ACCESS_EXEMPT, .expires_ns = UNLIMITED,
			.quota_bytes = UNLIMITED };
	/* A block wins over everything; the session's bytes stay its own. */
	if (holder->blocked)
		grant.access = ACCESS_BLOCKED;
	*ret_grant = grant;
}

static int find_credit(struct store *store, struct holder *holder)
{
	struct credit credits[SESSION_CREDITS_MAX];
	int n = store_credit_list(store, holder->session.id, credits,
		SESSION_CREDITS_MAX);

	for (int i = 0; i < n; i++)
		if (credits[i].state == CREDIT_IN_USE)
			holder->credit = credits[i];
	return MIN(n, 0);
}

int grant_holder(struct store *store, const struct mac *mac, struct holder *ret_holder)
{
	struct holder holder = { .mac = *mac };
	struct device device;
	int err;

	err = store_session_of(store, mac, &holder.session);
	if (err == 0)
		err = find_credit(store, &holder);
	else if (err == -ENOENT)
		holder.session = (struct session){ 0 };
	if (err < 0 && err != -ENOENT)
		return err;
	err = store_device_lookup(store, mac, &device);
	if (err < 0 && err != -ENOENT)
		return err;
	if (err == 0) {
		holder.blocked = device.blocked;
		holder.exempt_until = device.exempt_until;
	}
	*ret_holder = holder;
	return 0;
}
