/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting a person (N14): one row for each place where a device's MAC or a
 * telephone number may stand. What is about the person goes; what is about
 * money and the house's own doings stays, without saying whose it was. A test
 * looks through every table for what may be left.
 */
#include "base/mac.h"
#include "base/util.h"
#include "store/export.h"
#include "store/handle.h"

#define NOBODY "'00:00:00:00:00:00'"
#define OVER   "(SELECT id FROM sessions WHERE mac = ?1 AND state = 'ended')"

#define PART	 20000 /* rows: some milliseconds */
#define IN_PART	 " AND id > ?2 AND id <= ?3"
#define NEWEST(table) "SELECT coalesce(max(id), 0) FROM " table

/* ?1 is the MAC. What no index finds is looked at part by part, up to the newest
 * row that there was. */
static const struct {
	const char *sql;
	const char *newest; /* NULL: at once */
} of_device[] = {
	{"DELETE FROM tokens WHERE session_id IN " OVER, NULL},
	{"DELETE FROM address_log WHERE mac = ?1", NULL},
	{"DELETE FROM free_uses WHERE mac = ?1", NULL},
	{"DELETE FROM terms_acceptances WHERE mac = ?1", NULL},
	{"DELETE FROM qr_sessions WHERE mac = ?1", NULL},
	{"UPDATE payments SET phone = NULL, updated_at = unixepoch()"
	" WHERE phone IS NOT NULL AND session_id IN " OVER, NULL},
	{"UPDATE vouchers SET used_mac = " NOBODY ", updated_at = unixepoch()"
	" WHERE used_mac = ?1", NULL},
	/* Money that is left is the house's to give back. */
	{"UPDATE coin_locks SET mac = NULL, updated_at = unixepoch(),"
	" state = CASE WHEN credited_minor > spent_minor THEN 'unclaimed'"
	" ELSE state END WHERE mac = ?1 AND state <> 'open'", NULL},
	{"UPDATE security_events SET mac = NULL, evidence = '{}',"
	" updated_at = unixepoch() WHERE mac = ?1", NULL},
	{"UPDATE security_events SET evidence = '{}', updated_at = unixepoch()"
	" WHERE evidence LIKE '%' || ?1 || '%'" IN_PART,
		NEWEST("security_events")},
	{"UPDATE audit SET mac = NULL, updated_at = unixepoch() WHERE mac = ?1", NULL},
	{"UPDATE audit SET detail = replace(replace(detail, ?1, '***'),"
	" upper(?1), '***'), who = CASE who WHEN ?1 THEN 'guest' ELSE who END,"
	" updated_at = unixepoch()"
	" WHERE (who = ?1 OR detail LIKE '%' || ?1 || '%')" IN_PART,
		NEWEST("audit")},
	{"UPDATE access_log SET who = 'guest' WHERE who = ?1" IN_PART,
		NEWEST("access_log")},
	/* A block or an exemption that holds goes on: it is the house's. */
	{"UPDATE devices SET name = '', note = '', updated_at = unixepoch()"
	" WHERE mac = ?1", NULL},
	{"DELETE FROM devices WHERE mac = ?1 AND NOT blocked"
	" AND exempt_until = 0", NULL},
	{"UPDATE sessions SET mac = " NOBODY ", updated_at = unixepoch()"
	" WHERE mac = ?1 AND state = 'ended'", NULL},
};

static int forget_part(struct store *store, const struct mac *mac,
	struct forget_place *place)
{
	int ret = place->after ? 0
			       : db_one(store->db, db_read_int, &place->newest,
					 of_device[place->row].newest, "");

	if (!ret)
		ret = db_run(store->db, of_device[place->row].sql, "mii", mac,
			place->after, place->after + PART);
	place->after += PART;
	return ret;
}

int store_forget_device(struct store *store, const struct mac *mac,
	struct forget_place *place)
{
	int ret = of_device[place->row].newest
			  ? forget_part(store, mac, place)
			  : db_run(store->db, of_device[place->row].sql, "m", mac);

	if (ret)
		return ret;
	place->rows += db_changes(store->db);
	if (place->after >= place->newest) {
		place->row++;
		place->after = place->newest = 0;
	}
	return place->row < ARRAY_SIZE(of_device);
}

int store_forget_phone(
	struct store *store, const char *phone, int64_t *ret_rows)
{
	int ret = db_run(store->db,
		"UPDATE payments SET phone = NULL, updated_at = unixepoch()"
		" WHERE phone = ?",
		"t", phone);

	*ret_rows = ret ? 0 : db_changes(store->db);
	return ret;
}

#define IS_PERSON "(identity = ?1 COLLATE NOCASE OR email = ?1 COLLATE NOCASE)"

int store_forget_person(
	struct store *store, const char *person, int64_t *ret_rows)
{
	/* Logins of members go with them. */
	int ret = db_run(store->db, "DELETE FROM qr_sessions WHERE " IS_PERSON,
		"t", person);

	*ret_rows = ret ? 0 : db_changes(store->db);
	if (!ret)
		ret = db_run(store->db, "DELETE FROM members WHERE " IS_PERSON,
			"t", person);
	*ret_rows += ret ? 0 : db_changes(store->db);
	return ret;
}

int store_devices_of_person(
	struct store *store, const char *person, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT mac FROM qr_sessions WHERE " IS_PERSON
		" UNION SELECT mac FROM sessions WHERE mac <> " NOBODY
		" AND member_id IN (SELECT id FROM members WHERE " IS_PERSON
		") LIMIT ?2",
		"ti", person, (int64_t)max);
}

int store_devices_of_phone(
	struct store *store, const char *phone, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT DISTINCT s.mac FROM payments p JOIN sessions s"
		" ON s.id = p.session_id WHERE p.phone = ?"
		" AND s.mac <> " NOBODY " LIMIT ?",
		"ti", phone, (int64_t)max);
}
