/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A member's credits name it: the first device gets the plan, the others join
 * with a share that ends with it, and one group bounds them all. The check-out
 * is the day on which each of them ends, whatever is left.
 */
#include "rules/member.h"

#include <string.h>

#include "rules/kinds.h"
#include "rules/move.h"
#include "rules/pause.h"

/* What a packet may have been too big for. */
#define SCRAP_BYTES 65536

bool member_is_staying(const struct member *member, int64_t now_sec)
{
	return now_sec >= member->check_in &&
	       (!member->check_out || now_sec < member->check_out);
}

bool member_has_proof(const struct member *member)
{
	return member->proof_name[0] || member->proof_room[0];
}

bool member_proof_is_both(const struct member *member)
{
	return member->proof_name[0] && member->proof_room[0];
}

/* Both hashed under our key: to compare them tells nothing. */
static bool is_same(const struct rules *rules, const char *a, const char *b)
{
	uint8_t one[CRYPTO_HASH], other[CRYPTO_HASH];

	crypto_hmac(rules->lookup_key, a, strlen(a), one);
	crypto_hmac(rules->lookup_key, b, strlen(b), other);
	return !memcmp(one, other, CRYPTO_HASH);
}

bool member_proof_is(const struct rules *rules, const struct member *member,
	const char *secret)
{
	char typed[2 * MEMBER_PROOF], name[MEMBER_PROOF], room[MEMBER_PROOF];
	char both[2 * MEMBER_PROOF], turned[2 * MEMBER_PROOF];
	bool is_both, is_turned;

	text_fold(secret, typed, sizeof(typed));
	text_fold(member->proof_name, name, sizeof(name));
	text_fold(member->proof_room, room, sizeof(room));
	snprintf(both, sizeof(both), "%s%s", name, room);
	snprintf(turned, sizeof(turned), "%s%s", room, name);
	is_both = is_same(rules, typed, both);
	is_turned = is_same(rules, typed, turned);
	/* Of signs alone nothing is left, neither here nor there. */
	return typed[0] && (is_both || is_turned);
}

/* Its first device: the plan. One group for all that may come, unless this one
 * is in a group of the operator's: its record has room for one. */
static int make_group(struct rules *rules, const struct guest *guest,
	const struct member *member, struct credit *credit)
{
	struct group group = {
		.devices_max = member->devices,
		.bytes = credit->bytes,
		.counts = credit->terms.counts,
		.rates = credit->rates,
	};
	struct device device = {.group_id = 0};
	int64_t count = 0;
	int ret;

	if (!member->id || member->devices <= 1)
		return 0;
	ret = store_device_lookup(rules->store, guest->mac, &device);
	if (!ret || ret == -ENOENT)
		ret = store_group_count(rules->store, &count);
	if (ret || device.group_id || count >= STORE_GROUPS_MAX)
		return ret;
	/* Those of before may not be gone yet. */
	snprintf(group.name, sizeof(group.name), STORE_GROUP_OF_MEMBER "%lld.%lld",
		(long long)member->id, (long long)member->given_credit_id);
	ret = store_group_insert(rules->store, &group);
	credit->group_id = group.id;
	return ret;
}

/* Are the bytes used up of what was given last, whose time is not? */
static int is_used_up(struct rules *rules, const struct member *member,
	const struct moment *now, bool *ret_used_up)
{
	struct credit first;
	int64_t up = 0, down = 0;
	int ret;

	*ret_used_up = false;
	if (!member->given_credit_id || member->given_until <= now->wall_sec)
		return 0;
	ret = store_credit_lookup(
		rules->store, member->given_credit_id, &first);
	if (ret || !credit_ends_by_bytes(&first))
		return ret == -ENOENT ? 0 : ret;
	ret = store_member_used(
		rules->store, member->id, first.id, &up, &down);
	*ret_used_up = counted(first.terms.counts, up, down) + SCRAP_BYTES >=
		       first.bytes;
	return ret;
}

/* Somebody unknown has no row: the device's own past tells. */
static int had_it(struct rules *rules, const struct guest *guest,
	const struct plan *plan, const struct moment *now, bool *ret_had)
{
	int64_t began = 0;
	int ret = store_unknown_since(rules->store, guest->mac, &began);

	*ret_had = !ret && plan->seconds != UNLIMITED &&
		   now->wall_sec < began + plan->seconds;
	return ret == -ENOENT ? 0 : ret;
}

