/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session belongs to its token, not to a MAC: making tokens, handing them
 * out, renewing them, and finding the session of the one who shows one.
 */
#include "rules/token.h"

#include <string.h>

#include "rules/kinds.h"
#include "rules/move.h"
#include "rules/pause.h"

#define TOKEN_BYTES 32
#define RENEW_SEC 3600

/* The hash of what was shown; -EINVAL when it cannot be a token. */
static int hash_text(const char *text, uint8_t ret_hash[static CRYPTO_HASH])
{
	uint8_t token[TOKEN_BYTES];

	if (hex_parse(text, sizeof(token), token))
		return -EINVAL;
	crypto_sha256(token, sizeof(token), ret_hash);
	return 0;
}

static int64_t expiry_of(const struct rules *rules,
	const struct account *account, const struct moment *now)
{
	return now->wall_sec +
	       account_token_days(rules, account) * SEC_PER_DAY;
}

int token_make(struct rules *rules, struct account *account,
	const struct moment *now, char ret_text[static TOKEN_TEXT])
{
	struct token row = {
		.session_id = account->session.id,
		.expires_at = expiry_of(rules, account, now),
	};
	uint8_t token[TOKEN_BYTES];
	int ret = 0;

	crypto_random(token, sizeof(token));
	crypto_sha256(token, sizeof(token), row.hash);
	if (!account->session.token_handed) {
		account->session.token_handed = true;
		ret = store_session_update(rules->store, &account->session);
	}
	if (!ret)
		ret = store_token_insert(rules->store, &row);
	if (!ret)
		ret = store_token_trim(rules->store, row.session_id, TOKENS_MAX);
	if (!ret)
		hex_format(token, sizeof(token), ret_text);
	return ret;
}

int token_claim(struct rules *rules, struct account *account,
	const struct moment *now, bool *ret_handed,
	char ret_text[static TOKEN_TEXT])
{
	*ret_handed = false;
	/* Of a session that is held the token is what is asked for. */
	if (account->session.state == SESSION_ENDED ||
		account->session.state == SESSION_HELD ||
		account->session.token_handed)
		return 0;
	*ret_handed = true;
	return token_make(rules, account, now, ret_text);
}

/* Shown at the portal: its time starts anew. Who shows it every few seconds
 * makes the disk write once an hour. */
static int renew(struct rules *rules, struct token *token,
	const struct account *account, const struct moment *now)
{
	int64_t expires_at = expiry_of(rules, account, now);

	if (expires_at < token->expires_at + RENEW_SEC)
		return 0;
	token->expires_at = expires_at;
	return store_token_renew(rules->store, token);
}

int token_show(struct rules *rules, const struct account *account,
	const char *text, const struct moment *now, bool *ret_is_good)
{
	uint8_t hash[CRYPTO_HASH];
	struct token token;
	int ret;

	*ret_is_good = false;
	if (hash_text(text, hash))
		return 0;
	ret = store_token_lookup(rules->store, hash, &token);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (token.session_id != account->session.id ||
		token.expires_at < now->wall_sec)
		return 0;
	*ret_is_good = true;
	return renew(rules, &token, account, now);
}

int token_session(
	struct rules *rules, const char *text, struct session *ret_session)
{
	uint8_t hash[CRYPTO_HASH];
	struct token token;
	int ret = hash_text(text, hash) ? -ENOENT : 0;

	if (!ret)
		ret = store_token_lookup(rules->store, hash, &token);
	return ret ? ret
		   : store_session_lookup(
			     rules->store, token.session_id, ret_session);
}

static int move_by_token(struct rules *rules, const struct guest *guest,
	struct token *token, const struct moment *now,
	struct restored *restored, enum outcome *ret_outcome)
{
	struct account *account = &restored->account;
	const struct credit *in_use = account_in_use(account);
	bool moves[CREDITS_MAX] = {false}, any = false;
	int i, ret;

	if (token->expires_at < now->wall_sec) {
		*ret_outcome = OUTCOME_TOKEN_EXPIRED;
		return 0;
	}
	if (in_use && !guest_is_in(guest, in_use->networks)) {
		*ret_outcome = OUTCOME_OTHER_NETWORK;
		return 0;
	}
	for (i = 0; i < account->count; i++) {
		struct credit *credit = &account->credits[i];

		if (credit->state != CREDIT_USED && kind_move(credit))
			moves[i] = any = true;
	}
	if (!any) {
		*ret_outcome = OUTCOME_NOT_TRANSFERABLE;
		return 0;
	}
	restored->migrated = true;
	restored->from = account->session.mac;
	restored->released = account_release(account, SESSION_BY_USER, now);
	ret = renew(rules, token, account, now);
	if (ret)
		return ret;
	return account_move(
		rules, account, guest->mac, moves, now, ret_outcome);
}

/* Finds the session; OUTCOME_OK when it has something left. */
static int find_by_token(struct rules *rules, const char *text,
	const struct moment *now, struct token *token, struct account *account,
	enum outcome *ret_outcome)
{
	uint8_t hash[CRYPTO_HASH];
	int ret = hash_text(text, hash) ? -ENOENT : 0;

	if (!ret)
		ret = store_token_lookup(rules->store, hash, token);
	if (ret == -ENOENT) {
		*ret_outcome = OUTCOME_SESSION_UNKNOWN;
		return 0;
	}
	if (!ret)
		ret = account_load_id(rules, token->session_id, now, account);
	if (ret)
		return ret;
	*ret_outcome = account->session.state == SESSION_ENDED
			       ? OUTCOME_SESSION_USED_UP
			       : OUTCOME_OK;
	return 0;
}

int token_restore(struct rules *rules, const struct guest *guest, const char *text,
	const struct moment *now, struct restored *ret_restored,
	enum outcome *ret_outcome)
{
	struct account *account = &ret_restored->account;
	bool blocked = false, old_blocked = false;
	struct token token;
	int ret;

	ret_restored->migrated = ret_restored->released = false;
	ret = find_by_token(rules, text, now, &token, account, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	ret = store_device_is_blocked(rules->store, guest->mac, &blocked);
	/* Nobody gets rid of a block by changing the MAC. */
	if (!ret)
		ret = store_device_is_blocked(rules->store,
			&account->session.mac, &old_blocked);
	if (ret)
		return ret;
	if (blocked || old_blocked) {
		*ret_outcome = OUTCOME_CLIENT_BLOCKED;
		return 0;
	}
	if (memcmp(&account->session.mac, guest->mac, sizeof(*guest->mac)))
		return move_by_token(rules, guest, &token, now, ret_restored,
			ret_outcome);
	/* It is there already. An expired token is not brought back to life,
	 * and does not end the session either (P1). */
	if (token.expires_at < now->wall_sec) {
		if (account->session.state == SESSION_HELD)
			*ret_outcome = OUTCOME_TOKEN_EXPIRED;
		return 0;
	}
	ret_restored->released = account_release(account, SESSION_BY_USER, now);
	if (ret_restored->released)
		ret = account_save(rules, account);
	return ret ? ret : renew(rules, &token, account, now);
}
