/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes and logins. The role is read from the member with every look, so a
 * change counts at once; what was once a guest's login stays one, because it
 * was made without a second factor.
 */
#include "rules/qr_login.h"

#include <string.h>

#define LOGIN_BYTES 32
/* A use is written down at most so often. */
#define USE_SEC 60

int qr_token_make(struct rules *rules, int64_t days, const struct moment *now,
	struct qr_token *token, char ret_text[static QR_TOKEN_TEXT])
{
	uint8_t bytes[QR_TOKEN_BYTES];
	int ret;

	_Static_assert(QR_TOKEN_BYTES + CRYPTO_SEAL_OVERHEAD <= QR_SEALED,
		"a sealed code fits");
	crypto_random(bytes, sizeof(bytes));
	crypto_sha256(bytes, sizeof(bytes), token->hash);
	crypto_seal(rules->seal_key, bytes, sizeof(bytes), token->sealed);
	token->sealed_len = sizeof(bytes) + CRYPTO_SEAL_OVERHEAD;
	token->created_at = now->wall_sec;
	token->expires_at = now->wall_sec + days * SEC_PER_DAY;
	token->revoked_at = token->next_id = token->logins = 0;
	ret = store_qr_token_insert(rules->store, token);
	if (!ret)
		hex_format(bytes, sizeof(bytes), ret_text);
	return ret;
}

int qr_token_reveal(const struct rules *rules, const struct qr_token *token,
	char ret_text[static QR_TOKEN_TEXT])
{
	uint8_t bytes[QR_TOKEN_BYTES];
	int ret;

	if (token->sealed_len != sizeof(bytes) + CRYPTO_SEAL_OVERHEAD)
		return -EBADMSG;
	ret = crypto_open(
		rules->seal_key, token->sealed, token->sealed_len, bytes);
	if (!ret)
		hex_format(bytes, sizeof(bytes), ret_text);
	return ret;
}

int qr_token_find(struct rules *rules, const char *text,
	const struct moment *now, struct qr_token *ret_token,
	enum outcome *ret_outcome)
{
	uint8_t bytes[QR_TOKEN_BYTES], hash[CRYPTO_HASH];
	int ret = -ENOENT;

	if (!hex_parse(text, sizeof(bytes), bytes)) {
		crypto_sha256(bytes, sizeof(bytes), hash);
		ret = store_qr_token_by_hash(rules->store, hash, ret_token);
	}
	if (ret && ret != -ENOENT)
		return ret;
	*ret_outcome = ret			 ? OUTCOME_QR_UNKNOWN
		       : ret_token->revoked_at ? OUTCOME_QR_REVOKED
		       : ret_token->expires_at <= now->wall_sec
			       ? OUTCOME_QR_EXPIRED
			       : OUTCOME_OK;
	return 0;
}

int qr_token_rotate(struct rules *rules, int64_t days, int64_t before_days,
	const struct moment *now)
{
	struct qr_token rows[16], next;
	char text[QR_TOKEN_TEXT];
	int n, i, ret = 0;

	/* A new one that is due itself would be followed with every look. */
	before_days = MIN(before_days, days - 1);
	n = store_qr_token_due(rules->store,
		now->wall_sec + before_days * SEC_PER_DAY, rows,
		ARRAY_SIZE(rows));

	for (i = 0; !ret && i < n; i++) {
		next = rows[i];
		snprintf(next.created_by, sizeof(next.created_by), "rotation");
		ret = qr_token_make(rules, days, now, &next, text);
		rows[i].next_id = next.id;
		if (!ret)
			ret = store_qr_token_put(rules->store, &rows[i]);
	}
	crypto_wipe(text, sizeof(text));
	return ret ? ret : n;
}

static void make_text(uint8_t ret_hash[static CRYPTO_HASH],
	char ret_text[static QR_SESSION_TEXT])
{
	uint8_t bytes[LOGIN_BYTES];

	crypto_random(bytes, sizeof(bytes));
	crypto_sha256(bytes, sizeof(bytes), ret_hash);
	hex_format(bytes, sizeof(bytes), ret_text);
}

int qr_login_start(struct rules *rules, const struct qr_token *token,
	enum role role, const struct moment *now, struct qr_login *login)
{
	struct qr_session *row = &login->row;
	int ret;

	make_text(row->hash, login->session);
	login->cookie[0] = '\0';
	row->has_cookie = role > ROLE_NONE;
	if (row->has_cookie)
		make_text(row->cookie_hash, login->cookie);
	row->token_id = token->id;
	row->created_at = row->used_at = now->wall_sec;
	row->expires_at = now->wall_sec + QR_SESSION_SEC;
	ret = store_qr_session_insert(rules->store, row);
	return ret ? ret : store_qr_token_use(rules->store, token->id);
}

static int hash_of(const char *text, uint8_t ret_hash[static CRYPTO_HASH])
{
	uint8_t bytes[LOGIN_BYTES];

	if (!text || hex_parse(text, sizeof(bytes), bytes))
		return -ENOENT;
	crypto_sha256(bytes, sizeof(bytes), ret_hash);
	return 0;
}

/* The row is found: is it good still, and for what? */
static int judge(struct rules *rules, struct qr_session *row,
	const struct moment *now, struct member *ret_member, enum role *ret_role)
{
	int ret = 0;

	if (row->expires_at <= now->wall_sec)
		return -ENOENT;
	memset(ret_member, 0, sizeof(*ret_member));
	if (row->member_id)
		ret = store_member_lookup(
			rules->store, row->member_id, ret_member);
	*ret_role = row->has_cookie ? MIN(ret_member->role, ROLE_STAFF)
				    : ROLE_NONE;
	/* Nobody's role any more: then this login is nobody's. */
	if (!ret && row->has_cookie && *ret_role == ROLE_NONE)
		ret = -ENOENT;
	if (!ret && row->used_at + USE_SEC <= now->wall_sec)
		ret = store_qr_session_use(
			rules->store, row->id, now->wall_sec);
	return ret;
}

int qr_login_find(struct rules *rules, const char *session, const char *cookie,
	const struct moment *now, struct qr_session *ret_row,
	struct member *ret_member, enum role *ret_role)
{
	uint8_t hash[CRYPTO_HASH];
	int ret = hash_of(session, hash);

	if (!ret)
		ret = store_qr_session_by_hash(rules->store, hash, ret_row);
	if (!ret && ret_row->has_cookie &&
		(hash_of(cookie, hash) ||
			memcmp(hash, ret_row->cookie_hash, CRYPTO_HASH) != 0))
		ret = -ENOENT;
	return ret ? ret : judge(rules, ret_row, now, ret_member, ret_role);
}

int qr_login_by_cookie(struct rules *rules, const char *cookie,
	const struct moment *now, struct qr_session *ret_row,
	struct member *ret_member, enum role *ret_role)
{
	uint8_t hash[CRYPTO_HASH];
	int ret = hash_of(cookie, hash);

	if (!ret)
		ret = store_qr_session_by_cookie(rules->store, hash, ret_row);
	return ret ? ret : judge(rules, ret_row, now, ret_member, ret_role);
}
