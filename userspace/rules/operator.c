/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts and logins. A token is 32 random bytes; the store has its SHA-256,
 * and that is what is looked up, so how long it takes tells nothing of a token.
 * The role is read with every request, so a change counts at once.
 */
#include "rules/operator.h"

#include <string.h>
#include <strings.h>

#include "store/members.h"

#define TOKEN_BYTES 32
/* A use is written down at most so often, or every look would be a write. */
#define USE_SEC 60

bool operator_name_is_good(const char *name)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		".-_@";
	size_t len = strlen(name);

	return len > 0 && len < OPERATOR_NAME && strspn(name, fine) == len;
}

const char *operator_password_fault(const char *name, const char *password)
{
	size_t len = strlen(password), same = 1;

	if (len < OPERATOR_PASSWORD_MIN)
		return "A password needs 10 characters or more; several words "
		       "are easier to remember.";
	if (!strcasecmp(name, password))
		return "A password must not be the operator's name.";
	while (password[same] == password[0])
		same++;
	return same == len ? "A password needs different characters." : NULL;
}

bool operator_pin_is_good(const char *pin)
{
	size_t len = strlen(pin), i;
	bool same = true, up = true, down = true;

	for (i = 1; i < len; i++) {
		same &= pin[i] == pin[0];
		up &= pin[i] == pin[i - 1] + 1;
		down &= pin[i] == pin[i - 1] - 1;
	}
	return len >= 6 && len <= 32 && strspn(pin, "0123456789") == len &&
	       !same && !up && !down;
}

static void make_token(
	uint8_t ret_hash[static CRYPTO_HASH], char ret_text[static OPERATOR_TOKEN])
{
	uint8_t token[TOKEN_BYTES];

	crypto_random(token, sizeof(token));
	crypto_sha256(token, sizeof(token), ret_hash);
	hex_format(token, sizeof(token), ret_text);
}

int operator_login(struct store *store, struct operator *operator,
	const char *address, int64_t now_sec,
	char ret_text[static OPERATOR_TOKEN], int64_t *ret_expires_at)
{
	struct operator_session session = {
		.operator_id = operator->id,
		.created_at = now_sec,
		.used_at = now_sec,
		.expires_at = now_sec + OPERATOR_SESSION_SEC,
	};
	int ret;

	snprintf(session.address, sizeof(session.address), "%s", address);
	make_token(session.hash, ret_text);
	operator->last_login_at = now_sec;
	ret = store_operator_put(store, operator);
	if (!ret)
		ret = store_operator_session_insert(store, &session);
	if (!ret)
		ret = store_operator_sessions_remove(store, operator->id,
			OPERATOR_SESSIONS_MAX, NULL);
	if (!ret)
		ret = store_operator_address_put(
			store, operator->id, address, now_sec);
	if (!ret)
		*ret_expires_at = session.expires_at;
	return ret;
}

static bool session_is_good(const struct operator_session *session, int64_t now)
{
	return now < session->expires_at &&
	       now < session->used_at + OPERATOR_IDLE_SEC;
}

static int by_session(struct store *store, const uint8_t *hash, int64_t now_sec,
	struct operator_proof *proof)
{
	struct operator_session session;
	struct operator operator;
	int ret = store_operator_session_lookup(store, hash, &session);

	if (!ret && !session_is_good(&session, now_sec))
		ret = -ENOENT;
	if (!ret)
		ret = store_operator_lookup(
			store, session.operator_id, &operator);
	if (!ret && session.used_at + USE_SEC <= now_sec)
		ret = store_operator_session_use(store, session.id, now_sec);
	if (ret)
		return ret;
	proof->operator_id = operator.id;
	proof->session_id = session.id;
	memcpy(proof->name, operator.name, sizeof(proof->name));
	proof->role = operator.role;
	proof->expires_at = session.expires_at;
	return 0;
}

static int by_api_token(struct store *store, const uint8_t *hash,
	int64_t now_sec, struct operator_proof *proof)
{
	struct api_token token;
	int ret = store_api_token_by_hash(store, hash, &token);

	if (!ret && now_sec >= token.expires_at)
		ret = -ENOENT;
	if (!ret && token.used_at + USE_SEC <= now_sec)
		ret = store_api_token_use(store, token.id, now_sec);
	if (ret)
		return ret;
	proof->operator_id = token.operator_id;
	memcpy(proof->name, token.operator_name, sizeof(proof->name));
	proof->role = token.role;
	proof->expires_at = token.expires_at;
	return 0;
}

int operator_by_token(struct store *store, const char *text, int64_t now_sec,
	struct operator_proof *ret_proof)
{
	uint8_t token[TOKEN_BYTES], hash[CRYPTO_HASH];
	struct operator_proof proof = {0};
	int ret;

	if (hex_parse(text, sizeof(token), token))
		return -ENOENT;
	crypto_sha256(token, sizeof(token), hash);
	ret = by_session(store, hash, now_sec, &proof);
	if (ret == -ENOENT)
		ret = by_api_token(store, hash, now_sec, &proof);
	if (!ret)
		*ret_proof = proof;
	return ret;
}

int operator_change(struct store *store, const struct operator *operator,
	int64_t *ret_ended)
{
	int ret = store_operator_put(store, operator);

	return ret ?: operator_log_out(store, operator->id, ret_ended);
}

int operator_log_out(
	struct store *store, int64_t operator_id, int64_t *ret_ended)
{
	int64_t phones = 0;
	int ret = store_operator_sessions_remove(
		store, operator_id, 0, ret_ended);

	if (!ret)
		ret = store_qr_sessions_end(store, operator_id, &phones);
	*ret_ended += phones;
	return ret;
}

int operator_token_make(struct store *store, struct api_token *row,
	char ret_text[static OPERATOR_TOKEN])
{
	make_token(row->hash, ret_text);
	return store_api_token_insert(store, row);
}

int operator_clean_up(struct store *store, int64_t now_sec)
{
	return store_operator_sessions_clean(
		store, now_sec, now_sec - OPERATOR_IDLE_SEC);
}
