/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session belongs to its token, not to a MAC: making tokens, handing them
 * out, and moving a session to the MAC that shows one. A move takes the
 * credits that may move; the rest stay with the old MAC in a session of their
 * own (P6). Both MACs' records change in the same turn.
 */
#include "rules/token.h"

#include <string.h>

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
	int ret;

	crypto_random(token, sizeof(token));
	crypto_sha256(token, sizeof(token), row.hash);
	account->session.token_handed = true;
	ret = account_save(rules, account);
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
	if (account->session.state == SESSION_ENDED ||
		account->session.token_handed)
		return 0;
	*ret_handed = true;
	return token_make(rules, account, now, ret_text);
}

/* Credits of `from` that do not move become a session of the old MAC. */
static int leave_behind(struct rules *rules, struct account *from,
	const bool *moves, const struct moment *now)
{
	struct account rest;
	int ret, i, kept = 0;

	memset(&rest, 0, sizeof(rest));
	rest.session = (struct session){
		.mac = from->session.mac,
		.state = from->session.state,
		.started_at = now->wall_sec,
	};
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
	account_settle(&rest, now, false);
	return account_save(rules, &rest);
}

/* The client already has a session: its credits queue behind the moved ones. */
static int take_over(struct rules *rules, struct account *account,
	const struct mac *mac, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct account other;
	int ret = account_load(rules, mac, now, &other), i;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (account->count + other.count > CREDITS_MAX) {
		*ret_outcome = OUTCOME_CONFLICT;
		return 0;
	}
	for (i = 0; i < other.count; i++) {
		struct credit *credit = &other.credits[i];
		struct credit *last = &account->credits[account->count];

		if (credit->deadline_ns != UNLIMITED)
			credit->left_ns =
				MAX(credit->deadline_ns - now->mono_ns, 0);
		credit->deadline_ns = UNLIMITED;
		credit->state = CREDIT_WAITING;
		credit->session_id = account->session.id;
		credit->position =
			account->count ? last[-1].position + 1 : 1;
		ret = store_credit_update(rules->store, credit);
		if (ret)
			return ret;
		*last = *credit;
		account->count++;
	}
	/* Whoever kept a link to the other finds this one with it. */
	ret = store_token_rebind(
		rules->store, other.session.id, account->session.id);
	if (ret)
		return ret;
	account->session.token_handed |= other.session.token_handed;
	account->session.total_paid_minor += other.session.total_paid_minor;
	other.session.total_paid_minor = 0;
	other.count = 0;
	account_end(&other, "joined another", now);
	return account_save(rules, &other);
}

/* The credits marked go to `mac`; at least one is. OUTCOME_CONFLICT when both
 * sessions together have too many. */
static int carry_out(struct rules *rules, struct account *account,
	const struct mac *mac, bool *moves, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct mac old = account->session.mac;
	int ret, i, own = account->count;
	bool stays = false;

	for (i = 0; i < account->count; i++)
		stays |= account->credits[i].state != CREDIT_USED && !moves[i];
	*ret_outcome = OUTCOME_OK;
	ret = take_over(rules, account, mac, now, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	for (i = own; i < account->count; i++)
		moves[i] = true;
	/* The old MAC must be free before another session gets it. */
	account->session.mac = *mac;
	ret = store_session_update(rules->store, &account->session);
	if (!ret && stays) {
		account->session.mac = old;
		ret = leave_behind(rules, account, moves, now);
		account->session.mac = *mac;
	}
	if (ret)
		return ret;
	account_settle(account, now, false);
	return account_save(rules, account);
}

/* Shown at the portal: its time starts anew. */
static int renew(struct rules *rules, struct token *token,
	const struct account *account, const struct moment *now)
{
	token->expires_at = expiry_of(rules, account, now);
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
	/* A page that asks every few seconds writes once an hour. */
	if (expiry_of(rules, account, now) < token.expires_at + RENEW_SEC)
		return 0;
	return renew(rules, &token, account, now);
}

static int move_by_token(struct rules *rules, const struct mac *mac,
	struct token *token, const struct moment *now,
	struct restored *restored, enum outcome *ret_outcome)
{
	struct account *account = &restored->account;
	bool moves[CREDITS_MAX] = {false}, any = false;
	int i, ret;

	if (token->expires_at < now->wall_sec) {
		*ret_outcome = OUTCOME_TOKEN_EXPIRED;
		return 0;
	}
	for (i = 0; i < account->count; i++) {
		struct credit *credit = &account->credits[i];
		const struct kind_rules *kind = kind_rules(credit->kind);

		if (credit->state == CREDIT_USED || !kind->may_move(credit))
			continue;
		kind->moved(credit);
		moves[i] = any = true;
	}
	if (!any) {
		*ret_outcome = OUTCOME_NOT_TRANSFERABLE;
		return 0;
	}
	restored->migrated = true;
	restored->from = account->session.mac;
	ret = renew(rules, token, account, now);
	if (ret)
		return ret;
	return carry_out(rules, account, mac, moves, now, ret_outcome);
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

int token_restore(struct rules *rules, const struct mac *mac, const char *text,
	const struct moment *now, struct restored *ret_restored,
	enum outcome *ret_outcome)
{
	struct account *account = &ret_restored->account;
	bool blocked = false, old_blocked = false;
	struct token token;
	int ret;

	ret_restored->migrated = false;
	ret = find_by_token(rules, text, now, &token, account, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	ret = store_device_is_blocked(rules->store, mac, &blocked);
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
	if (memcmp(&account->session.mac, mac, sizeof(*mac)))
		return move_by_token(rules, mac, &token, now, ret_restored,
			ret_outcome);
	/* It is there already. An expired token is not brought back to life,
	 * and does not end the session either (P1). */
	if (token.expires_at < now->wall_sec)
		return 0;
	return renew(rules, &token, account, now);
}

int session_move(struct rules *rules, const struct mac *from,
	const struct mac *to, const struct moment *now, enum outcome *ret_outcome)
{
	bool moves[CREDITS_MAX];
	struct account account;
	int ret = account_load(rules, from, now, &account);

	if (ret == -ENOENT) {
		*ret_outcome = OUTCOME_NOT_FOUND;
		return 0;
	}
	if (ret)
		return ret;
	memset(moves, true, sizeof(moves));
	return carry_out(rules, &account, to, moves, now, ret_outcome);
}
