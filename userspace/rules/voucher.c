/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers: making codes and turning one into a credit, once. Codes leave this
 * file only to who made them; the store has them sealed, and finds them by a
 * hash under a key that is not in the database.
 */
#include "rules/voucher.h"

#include <ctype.h>
#include <string.h>

#include "rules/sale.h"

/* Without I, L, O, 0 and 1. 31 is prime: the check character finds every
 * single wrong character and every swap of two neighbours. */
static const char alphabet[] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";
#define ALPHABET ((int)sizeof(alphabet) - 1)
#define VOUCHER_RANDOM 8

/*
 * One character as a code has it: the digits of Arabic and Persian keyboards
 * are digits, and what stands in a code that was copied from a page without
 * being seen (marks of direction) is a space. Its length; others stay.
 */
static size_t plain_character(const char *text, unsigned char *ret_c)
{
	const unsigned char *u = (const unsigned char *)text;

	*ret_c = *u;
	if (u[0] == 0xd9 && u[1] >= 0xa0 && u[1] <= 0xa9)
		*ret_c = (unsigned char)('0' + u[1] - 0xa0);
	else if (u[0] == 0xdb && u[1] >= 0xb0 && u[1] <= 0xb9)
		*ret_c = (unsigned char)('0' + u[1] - 0xb0);
	else if (!strncmp(text, "\u00a0", 2))
		*ret_c = ' ';
	else if (!strncmp(text, "\u200e", 3) || !strncmp(text, "\u200f", 3) ||
		 (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9))
		*ret_c = ' ';
	else
		return 1;
	return u[0] == 0xe2 ? 3 : 2;
}

int voucher_normalise(const char *text, char ret_code[static VOUCHER_CODE])
{
	char code[VOUCHER_CODE];
	unsigned char c;
	size_t at = 0;

	while (*text) {
		text += plain_character(text, &c);
		if (c == ' ' || c == '-')
			continue;
		if (!isalnum(c) || at == sizeof(code) - 1)
			return -EINVAL;
		code[at++] = (char)toupper(c);
	}
	if (!at)
		return -EINVAL;
	code[at] = '\0';
	memcpy(ret_code, code, at + 1);
	return 0;
}

/* The check character of `len` characters; 0 when one is not of the alphabet. */
static char check_character(const char *text, size_t len)
{
	int total = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		const char *at = strchr(alphabet, text[i]);

		if (!at)
			return 0;
		total += (int)(i + 1) * (int)(at - alphabet);
	}
	return alphabet[total % ALPHABET];
}

void voucher_code(const char *prefix, char ret_code[static VOUCHER_CODE])
{
	char random[VOUCHER_RANDOM + 1] = "";
	int i;

	for (i = 0; i < VOUCHER_RANDOM; i++)
		random[i] = alphabet[crypto_random_below((uint32_t)ALPHABET)];
	snprintf(ret_code, VOUCHER_CODE, "%s%s%c", prefix, random,
		check_character(random, VOUCHER_RANDOM));
}

bool voucher_check(const char *code)
{
	size_t len = strlen(code);
	char check;

	if (len < VOUCHER_RANDOM + 1)
		return false;
	check = check_character(code + len - VOUCHER_RANDOM - 1, VOUCHER_RANDOM);
	return check && check == code[len - 1];
}

static void hmac_of(const struct rules *rules, const char *code,
	uint8_t ret_hmac[static CRYPTO_HASH])
{
	crypto_hmac(rules->lookup_key, code, strlen(code), ret_hmac);
}

