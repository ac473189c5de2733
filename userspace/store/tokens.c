/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens: which session a secret leads to, and until when. The secret itself
 * is never here, only its hash; a session may have several.
 */
#include "base/util.h"
#include "store/handle.h"

int store_token_insert(struct store *store, const struct token *token)
{
	return db_run(store->db,
		"INSERT INTO tokens (hash, session_id, expires_at)"
		" VALUES (?, ?, ?)",
		"bii", token->hash, sizeof(token->hash), token->session_id,
		token->expires_at);
}

static void read_token(struct db_rows *rows, void *ret_row)
{
	struct token *token = ret_row;

	db_blob(rows, 0, token->hash, sizeof(token->hash));
	token->session_id = db_int(rows, 1);
	token->expires_at = db_int(rows, 2);
}

int store_token_lookup(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct token *ret_token)
{
	return db_one(store->db, read_token, ret_token,
		"SELECT hash, session_id, expires_at FROM tokens"
		" WHERE hash = ?",
		"b", hash, (size_t)CRYPTO_HASH);
}

int store_token_renew(struct store *store, const struct token *token)
{
	return db_run(store->db,
		"UPDATE tokens SET expires_at = ?, updated_at = unixepoch()"
		" WHERE hash = ?",
		"ib", token->expires_at, token->hash, sizeof(token->hash));
}

int store_token_rebind(struct store *store, int64_t from_id, int64_t to_id)
{
	return db_run(store->db,
		"UPDATE tokens SET session_id = ?, updated_at = unixepoch()"
		" WHERE session_id = ?",
		"ii", to_id, from_id);
}

int store_token_trim(struct store *store, int64_t session_id, int keep)
{
	return db_run(store->db,
		"DELETE FROM tokens WHERE session_id = ?1 AND id <="
		" (SELECT id FROM tokens WHERE session_id = ?1"
		" ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		"ii", session_id, (int64_t)keep);
}
