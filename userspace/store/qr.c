/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QR codes of the house, and who is logged in by them. What is shown of a
 * code, a login or its cookie is looked up by the hash of it and nothing else.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/members.h"

#define TOKEN_QUERY                                                        \
	"SELECT id, hash, sealed, label, expires_at, revoked_at, next_id," \
	" logins, created_by, created_at FROM qr_tokens"

static void read_token(struct db_rows *rows, void *ret_row)
{
	struct qr_token *t = ret_row;

	memset(t, 0, sizeof(*t));
	t->id = db_int(rows, 0);
	db_blob(rows, 1, t->hash, sizeof(t->hash));
	t->sealed_len = MIN(
		db_blob(rows, 2, t->sealed, sizeof(t->sealed)), sizeof(t->sealed));
	db_text(rows, 3, t->label, sizeof(t->label));
	t->expires_at = db_int(rows, 4);
	t->revoked_at = db_int(rows, 5);
	t->next_id = db_int(rows, 6);
	t->logins = db_int(rows, 7);
	db_text(rows, 8, t->created_by, sizeof(t->created_by));
	t->created_at = db_int(rows, 9);
}

int store_qr_token_insert(struct store *store, struct qr_token *token)
{
	int ret = db_run(store->db,
		"INSERT INTO qr_tokens (hash, sealed, label, expires_at,"
		" created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		"bbtiti", token->hash, sizeof(token->hash), token->sealed,
		token->sealed_len, token->label, token->expires_at,
		token->created_by, token->created_at);

	if (!ret)
		token->id = db_last_id(store->db);
	return ret;
}

int store_qr_token_lookup(
	struct store *store, int64_t id, struct qr_token *ret_token)
{
	return db_one(store->db, read_token, ret_token,
		TOKEN_QUERY " WHERE id = ?", "i", id);
}

int store_qr_token_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_token *ret_token)
{
	return db_one(store->db, read_token, ret_token,
		TOKEN_QUERY " WHERE hash = ?", "b", hash, (size_t)CRYPTO_HASH);
}

int store_qr_token_put(struct store *store, const struct qr_token *token)
{
	return db_run(store->db,
		"UPDATE qr_tokens SET revoked_at = nullif(?, 0),"
		" next_id = nullif(?, 0), updated_at = unixepoch()"
		" WHERE id = ?",
		"iii", token->revoked_at, token->next_id, token->id);
}

int store_qr_token_use(struct store *store, int64_t id)
{
	return db_run(store->db,
		"UPDATE qr_tokens SET logins = logins + 1,"
		" updated_at = unixepoch() WHERE id = ?",
		"i", id);
}

int store_qr_token_list(
	struct store *store, int64_t before, struct qr_token *rows, int max)
{
	return db_list(store->db, read_token, rows, sizeof(*rows), max,
		TOKEN_QUERY " WHERE id < ? ORDER BY id DESC LIMIT ?", "ii",
		before, (int64_t)max);
}

int store_qr_token_due(
	struct store *store, int64_t until, struct qr_token *rows, int max)
{
	return db_list(store->db, read_token, rows, sizeof(*rows), max,
		TOKEN_QUERY " WHERE expires_at <= ? AND revoked_at IS NULL"
			    " AND next_id IS NULL ORDER BY id LIMIT ?",
		"ii", until, (int64_t)max);
}

#define SESSION_QUERY                                                       \
	"SELECT id, hash, cookie_hash, token_id, member_id, identity,"      \
	" email, mac, network, ip, user_agent, created_at, used_at,"        \
	" expires_at FROM qr_sessions"