/* One code into the store; -EEXIST when that code is there already. */
static int insert(struct rules *rules, const struct voucher_batch *batch,
	const char *code)
{
	struct voucher voucher = {
		.plan_id = batch->plan->id,
		.expires_at = batch->expires_at,
		.sealed_len = strlen(code) + CRYPTO_SEAL_OVERHEAD,
	};

	_Static_assert(VOUCHER_CODE + CRYPTO_SEAL_OVERHEAD <= STORE_SEALED,
		"a sealed code fits");
	hmac_of(rules, code, voucher.hmac);
	crypto_seal(rules->seal_key, code, strlen(code), voucher.sealed);
	snprintf(voucher.batch, sizeof(voucher.batch), "%s", batch->batch);
	snprintf(voucher.created_by, sizeof(voucher.created_by), "%s",
		batch->created_by);
	return store_voucher_insert(rules->store, &voucher);
}

int voucher_create(struct rules *rules, const struct voucher_batch *batch,
	void (*fn)(void *data, const char *code), void *data)
{
	char code[VOUCHER_CODE];
	int i, ret;

	for (i = 0; i < batch->count; i++) {
		do {
			voucher_code(batch->prefix, code);
			ret = insert(rules, batch, code);
		} while (ret == -EEXIST);
		if (ret)
			return ret;
		fn(data, code);
	}
	return 0;
}

int voucher_import(struct rules *rules, const struct voucher_batch *batch,
	const char *text, enum outcome *ret_outcome)
{
	char code[VOUCHER_CODE];
	int ret = voucher_normalise(text, code);

	if (!ret)
		ret = insert(rules, batch, code);
	if (ret && ret != -EEXIST)
		return ret;
	*ret_outcome = ret ? OUTCOME_CONFLICT : OUTCOME_OK;
	return 0;
}

int voucher_bits(const char *text)
{
	char code[VOUCHER_CODE] = "";
	int ret = voucher_normalise(text, code);
	size_t digits = strspn(code, "0123456789"), len = strlen(code);
	bool has_digits = strpbrk(code, "0123456789") != NULL;
	/* Thousandths of a bit: log2 of 10, 26 and 36. */
	size_t each = digits == len ? 3322 : has_digits ? 5170 : 4700;

	return ret ? 0 : (int)(len * each / 1000);
}

int voucher_reveal(struct rules *rules, const struct voucher *voucher,
	char ret_code[static VOUCHER_CODE])
{
	char code[STORE_SEALED] = "";
	int ret;

	if (voucher->sealed_len <= CRYPTO_SEAL_OVERHEAD ||
		voucher->sealed_len - CRYPTO_SEAL_OVERHEAD >= VOUCHER_CODE)
		return -EBADMSG;
	ret = crypto_open(
		rules->seal_key, voucher->sealed, voucher->sealed_len, code);
	if (ret)
		return ret;
	memcpy(ret_code, code, VOUCHER_CODE);
	return 0;
}

static enum outcome usable(const struct voucher *voucher, int64_t now_sec)
{
	switch (voucher->state) {
	case VOUCHER_USED:
		return OUTCOME_VOUCHER_USED;
	case VOUCHER_REVOKED:
		return OUTCOME_VOUCHER_REVOKED;
	case VOUCHER_UNUSED:
		break;
	}
	return voucher->expires_at <= now_sec ? OUTCOME_VOUCHER_EXPIRED
					      : OUTCOME_OK;
}

/* Codes of elsewhere have no check character, so every code is looked up. */
int voucher_find(struct rules *rules, const char *text, int64_t now_sec,
	struct voucher *ret_voucher, enum outcome *ret_outcome)
{
	uint8_t hmac[CRYPTO_HASH];
	char code[VOUCHER_CODE];
	int ret = -ENOENT;

	if (!voucher_normalise(text, code)) {
		hmac_of(rules, code, hmac);
		ret = store_voucher_by_hmac(rules->store, hmac, ret_voucher);
	}
	if (ret && ret != -ENOENT)
		return ret;
	*ret_outcome = ret ? OUTCOME_VOUCHER_UNKNOWN
			   : usable(ret_voucher, now_sec);
	return 0;
}

