/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operators: accounts, sessions, API tokens, known addresses. A secret is never
 * here, only its hash; who loses one makes another.
 */
#include "store/operators.h"

#include <string.h>

#include "base/role.h"
#include "base/util.h"
#include "store/handle.h"

#define OPERATOR_COLUMNS \
	"o.id, o.name, o.role, o.password, o.created_by, o.created_at," \
	" o.last_login_at, o.pin"

/* A role that cannot be read may do nothing. */
static enum role read_role(struct db_rows *rows, int column)
{
	char name[16];
	enum role role;

	db_text(rows, column, name, sizeof(name));
	return role_parse(name, &role) ? ROLE_NONE : role;
}

static void read_operator(struct db_rows *rows, void *ret_row)
{
	struct operator *o = ret_row;

	memset(o, 0, sizeof(*o));
	o->id = db_int(rows, 0);
	db_text(rows, 1, o->name, sizeof(o->name));
	o->role = read_role(rows, 2);
	db_text(rows, 3, o->password, sizeof(o->password));
	db_text(rows, 4, o->created_by, sizeof(o->created_by));
	o->created_at = db_int(rows, 5);
	o->last_login_at = db_int(rows, 6);
	db_text(rows, 7, o->pin, sizeof(o->pin));
}

static void read_counted(struct db_rows *rows, void *ret_row)
{
	struct operator *o = ret_row;

	read_operator(rows, o);
	o->sessions = db_int(rows, 8);
	o->tokens = db_int(rows, 9);
}

int store_operator_insert(struct store *store, struct operator *operator)
{
	int ret = db_run(store->db,
		"INSERT INTO operators (name, role, password, created_by,"
		" created_at) VALUES (?, ?, ?, ?, ?)",
		"tttti", operator->name, role_name(operator->role),
		operator->password, operator->created_by, operator->created_at);

	if (!ret)
		operator->id = db_last_id(store->db);
	return ret;
}

int store_operator_by_name(
	struct store *store, const char *name, struct operator *ret_operator)
{
	return db_one(store->db, read_operator, ret_operator,
		"SELECT " OPERATOR_COLUMNS " FROM operators o WHERE name = ?",
		"t", name);
}

int store_operator_lookup(
	struct store *store, int64_t id, struct operator *ret_operator)
{
	return db_one(store->db, read_operator, ret_operator,
		"SELECT " OPERATOR_COLUMNS " FROM operators o WHERE id = ?", "i",
		id);
}

