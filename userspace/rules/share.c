/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing what a session uses with devices that have no page of their own. A
 * credit that nobody has shared yet gets its group when the first device comes;
 * a voucher for several has one from its activation.
 */
#include "rules/share.h"

#include <string.h>

#include "rules/device.h"

int share_max(struct rules *rules, struct account *account, int64_t *ret_max)
{
	const struct credit *credit = account_in_use(account);
	struct group group;
	struct plan plan;
	int ret = 0;

	*ret_max = 1;
	if (!credit || account->session.state != SESSION_RUNNING ||
		credit->kind == KIND_FREE)
		return 0;
	if (credit->group_id) {
		ret = store_group_lookup(rules->store, credit->group_id, &group);
		if (!ret && !group.used_up_at)
			*ret_max = group.devices_max;
	} else if (credit->plan_id) {
		ret = store_plan_lookup(rules->store, credit->plan_id, &plan);
		if (!ret)
			*ret_max = plan.devices;
	}
	return ret == -ENOENT ? 0 : ret;
}

/* The first device beside the owner's: what is left is shared from now on. */
static int make_group(struct rules *rules, struct credit *credit,
	int64_t devices_max, enum outcome *ret_outcome)
{
	struct group group = {
		.devices_max = devices_max,
		.bytes = credit->bytes,
		.counts = credit->terms.counts,
		.rates = credit->rates,
	};
	int64_t count = 0;
	int ret = store_group_count(rules->store, &count);

	if (!ret && count >= STORE_GROUPS_MAX)
		*ret_outcome = OUTCOME_CONFLICT;
	if (ret || *ret_outcome)
		return ret;
	/* Used up, but for fair use: a limit is at least a byte. */
	if (group.bytes != UNLIMITED)
		group.bytes = MAX(credit_full_bytes_left(credit), 1);
	snprintf(group.name, sizeof(group.name), STORE_GROUP_OF_CREDIT "%lld",
		(long long)credit->id);
	ret = store_group_insert(rules->store, &group);
	credit->group_id = group.id;
	return ret ? ret
		   : store_credit_share(rules->store, credit->id, group.id);
}

/* Is it free to be added? */
static int judge_device(struct rules *rules, const struct guest *device,
	const struct credit *credit, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct device row = {.id = 0};
	struct account account;
	int ret = store_device_lookup(rules->store, device->mac, &row);
	bool is_taken = !ret && (row.blocked || row.group_id ||
				       exemption_holds(&row.exemption, now));

	if (ret && ret != -ENOENT)
		return ret;
	/* Settled: what is over by now is no session in the way. */
	ret = account_load(rules, device->mac, now, &account);
	if (ret && ret != -ENOENT)
		return ret;
	if (is_taken || !ret)
		*ret_outcome = OUTCOME_DEVICE_TAKEN;
	else if (!guest_is_in(device, credit->networks))
		*ret_outcome = OUTCOME_OTHER_NETWORK;
	return 0;
}

static int count_shares(struct rules *rules, int64_t group_id)
{
	struct credit shares[GROUP_DEVICES_MAX];

	return group_id ? store_credit_shared(rules->store, group_id, shares,
				  GROUP_DEVICES_MAX)
			: 1;
}

/* The device's session begins, with its share of the owner's credit. */
static int begin(struct rules *rules, const struct account *owner,
	const struct credit *credit, const struct guest *device,
	const struct moment *now, struct shared *shared,
	enum outcome *ret_outcome)
{
	struct credit share = *credit;
	struct account account;
	int ret = account_open(rules, device->mac, now, &account);

	if (ret)
		return ret;
	share.left_ns = credit_time_left(credit, now->mono_ns);
	share.bytes_up = share.bytes_down = 0;
	share.shared_by = owner->session.id;
	shared->owner_id = owner->session.id;
	shared->group_id = credit->group_id;
	ret = account_add(rules, &account, &share, now, ret_outcome);
	shared->session_id = account.session.id;
	return ret;
}

int share_add(struct rules *rules, const struct mac *owner,
	const struct guest *device, const struct moment *now,
	struct shared *ret_shared, enum outcome *ret_outcome)
{
	struct account account;
	struct credit *credit;
	int64_t max = 1;
	int ret = account_find(rules, owner, now, &account, ret_outcome), n;

	if (!ret && !*ret_outcome)
		ret = share_max(rules, &account, &max);
	if (ret || *ret_outcome)
		return ret;
	if (max <= 1) {
		*ret_outcome = OUTCOME_NOT_SHAREABLE;
		return 0;
	}
	credit = account_in_use(&account);
	ret = judge_device(rules, device, credit, now, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	n = count_shares(rules, credit->group_id);
	if (n < 0)
		return n;
	if (n >= max) {
		*ret_outcome = OUTCOME_DEVICES_FULL;
		return 0;
	}
	if (!credit->group_id)
		ret = make_group(rules, credit, max, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	return begin(rules, &account, credit, device, now, ret_shared,
		ret_outcome);
}

/* Its share goes; what it bought besides begins. */
static void take_away(struct account *account, struct credit *share,
	const struct moment *now)
{
	int i, others = 0;

	for (i = 0; i < account->count; i++)
		others += account->credits[i].state != CREDIT_USED;
	if (others == 1) {
		account_change(account, SESSION_EVENT_REMOVED, NULL, now);
		return;
	}
	credit_use_up(share, now->mono_ns);
	account_settle(account, now, false);
}

int share_remove(struct rules *rules, const struct mac *owner,
	const struct mac *device, const struct moment *now,
	struct shared *ret_shared, enum outcome *ret_outcome)
{
	struct account account, owners;
	int64_t owner_id = 0;
	int ret = 0, i;

	if (owner) {
		ret = account_find(rules, owner, now, &owners, ret_outcome);
		if (ret || *ret_outcome)
			return ret;
		owner_id = owners.session.id;
	}
	ret = account_find(rules, device, now, &account, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	for (i = 0; i < account.count; i++) {
		struct credit *share = &account.credits[i];

		if (share->state == CREDIT_USED || !share->shared_by ||
			(owner && share->shared_by != owner_id))
			continue;
		*ret_shared = (struct shared){share->shared_by,
			account.session.id, share->group_id};
		take_away(&account, share, now);
		return account_save(rules, &account);
	}
	*ret_outcome = OUTCOME_NOT_FOUND;
	return 0;
}