static void read_session(struct db_rows *rows, void *ret_row)
{
	struct qr_session *s = ret_row;
	char ip[IP_TEXT];

	memset(s, 0, sizeof(*s));
	s->id = db_int(rows, 0);
	db_blob(rows, 1, s->hash, sizeof(s->hash));
	s->has_cookie = db_blob(rows, 2, s->cookie_hash,
				sizeof(s->cookie_hash)) == CRYPTO_HASH;
	s->token_id = db_int(rows, 3);
	s->member_id = db_int(rows, 4);
	db_text(rows, 5, s->identity, sizeof(s->identity));
	db_text(rows, 6, s->email, sizeof(s->email));
	db_mac(rows, 7, &s->mac);
	db_text(rows, 8, s->network, sizeof(s->network));
	db_text(rows, 9, ip, sizeof(ip));
	if (ip_parse(ip, &s->ip))
		memset(&s->ip, 0, sizeof(s->ip));
	db_text(rows, 10, s->user_agent, sizeof(s->user_agent));
	s->created_at = db_int(rows, 11);
	s->used_at = db_int(rows, 12);
	s->expires_at = db_int(rows, 13);
}

int store_qr_session_insert(struct store *store, struct qr_session *session)
{
	char ip[IP_TEXT];
	int ret;

	ip_format(&session->ip, ip);
	ret = db_run(store->db,
		"INSERT INTO qr_sessions (hash, cookie_hash, token_id, member_id,"
		" identity, email, mac, network, ip, user_agent, created_at,"
		" used_at, expires_at) VALUES (?1, CASE WHEN ?2 THEN ?3 END,"
		" nullif(?4, 0), nullif(?5, 0), ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13, ?14)",
		"bibiittmtttiii", session->hash, sizeof(session->hash),
		(int64_t)session->has_cookie, session->cookie_hash,
		sizeof(session->cookie_hash), session->token_id,
		session->member_id, session->identity, session->email,
		&session->mac, session->network, ip, session->user_agent,
		session->created_at, session->used_at, session->expires_at);
	if (!ret)
		session->id = db_last_id(store->db);
	return ret;
}

int store_qr_session_lookup(
	struct store *store, int64_t id, struct qr_session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		SESSION_QUERY " WHERE id = ?", "i", id);
}

int store_qr_session_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		SESSION_QUERY " WHERE hash = ?", "b", hash, (size_t)CRYPTO_HASH);
}

int store_qr_session_by_cookie(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		SESSION_QUERY " WHERE cookie_hash = ?", "b", hash,
		(size_t)CRYPTO_HASH);
}

static void read_nothing(struct db_rows *rows, void *ret_row)
{
}

int store_qr_session_of_device(
	struct store *store, int64_t member_id, const struct mac *mac)
{
	return db_one(store->db, read_nothing, NULL,
		"SELECT 1 FROM qr_sessions WHERE member_id = ? AND mac = ?"
		" LIMIT 1",
		"im", member_id, mac);
}

int store_qr_session_use(struct store *store, int64_t id, int64_t now_sec)
{
	return db_run(store->db,
		"UPDATE qr_sessions SET used_at = ?, updated_at = unixepoch()"
		" WHERE id = ?",
		"ii", now_sec, id);
}

int store_qr_session_remove(struct store *store, int64_t id)
{
	return db_run(
		store->db, "DELETE FROM qr_sessions WHERE id = ?", "i", id);
}

int store_qr_sessions_end(
	struct store *store, int64_t operator_id, int64_t *ret_count)
{
	int ret = db_run(store->db,
		"DELETE FROM qr_sessions WHERE cookie_hash IS NOT NULL AND"
		" member_id IN (SELECT id FROM members WHERE operator_id = ?)",
		"i", operator_id);

	if (!ret)
		*ret_count = db_changes(store->db);
	return ret;
}

int store_qr_session_list(struct store *store, int64_t now_sec, int64_t before,
	struct qr_session *rows, int max)
{
	return db_list(store->db, read_session, rows, sizeof(*rows), max,
		SESSION_QUERY " WHERE expires_at > ? AND id < ?"
			      " ORDER BY id DESC LIMIT ?",
		"iii", now_sec, before, (int64_t)max);
}
