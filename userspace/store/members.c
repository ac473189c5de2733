/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members: who they are, and which credits are theirs. Capitals make no other
 * identity: the table says so. The role is that of the operator's account, read
 * with every row.
 */
#include "store/members.h"

#include <string.h>

#include "base/role.h"
#include "base/util.h"
#include "store/handle.h"

#define MEMBER_QUERY                                                         \
	"SELECT m.id, m.identity, m.name, m.email, m.operator_id, o.name,"   \
	" o.role, m.plan_id, " PLAN_NAME("p.name") ", m.devices,"            \
	" m.check_in, m.check_out, m.proof_name, m.proof_room,"              \
	" m.given_credit_id, m.given_until, m.last_used_at, m.created_by,"   \
	" m.created_at, (SELECT count(*) FROM credits c"                     \
	" WHERE c.member_id = m.id AND c.state <> 'used')"                   \
	" FROM members m LEFT JOIN operators o ON o.id = m.operator_id"      \
	" LEFT JOIN plans p ON p.id = m.plan_id"

static void read_member(struct db_rows *rows, void *ret_row)
{
	struct member *m = ret_row;
	char role[16];

	memset(m, 0, sizeof(*m));
	m->id = db_int(rows, 0);
	db_text(rows, 1, m->identity, sizeof(m->identity));
	db_text(rows, 2, m->name, sizeof(m->name));
	db_text(rows, 3, m->email, sizeof(m->email));
	m->operator_id = db_int(rows, 4);
	db_text(rows, 5, m->operator_name, sizeof(m->operator_name));
	db_text(rows, 6, role, sizeof(role));
	if (role_parse(role, &m->role))
		m->role = ROLE_NONE;
	m->plan_id = db_int(rows, 7);
	db_text(rows, 8, m->plan_name, sizeof(m->plan_name));
	m->devices = db_int(rows, 9);
	m->check_in = db_int(rows, 10);
	m->check_out = db_int(rows, 11);
	db_text(rows, 12, m->proof_name, sizeof(m->proof_name));
	db_text(rows, 13, m->proof_room, sizeof(m->proof_room));
	m->given_credit_id = db_int(rows, 14);
	m->given_until = db_int(rows, 15);
	m->last_used_at = db_int(rows, 16);
	db_text(rows, 17, m->created_by, sizeof(m->created_by));
	m->created_at = db_int(rows, 18);
	m->online = db_int(rows, 19);
}

int store_member_insert(struct store *store, struct member *member)
{
	int ret = db_run(store->db,
		"INSERT INTO members (identity, name, email, operator_id,"
		" plan_id, devices, check_in, check_out, proof_name, proof_room,"
		" created_by) VALUES (?, ?, ?, nullif(?, 0), nullif(?, 0), ?,"
		" nullif(?, 0), nullif(?, 0), ?, ?, ?)",
		"tttiiiiittt", member->identity, member->name, member->email,
		member->operator_id, member->plan_id, member->devices,
		member->check_in, member->check_out, member->proof_name,
		member->proof_room, member->created_by);

	if (!ret)
		member->id = db_last_id(store->db);
	return ret;
}

int store_member_put(struct store *store, const struct member *member)
{
	int ret = db_run(store->db,
		"UPDATE members SET identity = ?, name = ?, email = ?,"
		" operator_id = nullif(?, 0), plan_id = nullif(?, 0),"
		" devices = ?, check_in = nullif(?, 0), check_out = nullif(?, 0),"
		" proof_name = ?, proof_room = ?, given_credit_id = nullif(?, 0),"
		" given_until = nullif(?, 0), last_used_at = nullif(?, 0),"
		" updated_at = unixepoch() WHERE id = ?",
		"tttiiiiittiiii", member->identity, member->name, member->email,
		member->operator_id, member->plan_id, member->devices,
		member->check_in, member->check_out, member->proof_name,
		member->proof_room, member->given_credit_id,
		member->given_until, member->last_used_at, member->id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_member_lookup(
	struct store *store, int64_t id, struct member *ret_member)
{
	return db_one(store->db, read_member, ret_member,
		MEMBER_QUERY " WHERE m.id = ?", "i", id);
}

int store_member_by_identity(
	struct store *store, const char *identity, struct member *ret_member)
{
	return db_one(store->db, read_member, ret_member,
		MEMBER_QUERY " WHERE m.identity = ?", "t", identity);
}

int store_member_remove(struct store *store, int64_t id)
{
	return db_run(store->db, "DELETE FROM members WHERE id = ?", "i", id);
}

int store_member_list(struct store *store, int64_t operator_id,
	const char *text, int64_t after, struct member *rows, int max)
{
	return db_list(store->db, read_member, rows, sizeof(*rows), max,
		MEMBER_QUERY " WHERE m.id > ?1"
			     " AND (?2 = 0 OR m.operator_id = ?2)"
			     " AND (?3 IS NULL OR instr(lower(m.identity), lower(?3))"
			     " OR instr(lower(m.name), lower(?3))"
			     " OR instr(lower(m.email), lower(?3)))"
			     " ORDER BY m.id LIMIT ?4",
		"iiti", after, operator_id, text, (int64_t)max);
}

int store_member_of_person(
	struct store *store, const char *text, struct member *rows, int max)
{
	return db_list(store->db, read_member, rows, sizeof(*rows), max,
		MEMBER_QUERY " WHERE m.identity = ?1 COLLATE NOCASE"
			     " OR m.email = ?1 COLLATE NOCASE"
			     " ORDER BY m.id LIMIT ?2",
		"ti", text, (int64_t)max);
}

int store_member_used(struct store *store, int64_t id, int64_t first_id,
	int64_t *ret_up, int64_t *ret_down)
{
	int ret = db_one(store->db, db_read_int, ret_up,
		"SELECT coalesce(sum(bytes_up), 0) FROM credits"
		" WHERE member_id = ? AND id >= ?",
		"ii", id, first_id);

	return ret ?: db_one(store->db, db_read_int, ret_down,
			      "SELECT coalesce(sum(bytes_down), 0) FROM credits"
			      " WHERE member_id = ? AND id >= ?",
			      "ii", id, first_id);
}

int store_member_of_session(
	struct store *store, int64_t session_id, struct member *ret_member)
{
	return db_one(store->db, read_member, ret_member,
		MEMBER_QUERY " JOIN sessions s ON s.member_id = m.id"
			     " WHERE s.id = ?",
		"i", session_id);
}

int store_session_member(struct store *store, int64_t session_id, int64_t id)
{
	return db_run(store->db,
		"UPDATE sessions SET member_id = nullif(?, 0),"
		" updated_at = unixepoch() WHERE id = ?",
		"ii", id, session_id);
}

int store_unknown_since(
	struct store *store, const struct mac *mac, int64_t *ret_started_at)
{
	return db_one(store->db, db_read_int, ret_started_at,
		"SELECT s.started_at FROM sessions s JOIN credits c"
		" ON c.session_id = s.id WHERE s.mac = ? AND c.kind = ?"
		" AND c.member_id IS NULL ORDER BY c.id DESC LIMIT 1",
		"mi", mac, (int64_t)KIND_MEMBER);
}
