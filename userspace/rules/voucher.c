/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Voucher codes and what they are worth. The database has neither the codes
 * nor anything to guess them from: a code is found by its HMAC under a key
 * that is not in the database, and read back by unsealing.
 */
#include "rules/voucher.h"

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"
#include "rules/plan.h"

/* Without 0/O, 1/I/L; 31 is prime, so the check finds every single slip and
 * every swap of neighbours. */
static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
#define ALPHABET 31
#define RANDOM_CHARS 8

_Static_assert(sizeof(alphabet) - 1 == ALPHABET, "31 characters");

int voucher_normalise(const char *text, char ret_code[static VOUCHER_TEXT])
{
	char code[VOUCHER_TEXT];
	size_t n = 0;

	for (; *text; text++) {
		char c = *text;

		if (c == ' ' || c == '-')
			continue;
		if (c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return -EINVAL;
		if (n == sizeof(code) - 1)
			return -EINVAL;
		code[n++] = c;
	}
	if (n < 4)
		return -EINVAL;
	code[n] = '\0';
	memcpy(ret_code, code, n + 1);
	return 0;
}

static char check_char(const char *random)
{
	int sum = 0;

	for (int i = 0; i < RANDOM_CHARS; i++)
		sum += (i + 1) * (int)(strchr(alphabet, random[i]) - alphabet);
	return alphabet[sum % ALPHABET];
}

bool voucher_check(const char *code)
{
	size_t n = strlen(code);
	const char *tail = code + n - RANDOM_CHARS - 1;

	if (n < RANDOM_CHARS + 1)
		return false;
	for (int i = 0; i < RANDOM_CHARS; i++)
		if (!strchr(alphabet, tail[i]))
			return false;
	return tail[RANDOM_CHARS] == check_char(tail);
}

static void make_code(const char *prefix, char ret_code[static VOUCHER_TEXT])
{
	char random[RANDOM_CHARS + 1];

	for (int i = 0; i < RANDOM_CHARS; i++)
		random[i] = alphabet[crypto_random_below(ALPHABET)];
	random[RANDOM_CHARS] = '\0';
	snprintf(ret_code, VOUCHER_TEXT, "%s%s%c", prefix, random, check_char(random));
}

static void seal(struct voucher *voucher, const char *code, const struct rules *rules)
{
	size_t len = strlen(code);

	crypto_hmac(rules->lookup_key, code, len, voucher->hmac);
	crypto_seal(rules->seal_key, code, len, voucher->sealed);
	voucher->sealed_len = len + CRYPTO_SEAL_OVERHEAD;
}

int voucher_code(const struct voucher *voucher, const struct rules *rules,
	char ret_code[static VOUCHER_TEXT])
{
	size_t len = voucher->sealed_len - CRYPTO_SEAL_OVERHEAD;
	int err;

	if (voucher->sealed_len < CRYPTO_SEAL_OVERHEAD || len >= VOUCHER_TEXT)
		return -EBADMSG;
	err = crypto_open(rules->seal_key, voucher->sealed, voucher->sealed_len, ret_code);
	if (err == 0)
		ret_code[len] = '\0';
	return err;
}

/* One of 31^8 is taken already now and then: another one is made. */
static int insert_one(struct store *store, struct voucher *voucher,
	const struct voucher_batch *batch, const struct rules *rules,
	char ret_code[static VOUCHER_TEXT])
{
	int err;

	do {
		make_code(batch->prefix, ret_code);
		seal(voucher, ret_code, rules);
		err = store_voucher_insert(store, voucher);
	} while (err == -EEXIST);
	return err;
}

static void name_batch(struct voucher_batch *batch, const struct moment *now)
{
	char day[TIME_TEXT];

	time_format(now->wall_sec, day);
	snprintf(batch->batch, sizeof(batch->batch), "%.10s-%04u", day,
		(unsigned int)crypto_random_below(10000));
}

int voucher_create(struct store *store, struct voucher_batch *batch,
	const struct rules *rules, const struct moment *now,
	void (*fn)(void *data, const char *code), void *data,
	enum outcome *ret_outcome)
{
	struct voucher voucher = { .expires_at = batch->expires_at };
	char code[VOUCHER_TEXT], detail[160];
	struct plan plan;
	int err = store_plan_by_name(store, batch->plan, &plan);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_PLAN_UNKNOWN;
		return 0;
	}
	if (err < 0)
		return err;
	if (!batch->batch[0])
		name_batch(batch, now);
	voucher.plan_id = plan.id;
	snprintf(voucher.batch, sizeof(voucher.batch), "%s", batch->batch);
	snprintf(voucher.created_by, sizeof(voucher.created_by), "%s", batch->who);
	for (int64_t i = 0; i < batch->count && err == 0; i++) {
		err = insert_one(store, &voucher, batch, rules, code);
		if (err == 0)
			fn(data, code);
	}
	snprintf(detail, sizeof(detail), "batch %s: %lld of %s", batch->batch,
		(long long)batch->count, plan.name);
	if (err == 0)
		err = store_audit(store, now->wall_sec, batch->who,
			"vouchers.create", NULL, 0, detail);
	if (err == 0)
		*ret_outcome = OUTCOME_DONE;
	return err;
}

