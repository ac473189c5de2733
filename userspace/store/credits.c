/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits and kernel records: what a session has, and how far the kernel's
 * counters are counted against it. Bytes used change in one place only,
 * store_record_fold(), which is safe to repeat.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/members.h"

#define COLUMNS                                                             \
	"id, session_id, position, kind, plan_id, plan_name, state,"        \
	" left_ns, deadline_ns, bytes, bytes_up, bytes_down, up_kbps,"      \
	" down_kbps, moves_left, token_days, slow_up_kbps, slow_down_kbps," \
	" networks, group_id, counts, hours, idle_seconds, valid_days,"     \
	" valid_until, turn_ns, is_resting, is_idle, heard_ns, shared_by,"    \
	" full_ns, member_id"

static const char *const state_names[] = {
	[CREDIT_WAITING] = "waiting",
	[CREDIT_IN_USE] = "in_use",
	[CREDIT_USED] = "used",
};

static void read_credit(struct db_rows *rows, void *ret_row)
{
	struct credit *c = ret_row;

	memset(c, 0, sizeof(*c));
	c->id = db_int(rows, 0);
	c->session_id = db_int(rows, 1);
	c->position = (int)db_int(rows, 2);
	c->kind = (enum kind)db_int(rows, 3);
	c->plan_id = db_int(rows, 4);
	db_text(rows, 5, c->plan_name, sizeof(c->plan_name));
	c->state = DB_NAME(rows, 6, state_names, CREDIT_USED);
	c->left_ns = db_limit(rows, 7);
	c->deadline_ns = db_limit(rows, 8);
	c->bytes = db_limit(rows, 9);
	c->bytes_up = db_int(rows, 10);
	c->bytes_down = db_int(rows, 11);
	c->rates.up = db_int(rows, 12);
	c->rates.down = db_int(rows, 13);
	c->moves_left = db_limit(rows, 14);
	c->token_days = db_limit(rows, 15);
	c->rates.slow_up = db_int(rows, 16);
	c->rates.slow_down = db_int(rows, 17);
	db_text(rows, 18, c->networks, sizeof(c->networks));
	c->group_id = db_int(rows, 19);
	read_terms(rows, 20, &c->terms);
	c->valid_until = db_int(rows, 24);
	c->turn_ns = db_int(rows, 25);
	c->is_resting = db_int(rows, 26);
	c->is_idle = db_int(rows, 27);
	c->heard_ns = db_int(rows, 28);
	c->shared_by = db_int(rows, 29);
	c->full_ns = db_limit(rows, 30);
	c->member_id = db_int(rows, 31);
}

int store_credit_insert(struct store *store, struct credit *credit)
{
	int ret = db_run(store->db,
		"INSERT INTO credits (session_id, position, kind, plan_id,"
		" plan_name, state, left_ns, deadline_ns, bytes, up_kbps,"
		" down_kbps, moves_left, token_days, slow_up_kbps,"
		" slow_down_kbps, networks, group_id, counts, hours,"
		" idle_seconds, valid_days, valid_until, turn_ns, is_resting,"
		" is_idle, heard_ns, shared_by, full_ns, member_id)"
		" VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?,"
		" ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?,"
		" nullif(?, 0), nullif(?, 0), nullif(?, 0), ?, ?, ?,"
		" nullif(?, 0), ?, nullif(?, 0))",
		"iiiittllliilliitittiiiiiiiili", credit->session_id,
		(int64_t)credit->position, (int64_t)credit->kind,
		credit->plan_id, credit->plan_name, state_names[credit->state],
		credit->left_ns, credit->deadline_ns, credit->bytes,
		credit->rates.up, credit->rates.down, credit->moves_left,
		credit->token_days, credit->rates.slow_up,
		credit->rates.slow_down, credit->networks, credit->group_id,
		counts_name(credit->terms.counts), credit->terms.hours,
		credit->terms.idle_sec, credit->terms.valid_days,
		credit->valid_until, credit->turn_ns,
		(int64_t)credit->is_resting, (int64_t)credit->is_idle,
		credit->heard_ns, credit->shared_by, credit->full_ns,
		credit->member_id);

	if (!ret)
		credit->id = db_last_id(store->db);
	return ret;
}

int store_credit_update(struct store *store, const struct credit *credit)
{
	return db_run(store->db,
		"UPDATE credits SET session_id = ?, position = ?, state = ?,"
		" left_ns = ?, deadline_ns = ?, bytes = ?, moves_left = ?,"
		" up_kbps = ?, down_kbps = ?, slow_up_kbps = ?,"
		" slow_down_kbps = ?, valid_until = nullif(?, 0),"
		" turn_ns = nullif(?, 0),"
		" is_resting = ?, is_idle = ?, heard_ns = ?, full_ns = ?,"
		" updated_at = unixepoch() WHERE id = ?",
		"iitlllliiiiiiiiili", credit->session_id,
		(int64_t)credit->position,
		state_names[credit->state], credit->left_ns,
		credit->deadline_ns, credit->bytes, credit->moves_left,
		credit->rates.up, credit->rates.down, credit->rates.slow_up,
		credit->rates.slow_down, credit->valid_until, credit->turn_ns,
		(int64_t)credit->is_resting, (int64_t)credit->is_idle,
		credit->heard_ns, credit->full_ns, credit->id);
}