int voucher_revoke(struct rules *rules, const char *text,
	struct voucher *ret_voucher, enum outcome *ret_outcome)
{
	/* One that is merely too old may be revoked all the same. */
	int ret = voucher_find(rules, text, INT64_MIN, ret_voucher, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	return store_voucher_revoke(rules->store, ret_voucher->id);
}

/*
 * The group of the devices that may use this voucher, before there is a second
 * one: so not a byte of the first is missing in it. None (0) for a plan for one
 * device, and for a device that is in a group of the operator's: there is room
 * for one in its record.
 */
static int make_group(struct rules *rules, const struct guest *guest,
	const struct voucher *voucher, const struct plan *plan,
	int64_t *ret_group_id)
{
	struct group group = {
		.voucher_id = voucher->id,
		.devices_max = plan->devices,
		.bytes = plan->bytes,
		.counts = plan->terms.counts,
		.rates = plan->rates,
	};
	struct device device = {.group_id = 0};
	int64_t count = 0;
	int ret;

	*ret_group_id = 0;
	if (plan->devices <= 1)
		return 0;
	ret = store_device_lookup(rules->store, guest->mac, &device);
	if (!ret || ret == -ENOENT)
		ret = store_group_count(rules->store, &count);
	if (ret || device.group_id || count >= STORE_GROUPS_MAX)
		return ret;
	snprintf(group.name, sizeof(group.name), STORE_GROUP_OF_VOUCHER "%lld",
		(long long)voucher->id);
	ret = store_group_insert(rules->store, &group);
	*ret_group_id = group.id;
	return ret;
}

/* The voucher is good: its plan becomes a credit of the client. */
static int redeem(struct rules *rules, const struct guest *guest,
	const struct voucher *voucher, const struct moment *now,
	struct activated *activated, enum outcome *ret_outcome)
{
	struct account *account = &activated->account;
	struct credit credit;
	struct plan plan;
	int ret;

	ret = store_plan_lookup(rules->store, voucher->plan_id, &plan);
	if (!ret && !guest_is_in(guest, plan.networks)) {
		*ret_outcome = OUTCOME_OTHER_NETWORK;
		return 0;
	}
	if (!ret)
		ret = account_open(rules, guest->mac, now, account);
	if (ret)
		return ret;
	credit = credit_of_plan(KIND_VOUCHER, &plan, 1);
	memcpy(activated->plan, plan.name, sizeof(activated->plan));
	ret = make_group(rules, guest, voucher, &plan, &credit.group_id);
	if (ret)
		return ret;
	activated->group_id = credit.group_id;
	/* The code is a proof: its guest gets a token whatever was before. */
	account->session.token_handed = true;
	account->session.total_paid_minor += sale_price(voucher, &plan);
	ret = account_add(rules, account, &credit, now, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	if (account_prefer(account, guest, now))
		ret = account_save(rules, account);
	if (ret)
		return ret;
	ret = store_voucher_use(rules->store, voucher->id, account->session.id,
		guest->mac, now->wall_sec);
	if (!ret)
		ret = sale_redeemed(rules, voucher, account);
	return ret ? ret : token_make(rules, account, now, activated->token);
}

/* The one of them that runs; NULL: none does any more. */
static const struct credit *running_share(
	const struct credit *shares, int n, const struct moment *now)
{
	int i;

	for (i = 0; i < n; i++)
		if (shares[i].state == CREDIT_IN_USE &&
			credit_time_left(&shares[i], now->mono_ns) > 0)
			return &shares[i];
	return NULL;
}

/* A second device, or a later one: it gets what the first has, for as long,
 * and the group sees to it that there is no more of it. */
static int join(struct rules *rules, const struct guest *guest,
	const struct credit *share, const struct moment *now,
	struct activated *activated, enum outcome *ret_outcome)
{
	struct account *account = &activated->account;
	struct credit credit = *share;
	int ret = account_open(rules, guest->mac, now, account);