static int lookup(struct store *store, const char *text,
	const struct rules *rules, struct voucher *ret_voucher)
{
	char code[VOUCHER_TEXT];
	uint8_t hmac[CRYPTO_HASH];

	if (voucher_normalise(text, code) < 0)
		return -ENOENT;
	crypto_hmac(rules->lookup_key, code, strlen(code), hmac);
	return store_voucher_by_hmac(store, hmac, ret_voucher);
}

static enum outcome judge(const struct voucher *voucher, const struct moment *now)
{
	switch (voucher->state) {
	case VOUCHER_USED:
		return OUTCOME_VOUCHER_USED;
	case VOUCHER_REVOKED:
		return OUTCOME_VOUCHER_REVOKED;
	case VOUCHER_UNUSED:
		break;
	}
	if (voucher->expires_at != 0 && voucher->expires_at != UNLIMITED &&
	    now->wall_sec >= voucher->expires_at)
		return OUTCOME_VOUCHER_EXPIRED;
	return OUTCOME_DONE;
}

/* The code is a proof: whoever shows it gets a token, also for a session
 * whose token somebody else has; that one ends (P1). */
static int give_token(struct store *store, struct session *session,
	const struct credit *credit, const struct rules *rules,
	const struct moment *now, char ret_token[static TOKEN_TEXT])
{
	token_make(session, token_days(rules, credit, 1), now, ret_token);
	return store_session_update(store, session);
}

int voucher_activate(struct store *store, const char *code,
	const struct mac *mac, const struct rules *rules, const struct moment *now,
	const struct touched *touched, enum outcome *ret_outcome,
	char ret_token[static TOKEN_TEXT])
{
	struct device device = { 0 };
	struct session session;
	struct voucher voucher;
	struct credit credit;
	struct plan plan;
	int err = lookup(store, code, rules, &voucher);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_VOUCHER_UNKNOWN;
		return 0;
	}
	if (err < 0)
		return err;
	*ret_outcome = judge(&voucher, now);
	err = store_device_lookup(store, mac, &device);
	if (err == 0 && device.blocked)
		*ret_outcome = OUTCOME_CLIENT_BLOCKED;
	if ((err < 0 && err != -ENOENT) || *ret_outcome != OUTCOME_DONE)
		return err == -ENOENT ? 0 : err;
	err = store_plan_lookup(store, voucher.plan_id, &plan);
	if (err < 0)
		return err;
	credit = plan_credit(&plan, KIND_VOUCHER);
	err = session_give(store, mac, &credit, plan.price_minor, rules, now,
		touched, ret_outcome, &session);
	if (err < 0 || *ret_outcome != OUTCOME_DONE)
		return err;
	err = store_voucher_use(store, voucher.id, session.id, mac, now->wall_sec);
	if (err == 0)
		err = give_token(store, &session, &credit, rules, now, ret_token);
	if (err == 0)
		err = store_audit(store, now->wall_sec, "guest",
			"vouchers.activate", mac, session.id, voucher.batch);
	return err;
}

int voucher_revoke(struct store *store, const char *code, const char *who,
	const struct rules *rules, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct voucher voucher;
	int err = lookup(store, code, rules, &voucher);

	if (err == -ENOENT) {
		*ret_outcome = OUTCOME_VOUCHER_UNKNOWN;
		return 0;
	}
	if (err < 0)
		return err;
	*ret_outcome = voucher.state == VOUCHER_USED ? OUTCOME_VOUCHER_USED : OUTCOME_DONE;
	if (voucher.state != VOUCHER_UNUSED)
		return 0;
	err = store_voucher_revoke(store, voucher.id);
	if (err == 0)
		err = store_audit(store, now->wall_sec, who, "vouchers.revoke",
			NULL, 0, voucher.batch);
	return err;
}