int store_operator_put(struct store *store, const struct operator *operator)
{
	int ret = db_run(store->db,
		"UPDATE operators SET role = ?, password = ?,"
		" pin = nullif(?, ''), last_login_at = nullif(?, 0), updated_at = unixepoch()"
		" WHERE id = ?",
		"tttii", role_name(operator->role), operator->password,
		operator->pin, operator->last_login_at, operator->id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_operator_remove(struct store *store, int64_t id)
{
	return db_run(store->db, "DELETE FROM operators WHERE id = ?", "i", id);
}

int store_operator_list(
	struct store *store, int64_t after, struct operator *rows, int max)
{
	return db_list(store->db, read_counted, rows, sizeof(*rows), max,
		"SELECT " OPERATOR_COLUMNS ","
		" (SELECT count(*) FROM operator_sessions"
		" WHERE operator_id = o.id),"
		" (SELECT count(*) FROM api_tokens WHERE operator_id = o.id)"
		" FROM operators o WHERE id > ? ORDER BY id LIMIT ?",
		"ii", after, (int64_t)max);
}

/* Sessions. */

static void read_session(struct db_rows *rows, void *ret_row)
{
	struct operator_session *s = ret_row;

	memset(s, 0, sizeof(*s));
	s->id = db_int(rows, 0);
	s->operator_id = db_int(rows, 1);
	db_blob(rows, 2, s->hash, sizeof(s->hash));
	db_text(rows, 3, s->address, sizeof(s->address));
	s->created_at = db_int(rows, 4);
	s->used_at = db_int(rows, 5);
	s->expires_at = db_int(rows, 6);
}

int store_operator_session_insert(
	struct store *store, const struct operator_session *session)
{
	return db_run(store->db,
		"INSERT INTO operator_sessions (operator_id, hash, address,"
		" created_at, used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
		"ibtiii", session->operator_id, session->hash,
		sizeof(session->hash), session->address, session->created_at,
		session->used_at, session->expires_at);
}

int store_operator_session_lookup(struct store *store,
	const uint8_t hash[static CRYPTO_HASH],
	struct operator_session *ret_session)
{
	return db_one(store->db, read_session, ret_session,
		"SELECT id, operator_id, hash, address, created_at, used_at,"
		" expires_at FROM operator_sessions WHERE hash = ?",
		"b", hash, (size_t)CRYPTO_HASH);
}

int store_operator_session_use(struct store *store, int64_t id, int64_t now_sec)
{
	return db_run(store->db,
		"UPDATE operator_sessions SET used_at = ?,"
		" updated_at = unixepoch() WHERE id = ?",
		"ii", now_sec, id);
}

int store_operator_session_remove(struct store *store, int64_t id)
{
	return db_run(store->db, "DELETE FROM operator_sessions WHERE id = ?",
		"i", id);
}

int store_operator_sessions_remove(struct store *store, int64_t operator_id,
	int keep, int64_t *ret_count)
{
	int ret = db_run(store->db,
		"DELETE FROM operator_sessions WHERE operator_id = ?1"
		" AND id <= (SELECT id FROM operator_sessions"
		" WHERE operator_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		"ii", operator_id, (int64_t)keep);

	if (!ret && ret_count)
		*ret_count = db_changes(store->db);
	return ret;
}

int store_operator_sessions_clean(
	struct store *store, int64_t expired_at, int64_t used_before)
{
	return db_run(store->db,
		"DELETE FROM operator_sessions WHERE expires_at <= ?"
		" OR used_at <= ?",
		"ii", expired_at, used_before);
}

/* API tokens. */

#define TOKEN_QUERY                                                        \
	"SELECT t.id, t.operator_id, o.name, o.role, t.hash, t.label,"     \
	" t.created_by, t.created_at, t.used_at, t.expires_at"             \
	" FROM api_tokens t JOIN operators o ON o.id = t.operator_id"

static void read_token(struct db_rows *rows, void *ret_row)
{
	struct api_token *t = ret_row;

	memset(t, 0, sizeof(*t));
	t->id = db_int(rows, 0);
	t->operator_id = db_int(rows, 1);
	db_text(rows, 2, t->operator_name, sizeof(t->operator_name));
	t->role = read_role(rows, 3);
	db_blob(rows, 4, t->hash, sizeof(t->hash));
	db_text(rows, 5, t->label, sizeof(t->label));
	db_text(rows, 6, t->created_by, sizeof(t->created_by));
	t->created_at = db_int(rows, 7);
	t->used_at = db_int(rows, 8);
	t->expires_at = db_limit(rows, 9);
}

int store_api_token_insert(struct store *store, struct api_token *token)
{
	int ret = db_run(store->db,
		"INSERT INTO api_tokens (operator_id, hash, label, expires_at,"
		" created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		"ibtlti", token->operator_id, token->hash, sizeof(token->hash),
		token->label, token->expires_at, token->created_by,
		token->created_at);

	if (!ret)
		token->id = db_last_id(store->db);
	return ret;
}

int store_api_token_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct api_token *ret_token)
{
	return db_one(store->db, read_token, ret_token,
		TOKEN_QUERY " WHERE t.hash = ?", "b", hash, (size_t)CRYPTO_HASH);
}

int store_api_token_lookup(
	struct store *store, int64_t id, struct api_token *ret_token)
{
	return db_one(store->db, read_token, ret_token,
		TOKEN_QUERY " WHERE t.id = ?", "i", id);
}

int store_api_token_use(struct store *store, int64_t id, int64_t now_sec)
{
	return db_run(store->db,
		"UPDATE api_tokens SET used_at = ?, updated_at = unixepoch()"
		" WHERE id = ?",
		"ii", now_sec, id);
}

int store_api_token_remove(struct store *store, int64_t id)
{
	return db_run(store->db, "DELETE FROM api_tokens WHERE id = ?", "i", id);
}

int store_api_token_list(
	struct store *store, int64_t after, struct api_token *rows, int max)
{
	return db_list(store->db, read_token, rows, sizeof(*rows), max,
		TOKEN_QUERY " WHERE t.id > ? ORDER BY t.id LIMIT ?", "ii", after,
		(int64_t)max);
}

/* Addresses. */

int store_operator_address_put(struct store *store, int64_t operator_id,
	const char *address, int64_t now_sec)
{
	return db_run(store->db,
		"INSERT INTO operator_addresses (operator_id, address, used_at)"
		" VALUES (?1, ?2, ?3) ON CONFLICT (operator_id, address)"
		" DO UPDATE SET used_at = ?3, updated_at = unixepoch()",
		"iti", operator_id, address, now_sec);
}

int store_operator_address_is_known(struct store *store, int64_t operator_id,
	const char *address, int64_t used_since, bool *ret_known)
{
	int64_t count = 0;
	int ret = db_one(store->db, db_read_int, &count,
		"SELECT count(*) FROM operator_addresses WHERE operator_id = ?"
		" AND address = ? AND used_at >= ?",
		"iti", operator_id, address, used_since);

	if (!ret)
		*ret_known = count > 0;
	return ret;
}
