/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers. The code itself is only here sealed; it is found by a keyed hash,
 * so a copy of the database is worth no code.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                             \
	"v.id, v.code_hmac, v.code_sealed, v.plan_id," PLAN_NAME("p.name")    \
	", v.batch,"                                                        \
	" v.state, v.expires_at, v.session_id, v.used_at, v.used_mac,"      \
	" v.created_by"
#define FROM " FROM vouchers v JOIN plans p ON p.id = v.plan_id"

static const char *const state_names[] = {
	[VOUCHER_UNUSED] = "unused",
	[VOUCHER_USED] = "used",
	[VOUCHER_REVOKED] = "revoked",
};

const char *voucher_state_name(enum voucher_state state)
{
	return state_names[state];
}

int voucher_state_parse(const char *name, enum voucher_state *ret_state)
{
	int state = NAME_INDEX(state_names, name);

	if (state < 0)
		return state;
	*ret_state = (enum voucher_state)state;
	return 0;
}

static void read_voucher(struct db_rows *rows, void *ret_row)
{
	struct voucher *v = ret_row;

	memset(v, 0, sizeof(*v));
	v->id = db_int(rows, 0);
	db_blob(rows, 1, v->hmac, sizeof(v->hmac));
	v->sealed_len = db_blob(rows, 2, v->sealed, sizeof(v->sealed));
	v->sealed_len = MIN(v->sealed_len, sizeof(v->sealed));
	v->plan_id = db_int(rows, 3);
	db_text(rows, 4, v->plan_name, sizeof(v->plan_name));
	db_text(rows, 5, v->batch, sizeof(v->batch));
	/* What the table cannot contain must not read as "unused". */
	v->state = DB_NAME(rows, 6, state_names, VOUCHER_REVOKED);
	v->expires_at = db_limit(rows, 7);
	v->session_id = db_int(rows, 8);
	v->used_at = db_int(rows, 9);
	db_mac(rows, 10, &v->used_mac);
	db_text(rows, 11, v->created_by, sizeof(v->created_by));
}

int store_voucher_insert(struct store *store, const struct voucher *voucher)
{
	return db_run(store->db,
		"INSERT INTO vouchers (code_hmac, code_sealed, plan_id, batch,"
		" expires_at, created_by) VALUES (?, ?, ?, ?, ?, ?)",
		"bbitlt", voucher->hmac, sizeof(voucher->hmac), voucher->sealed,
		voucher->sealed_len, voucher->plan_id, voucher->batch,
		voucher->expires_at, voucher->created_by);
}

int store_voucher_by_hmac(struct store *store,
	const uint8_t hmac[static CRYPTO_HASH], struct voucher *ret_voucher)
{
	return db_one(store->db, read_voucher, ret_voucher,
		"SELECT " COLUMNS FROM " WHERE v.code_hmac = ?", "b", hmac,
		(size_t)CRYPTO_HASH);
}

int store_voucher_use(struct store *store, int64_t id, int64_t session_id,
	const struct mac *mac, int64_t now_sec)
{
	int ret = db_run(store->db,
		"UPDATE vouchers SET state = 'used', session_id = ?,"
		" used_mac = ?, used_at = ?, updated_at = unixepoch()"
		" WHERE id = ? AND state = 'unused'",
		"imii", session_id, mac, now_sec, id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_voucher_revoke(struct store *store, int64_t id)
{
	int ret = db_run(store->db,
		"UPDATE vouchers SET state = 'revoked',"
		" updated_at = unixepoch() WHERE id = ? AND state = 'unused'",
		"i", id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_voucher_list(struct store *store, int state, const char *batch,
	int64_t after, struct voucher *rows, int max)
{
	const char *name = state < 0 ? NULL : state_names[state];
	return db_list(store->db, read_voucher, rows, sizeof(*rows), max,
		"SELECT " COLUMNS FROM
		" WHERE v.id > ?1 AND (?2 IS NULL OR v.state = ?2)"
		" AND (?3 IS NULL OR v.batch = ?3) ORDER BY v.id LIMIT ?4",
		"itti", after, name, batch, (int64_t)max);
}