static int give(struct rules *rules, const struct guest *guest,
	struct member *member, const struct plan *plan,
	const struct moment *now, struct admitted *admitted,
	enum outcome *ret_outcome)
{
	struct credit credit = credit_of_plan(KIND_MEMBER, plan, 1);
	bool is_over = false;
	int ret = member->id ? is_used_up(rules, member, now, &is_over)
			     : had_it(rules, guest, plan, now, &is_over);

	if (!ret && is_over)
		*ret_outcome = OUTCOME_SESSION_USED_UP;
	else if (!ret && !guest_is_in(guest, plan->networks))
		*ret_outcome = OUTCOME_OTHER_NETWORK;
	if (ret || *ret_outcome)
		return ret;
	credit.member_id = member->id;
	credit.valid_until = member->check_out;
	ret = make_group(rules, guest, member, &credit);
	if (!ret)
		ret = account_add(rules, &admitted->account, &credit, now,
			ret_outcome);
	admitted->group_id = credit.group_id;
	admitted->is_new = true;
	member->given_credit_id = admitted->account.added.credit_id;
	member->given_until = plan->seconds == UNLIMITED
				      ? UNLIMITED
				      : now->wall_sec + plan->seconds;
	return ret;
}

/* One with time left, if there is any. */
static const struct credit *share_of(
	const struct credit *shares, int n, const struct moment *now)
{
	int i;

	for (i = 0; i < n; i++)
		if (credit_time_to_use(&shares[i], now) > 0)
			return &shares[i];
	return NULL;
}

/* Which of them was silent for longest, and for long; NULL: all are in use, or
 * nobody knows. */
static const struct credit *most_silent(struct rules *rules,
	const struct credit *shares, int n, const struct moment *now,
	struct mac *ret_mac)
{
	const struct credit *found = NULL;
	int64_t seen_ns, oldest_ns = now->mono_ns - MEMBER_SILENT_NS;
	struct session session;
	int i;

	for (i = 0; rules->seen && i < n; i++) {
		if (store_session_lookup(
			    rules->store, shares[i].session_id, &session))
			continue;
		seen_ns = rules->seen(rules->data, &session.mac);
		if (!seen_ns || seen_ns >= oldest_ns)
			continue;
		oldest_ns = seen_ns;
		found = &shares[i];
		*ret_mac = session.mac;
	}
	return found;
}

/* The phone that has another address by now: what it had comes with it. */
static int take_place(struct rules *rules, const struct guest *guest,
	const struct credit *place, const struct moment *now,
	struct admitted *admitted, enum outcome *ret_outcome)
{
	struct account *account = &admitted->account;
	bool moves[CREDITS_MAX] = {false};
	int ret = account_load_id(rules, place->session_id, now, account), i;

	/* Its clock ran out meanwhile: who comes again gets the next. */
	if (!ret && account->session.state == SESSION_ENDED)
		*ret_outcome = OUTCOME_CONFLICT;
	if (ret || *ret_outcome)
		return ret;
	for (i = 0; i < account->count; i++)
		moves[i] = account->credits[i].member_id == place->member_id &&
			   kind_move(&account->credits[i]);
	admitted->from = account->session.mac;
	account_release(account, SESSION_BY_USER, now);
	return account_move(
		rules, account, guest->mac, moves, now, ret_outcome);
}

static int join(struct rules *rules, const struct guest *guest,
	const struct member *member, const struct credit *shares, int n,
	const struct moment *now, struct admitted *admitted,
	enum outcome *ret_outcome)
{
	const struct credit *place, *share = share_of(shares, n, now);
	struct credit credit = *share;
	struct group group = {.used_up_at = 0};
	struct mac mac;
	int ret = share->group_id ? store_group_lookup(rules->store,
					    share->group_id, &group)
				  : 0;