int store_credit_list(
	struct store *store, int64_t session_id, struct credit *rows, int max)
{
	return db_list(store->db, read_credit, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM credits WHERE session_id = ?"
		" AND state <> 'used' ORDER BY position, id",
		"i", session_id);
}

int store_credit_share(struct store *store, int64_t id, int64_t group_id)
{
	return db_run(store->db,
		"UPDATE credits SET group_id = ?, updated_at = unixepoch()"
		" WHERE id = ?",
		"ii", group_id, id);
}

int store_credit_shared(
	struct store *store, int64_t group_id, struct credit *rows, int max)
{
	return db_list(store->db, read_credit, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM credits WHERE group_id = ?"
		" AND state <> 'used' ORDER BY id",
		"i", group_id);
}

int store_member_credits(
	struct store *store, int64_t id, struct credit *rows, int max)
{
	return db_list(store->db, read_credit, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM credits WHERE member_id = ?"
		" AND state <> 'used' ORDER BY id LIMIT ?",
		"ii", id, (int64_t)max);
}

static void read_used(struct db_rows *rows, void *ret_row)
{
	int64_t *used = ret_row;

	used[0] = db_int(rows, 0);
	used[1] = db_int(rows, 1);
}

int store_credit_used(struct store *store, int64_t session_id,
	int64_t *ret_up, int64_t *ret_down)
{
	int64_t used[2];
	int ret = db_one(store->db, read_used, used,
		"SELECT coalesce(sum(bytes_up), 0),"
		" coalesce(sum(bytes_down), 0) FROM credits"
		" WHERE session_id = ? AND state = 'used'",
		"i", session_id);

	if (ret)
		return ret;
	*ret_up = used[0];
	*ret_down = used[1];
	return 0;
}

int store_credit_lookup(
	struct store *store, int64_t id, struct credit *ret_credit)
{
	return db_one(store->db, read_credit, ret_credit,
		"SELECT " COLUMNS " FROM credits WHERE id = ?", "i", id);
}

int store_credit_last(
	struct store *store, int64_t session_id, struct credit *ret_credit)
{
	return db_one(store->db, read_credit, ret_credit,
		"SELECT " COLUMNS " FROM credits WHERE session_id = ?"
		" ORDER BY position DESC, id DESC LIMIT 1",
		"i", session_id);
}

int store_credit_shared_by(
	struct store *store, int64_t session_id, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT s.mac FROM credits c JOIN sessions s"
		" ON s.id = c.session_id WHERE c.shared_by = ?"
		" AND c.state <> 'used' AND s.state <> 'ended'"
		" ORDER BY c.id LIMIT ?",
		"ii", session_id, (int64_t)max);
}

int store_credit_due(
	struct store *store, int64_t until_ns, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT s.mac FROM (SELECT session_id, deadline_ns AS at"
		" FROM credits WHERE deadline_ns IS NOT NULL"
		" AND deadline_ns <= ?1 UNION ALL SELECT session_id, turn_ns"
		" FROM credits WHERE turn_ns <= ?1 AND state = 'in_use') c"
		" JOIN sessions s ON s.id = c.session_id"
		" WHERE s.state <> 'ended' ORDER BY c.at LIMIT ?2",
		"ii", until_ns, (int64_t)max);
}

static void read_deadline(struct db_rows *rows, void *ret_deadline_ns)
{
	*(int64_t *)ret_deadline_ns = db_limit(rows, 0);
}

int store_credit_next(struct store *store, int64_t *ret_deadline_ns)
{
	return db_one(store->db, read_deadline, ret_deadline_ns,
		"SELECT min(at) FROM (SELECT min(deadline_ns) AS at FROM credits"
		" WHERE deadline_ns IS NOT NULL"
		" UNION ALL SELECT min(turn_ns) FROM credits"
		" WHERE turn_ns IS NOT NULL AND state = 'in_use'"
		" UNION ALL SELECT min(exempt_deadline_ns) FROM devices"
		" WHERE exempt_deadline_ns > 0)",
		"");
}

struct dated {
	int64_t session_id;
	struct mac mac;
};

static void read_dated(struct db_rows *rows, void *ret_row)
{
	struct dated *dated = ret_row;

	dated->session_id = db_int(rows, 0);
	db_mac(rows, 1, &dated->mac);
}

