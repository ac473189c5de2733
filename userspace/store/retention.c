/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What leaves the store when it is old (N14): one row for each kind of thing.
 * A row removes so many at once, because a loop waits; who calls comes again
 * while there is more. What a running session needs is never old.
 */
#include "base/util.h"
#include "store/handle.h"
#include "store/keeping.h"

#define AT_ONCE "500"
#define OLDEST(table, where)                                             \
	"DELETE FROM " table " WHERE id IN (SELECT id FROM " table        \
	" WHERE " where " LIMIT " AT_ONCE ")"

/* ?1 is the time before which it is old. */
static const struct {
	enum retention what;
	const char *sql;
} rules[] = {
	{RETENTION_SALES, OLDEST("sessions", "state = 'ended' AND ended_at < ?1"
		" AND id NOT IN (SELECT session_id FROM records"
		" WHERE session_id IS NOT NULL)")},
	{RETENTION_SALES, OLDEST("payments", "paid_at < ?1")},
	/* Money that bought nothing yet is never old. */
	{RETENTION_SALES, OLDEST("coin_pulses", "at < ?1 AND lock_id IN"
		" (SELECT id FROM coin_locks"
		" WHERE spent_minor = credited_minor AND state <> 'open')")},
	{RETENTION_SALES, OLDEST("coin_locks", "created_at < ?1"
		" AND spent_minor = credited_minor AND state <> 'open'"
		" AND NOT EXISTS (SELECT 1 FROM coin_pulses p"
		" WHERE p.lock_id = coin_locks.id)")},
	{RETENTION_AUDIT, OLDEST("audit", "at < ?1")},
	{RETENTION_AUDIT, OLDEST("terms_acceptances", "accepted_at < ?1")},
	{RETENTION_TOKENS, OLDEST("tokens", "expires_at < ?1")},
	{RETENTION_EVENTS, OLDEST("security_events", "last_at < ?1")},
	{RETENTION_ADDRESS_LOG, OLDEST("address_log", "to_at < ?1")},
	{RETENTION_ACCESS_LOG, OLDEST("access_log", "at < ?1")},
	/* Other places where an IP address stands. */
	{RETENTION_ADDRESSES,
		"DELETE FROM operator_addresses WHERE used_at < ?1"},
	{RETENTION_ADDRESSES,
		"UPDATE security_events SET"
		" evidence = json_remove(evidence, '$.address'),"
		" updated_at = unixepoch() WHERE id IN (SELECT id"
		" FROM security_events WHERE last_at < ?1"
		" AND json_type(evidence, '$.address') IS NOT NULL"
		" LIMIT " AT_ONCE ")"},
	{RETENTION_MEMBERS, OLDEST("members", "check_out < ?1")},
	{RETENTION_LOGINS, OLDEST("qr_sessions", "expires_at < ?1")},
	/* The last use counts, not each. */
	{RETENTION_CONTACTS,
		"UPDATE payments SET phone = '***' || substr(phone, -2),"
		" updated_at = unixepoch() WHERE id IN (SELECT p.id"
		" FROM payments p WHERE p.phone >= '' AND p.phone NOT LIKE '***%'"
		" AND p.paid_at < ?1 AND NOT EXISTS (SELECT 1 FROM payments q"
		" WHERE q.phone = p.phone AND q.paid_at >= ?1)"
		" LIMIT " AT_ONCE ")"},
};

int store_clean_up(
	struct store *store, const int64_t before[static RETENTION_COUNT])
{
	int64_t rows = 0;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		ret = db_run(store->db, rules[i].sql, "i",
			before[rules[i].what]);
		if (ret)
			return ret;
		rows += db_changes(store->db);
	}
	return (int)MIN(rows, INT32_MAX);
}