	if (ret)
		return ret;
	credit.left_ns = credit_time_left(share, now->mono_ns);
	credit.bytes_up = credit.bytes_down = 0;
	credit.shared_by = 0;
	activated->group_id = credit.group_id;
	memcpy(activated->plan, credit.plan_name, sizeof(activated->plan));
	ret = account_add(rules, account, &credit, now, ret_outcome);
	return ret || *ret_outcome
		       ? ret
		       : token_make(rules, account, now, activated->token);
}

/* May this device use what came of a used voucher? `session_id` 0: it has no
 * session. */
static enum outcome judge_share(const struct group *group,
	const struct credit *shares, int n, const struct guest *guest,
	int64_t session_id, bool in_group, const struct moment *now)
{
	const struct credit *share = running_share(shares, n, now);
	int i;

	for (i = 0; i < n; i++)
		if (session_id && shares[i].session_id == session_id)
			return OUTCOME_VOUCHER_YOURS;
	if (!share || group->used_up_at)
		return OUTCOME_VOUCHER_USED;
	if (!guest_is_in(guest, share->networks))
		return OUTCOME_OTHER_NETWORK;
	if (session_id || in_group)
		return OUTCOME_HAS_SESSION;
	return n >= group->devices_max ? OUTCOME_DEVICES_FULL : OUTCOME_OK;
}

/*
 * A used voucher, shown again: by the client that has what came of it? A page
 * that is loaded anew sends its form once more. Or by another device of the
 * same guest's.
 */
static int redeem_again(struct rules *rules, const struct guest *guest,
	const struct voucher *voucher, const struct moment *now,
	struct activated *activated, enum outcome *outcome)
{
	struct account *account = &activated->account;
	struct credit shares[GROUP_DEVICES_MAX];
	struct device device = {.group_id = 0};
	struct group group;
	int64_t session_id = 0;
	int ret, n;

	/* Settled: what is over by now is no session in the way. */
	ret = account_load(rules, guest->mac, now, account);
	if (!ret)
		session_id = account->session.id;
	if (session_id && voucher->session_id == session_id) {
		*outcome = OUTCOME_VOUCHER_YOURS;
		return 0;
	}
	if (!ret || ret == -ENOENT)
		ret = store_group_of_voucher(rules->store, voucher->id, &group);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	n = store_credit_shared(
		rules->store, group.id, shares, GROUP_DEVICES_MAX);
	ret = n < 0 ? n
		    : store_device_lookup(rules->store, guest->mac, &device);
	if (ret && ret != -ENOENT)
		return ret;
	*outcome = judge_share(&group, shares, n, guest, session_id,
		device.group_id != 0, now);
	if (*outcome)
		return 0;
	return join(rules, guest, running_share(shares, n, now), now, activated,
		outcome);
}

int voucher_activate(struct rules *rules, const struct guest *guest,
	const char *text, const struct moment *now,
	struct activated *ret_activated, enum outcome *ret_outcome)
{
	struct session session;
	struct voucher voucher;
	bool blocked = false;
	int ret = store_device_is_blocked(rules->store, guest->mac, &blocked);

	if (ret)
		return ret;
	if (!blocked)
		ret = store_session_of(rules->store, guest->mac, &session);
	if (ret && ret != -ENOENT)
		return ret;
	/* A code would get a token, which is what a held session waits for. */
	if (blocked || (!ret && session.state == SESSION_HELD)) {
		*ret_outcome = blocked ? OUTCOME_CLIENT_BLOCKED
				       : OUTCOME_SESSION_HELD;
		return 0;
	}
	ret = voucher_find(rules, text, now->wall_sec, &voucher, ret_outcome);
	ret_activated->group_id = 0;
	if (!ret && *ret_outcome == OUTCOME_VOUCHER_USED)
		return redeem_again(rules, guest, &voucher, now, ret_activated,
			ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	return redeem(rules, guest, &voucher, now, ret_activated, ret_outcome);
}
