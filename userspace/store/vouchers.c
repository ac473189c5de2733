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
	" v.created_by, v.created_at, m.id, m.paid_at, m.amount_minor,"      \
	" m.who, m.status = 'refunded'"
/* A voucher is sold once: what is given back is revoked. */
#define FROM                                                                \
	" FROM vouchers v JOIN plans p ON p.id = v.plan_id"                 \
	" LEFT JOIN payments m ON m.voucher_id = v.id"

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
	v->created_at = db_int(rows, 12);
	v->payment_id = db_int(rows, 13);
	v->paid_at = db_int(rows, 14);
	v->paid_minor = db_int(rows, 15);
	db_text(rows, 16, v->paid_to, sizeof(v->paid_to));
	v->is_refunded = db_int(rows, 17) != 0;
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

int store_voucher_revoke_batch(
	struct store *store, const char *batch, int64_t *ret_count)
{
	int ret = db_run(store->db,
		"UPDATE vouchers SET state = 'revoked',"
		" updated_at = unixepoch()"
		" WHERE batch = ? AND state = 'unused'",
		"t", batch);

	if (!ret)
		*ret_count = db_changes(store->db);
	return ret;
}

/* Two queries: with a condition that may be left out, the index of the batch
 * would not be used. */
int store_voucher_list(struct store *store, int state, const char *batch,
	int64_t after, struct voucher *rows, int max)
{
	const char *name = state < 0 ? NULL : state_names[state];

	if (batch)
		return db_list(store->db, read_voucher, rows, sizeof(*rows),
			max,
			"SELECT " COLUMNS FROM " WHERE v.batch = ?1"
			" AND v.id > ?2 AND (?3 IS NULL OR v.state = ?3)"
			" ORDER BY v.id LIMIT ?4",
			"titi", batch, after, name, (int64_t)max);
	if (name)
		return db_list(store->db, read_voucher, rows, sizeof(*rows),
			max,
			"SELECT " COLUMNS FROM " WHERE v.state = ?1"
			" AND v.id > ?2 ORDER BY v.id LIMIT ?3",
			"tii", name, after, (int64_t)max);
	return db_list(store->db, read_voucher, rows, sizeof(*rows), max,
		"SELECT " COLUMNS FROM " WHERE v.id > ?1"
		" ORDER BY v.id LIMIT ?2",
		"ii", after, (int64_t)max);
}

#define BATCH_COLUMNS                                                       \
	"b.id, b.name, b.plan_id," PLAN_NAME("p.name") ", b.created_by,"     \
	" b.created_at, b.expires_at, b.unused, b.used, b.revoked, b.sold,"  \
	" b.sold_minor FROM batches b JOIN plans p ON p.id = b.plan_id"

static void read_batch(struct db_rows *rows, void *ret_row)
{
	struct batch *b = ret_row;

	b->id = db_int(rows, 0);
	db_text(rows, 1, b->name, sizeof(b->name));
	b->plan_id = db_int(rows, 2);
	db_text(rows, 3, b->plan_name, sizeof(b->plan_name));
	db_text(rows, 4, b->created_by, sizeof(b->created_by));
	b->created_at = db_int(rows, 5);
	b->expires_at = db_limit(rows, 6);
	b->unused = db_int(rows, 7);
	b->used = db_int(rows, 8);
	b->revoked = db_int(rows, 9);
	b->sold = db_int(rows, 10);
	b->sold_minor = db_int(rows, 11);
}

int store_batch_list(
	struct store *store, int64_t before, struct batch *rows, int max)
{
	return db_list(store->db, read_batch, rows, sizeof(*rows), max,
		"SELECT " BATCH_COLUMNS
		" WHERE b.id < ? ORDER BY b.id DESC LIMIT ?",
		"ii", before, (int64_t)max);
}

int store_batch_lookup(
	struct store *store, const char *name, struct batch *ret_batch)
{
	return db_one(store->db, read_batch, ret_batch,
		"SELECT " BATCH_COLUMNS " WHERE b.name = ?", "t", name);
}