	if (ret && ret != -ENOENT)
		return ret;
	if (group.used_up_at)
		*ret_outcome = OUTCOME_SESSION_USED_UP;
	else if (!guest_is_in(guest, share->networks))
		*ret_outcome = OUTCOME_OTHER_NETWORK;
	if (*ret_outcome)
		return 0;
	admitted->group_id = share->group_id;
	if (n >= member->devices) {
		place = most_silent(rules, shares, n, now, &mac);
		if (place)
			return take_place(rules, guest, place, now, admitted,
				ret_outcome);
		*ret_outcome = OUTCOME_DEVICES_FULL;
		return 0;
	}
	credit.left_ns = credit_time_left(share, now->mono_ns);
	credit.bytes_up = credit.bytes_down = 0;
	credit.shared_by = 0;
	return account_add(
		rules, &admitted->account, &credit, now, ret_outcome);
}

/* Has the account something of the member, or of somebody unknown? */
static bool has_own(const struct account *account, int64_t member_id)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].kind == KIND_MEMBER &&
			account->credits[i].member_id == member_id)
			return true;
	return false;
}

/* The account of the device, as far as it may be logged in to. */
static int open_account(struct rules *rules, const struct guest *guest,
	const struct member *member, const struct moment *now,
	struct account *account, enum outcome *ret_outcome)
{
	bool blocked = false;
	int ret = store_device_is_blocked(rules->store, guest->mac, &blocked);

	*ret_outcome = blocked ? OUTCOME_CLIENT_BLOCKED : OUTCOME_OK;
	if (ret || blocked)
		return ret;
	ret = account_open(rules, guest->mac, now, account);
	if (ret || account->session.state != SESSION_HELD)
		return ret;
	/* Its login is what the session waits for (P7); another's is not. */
	if (!member->id || !has_own(account, member->id)) {
		*ret_outcome = OUTCOME_SESSION_HELD;
		return 0;
	}
	account_release(account, SESSION_BY_USER, now);
	return account_save(rules, account);
}

int member_admit(struct rules *rules, const struct guest *guest,
	struct member *member, const struct plan *plan,
	const struct moment *now, struct admitted *ret_admitted,
	enum outcome *ret_outcome)
{
	struct account *account = &ret_admitted->account;
	struct credit shares[MEMBER_DEVICES_MAX];
	int ret, n = 0;

	memset(&ret_admitted->from, 0, sizeof(ret_admitted->from));
	ret_admitted->group_id = 0;
	ret_admitted->is_new = false;
	ret = open_account(rules, guest, member, now, account, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	if (member->id)
		n = store_member_credits(rules->store, member->id, shares,
			MEMBER_DEVICES_MAX);
	if (n < 0)
		return n;
	if (has_own(account, member->id))
		ret = 0;
	else if (share_of(shares, n, now))
		ret = join(rules, guest, member, shares, n, now, ret_admitted,
			ret_outcome);
	else
		ret = give(rules, guest, member, plan, now, ret_admitted,
			ret_outcome);
	if (!ret && !*ret_outcome && account_prefer(account, guest, now))
		ret = account_save(rules, account);
	if (!ret && !*ret_outcome)
		ret = store_session_member(
			rules->store, account->session.id, member->id);
	member->last_used_at = now->wall_sec;
	if (!ret && !*ret_outcome && member->id)
		ret = store_member_put(rules->store, member);
	return ret || *ret_outcome
		       ? ret
		       : token_make(rules, account, now, ret_admitted->token);
}

static int settle_account(struct rules *rules, struct account *account,
	const struct member *member, bool is_over, const struct moment *now)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].member_id == member->id)
			account->credits[i].valid_until =
				is_over ? now->wall_sec : member->check_out;
	account_settle(account, now, false);
	return account_save(rules, account);
}

int member_settle(struct rules *rules, const struct member *member,
	bool is_gone, const struct moment *now,
	void (*fn)(void *data, const struct mac *mac), void *data)
{
	bool is_over = is_gone || !member_is_staying(member, now->wall_sec);
	struct credit shares[MEMBER_DEVICES_MAX];
	struct account account;
	int n = store_member_credits(
		rules->store, member->id, shares, MEMBER_DEVICES_MAX);
	int i, ret = 0;

	for (i = 0; !ret && i < n; i++) {
		ret = account_load_id(
			rules, shares[i].session_id, now, &account);
		if (ret || account.session.state == SESSION_ENDED)
			continue;
		fn(data, &account.session.mac);
		ret = settle_account(rules, &account, member, is_over, now);
		if (!ret && shares[i].group_id)
			ret = store_group_room(rules->store, shares[i].group_id,
				member->devices);
	}
	return n < 0 ? n : ret;
}