int store_credit_dated(
	struct store *store, int64_t *after, struct mac *rows, int max)
{
	struct dated dated[64];
	int n = db_list(store->db, read_dated, dated, sizeof(*dated),
		MIN(max, (int)ARRAY_SIZE(dated)),
		"SELECT s.id, s.mac FROM credits c JOIN sessions s"
		" ON s.id = c.session_id WHERE c.turn_ns IS NOT NULL"
		" AND s.id > ? AND s.state <> 'ended' ORDER BY s.id LIMIT ?",
		"ii", *after, (int64_t)MIN(max, (int)ARRAY_SIZE(dated)));

	for (int i = 0; i < n; i++) {
		rows[i] = dated[i].mac;
		*after = dated[i].session_id;
	}
	return n;
}

int store_record_insert(struct store *store, struct record *record)
{
	int ret = db_run(store->db,
		"INSERT INTO records (mac, session_id, credit_id)"
		" VALUES (?, nullif(?, 0), nullif(?, 0))",
		"mii", &record->mac, record->session_id, record->credit_id);

	if (!ret)
		record->id = db_last_id(store->db);
	return ret;
}

int store_record_adopt(struct store *store, const struct record *record)
{
	return db_run(store->db,
		"INSERT OR REPLACE INTO records (id, mac, session_id, credit_id,"
		" raw_up, raw_down)"
		" VALUES (?, ?, nullif(?, 0), nullif(?, 0), ?, ?)",
		"imiiii", record->id, &record->mac, record->session_id,
		record->credit_id, record->raw_up, record->raw_down);
}

int store_record_bind(
	struct store *store, int64_t id, int64_t session_id, int64_t credit_id)
{
	return db_run(store->db,
		"UPDATE records SET session_id = nullif(?, 0),"
		" credit_id = nullif(?, 0), updated_at = unixepoch()"
		" WHERE id = ?",
		"iii", session_id, credit_id, id);
}

int store_record_fold(
	struct store *store, int64_t id, int64_t raw_up, int64_t raw_down)
{
	/* What has not changed is not written: guests look often, and a turn
	 * without a write needs no sync. Not UPDATE FROM, which goes by way of a
	 * temporary table: a sweep does this for every client that was active. */
	int ret = db_run(store->db,
		"UPDATE credits SET bytes_up = bytes_up + ?1"
		" - (SELECT raw_up FROM records WHERE id = ?3),"
		" bytes_down = bytes_down + ?2"
		" - (SELECT raw_down FROM records WHERE id = ?3)"
		" WHERE id = (SELECT credit_id FROM records WHERE id = ?3"
		" AND (raw_up != ?1 OR raw_down != ?2))",
		"iii", raw_up, raw_down, id);

	if (ret)
		return ret;
	return db_run(store->db,
		"UPDATE records SET raw_up = ?1, raw_down = ?2"
		" WHERE id = ?3 AND (raw_up != ?1 OR raw_down != ?2)",
		"iii", raw_up, raw_down, id);
}

int store_record_delete(struct store *store, int64_t id)
{
	return db_run(
		store->db, "DELETE FROM records WHERE id = ?", "i", id);
}

int store_record_heir(struct store *store, int64_t id, struct mac *ret_mac)
{
	return db_one(store->db, db_read_mac, ret_mac,
		"SELECT s.mac FROM records r JOIN credits c"
		" ON c.id = r.credit_id JOIN sessions s"
		" ON s.id = c.session_id WHERE r.id = ? AND s.mac <> r.mac"
		" AND s.state <> 'ended'",
		"i", id);
}

static void read_record(struct db_rows *rows, void *ret_row)
{
	struct record *record = ret_row;

	*record = (struct record){
		.id = db_int(rows, 0),
		.session_id = db_int(rows, 2),
		.credit_id = db_int(rows, 3),
		.raw_up = db_int(rows, 4),
		.raw_down = db_int(rows, 5),
	};
	db_mac(rows, 1, &record->mac);
}

#define RECORD                                                                \
	"SELECT id, mac, session_id, credit_id, raw_up, raw_down FROM records"

int store_record_of(struct store *store, const struct mac *mac,
	struct record *ret_record)
{
	return db_one(store->db, read_record, ret_record,
		RECORD " WHERE mac = ?", "m", mac);
}

int store_record_each(struct store *store,
	int (*fn)(void *data, const struct record *record), void *data)
{
	struct record record;
	struct db_rows *rows;
	int ret;

	ret = db_query(store->db, &rows, RECORD, "");
	if (ret)
		return ret;
	while ((ret = db_next(rows)) == 1) {
		read_record(rows, &record);
		ret = fn(data, &record);
		if (ret) {
			db_done(rows);
			return ret;
		}
	}
	return ret;
}
