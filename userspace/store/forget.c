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

/* ?1 is the MAC. */
static const char *const of_device[] = {
	"DELETE FROM tokens WHERE session_id IN " OVER,
	"DELETE FROM address_log WHERE mac = ?1",
	"DELETE FROM free_uses WHERE mac = ?1",
	"UPDATE payments SET phone = NULL, updated_at = unixepoch()"
	" WHERE phone IS NOT NULL AND session_id IN " OVER,
	"UPDATE vouchers SET used_mac = " NOBODY ", updated_at = unixepoch()"
	" WHERE used_mac = ?1",
	/* Money that is left is the house's to give back. */
	"UPDATE coin_locks SET mac = NULL, updated_at = unixepoch(),"
	" state = CASE WHEN credited_minor > spent_minor THEN 'unclaimed'"
	" ELSE state END WHERE mac = ?1 AND state <> 'open'",
	"UPDATE security_events SET mac = NULL, evidence = '{}',"
	" updated_at = unixepoch() WHERE mac = ?1",
	"UPDATE security_events SET evidence = '{}', updated_at = unixepoch()"
	" WHERE evidence LIKE '%' || ?1 || '%'",
	"UPDATE audit SET mac = NULL, updated_at = unixepoch() WHERE mac = ?1",
	"UPDATE audit SET detail = replace(replace(detail, ?1, '***'),"
	" upper(?1), '***'), who = CASE who WHEN ?1 THEN 'guest' ELSE who END,"
	" updated_at = unixepoch()"
	" WHERE who = ?1 OR detail LIKE '%' || ?1 || '%'",
	"UPDATE access_log SET who = 'guest' WHERE who = ?1",
	/* A block or an exemption that holds goes on: it is the house's. */
	"UPDATE devices SET name = '', note = '', updated_at = unixepoch()"
	" WHERE mac = ?1",
	"DELETE FROM devices WHERE mac = ?1 AND NOT blocked"
	" AND exempt_until = 0",
	"UPDATE sessions SET mac = " NOBODY ", updated_at = unixepoch()"
	" WHERE mac = ?1 AND state = 'ended'",
};

int store_forget_device(
	struct store *store, const struct mac *mac, int64_t *ret_rows)
{
	size_t i;
	int ret;

	*ret_rows = 0;
	for (i = 0; i < ARRAY_SIZE(of_device); i++) {
		ret = db_run(store->db, of_device[i], "m", mac);
		if (ret)
			return ret;
		*ret_rows += db_changes(store->db);
	}
	return 0;
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

int store_devices_of_phone(
	struct store *store, const char *phone, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT DISTINCT s.mac FROM payments p JOIN sessions s"
		" ON s.id = p.session_id WHERE p.phone = ?"
		" AND s.mac <> " NOBODY " LIMIT ?",
		"ti", phone, (int64_t)max);
}
