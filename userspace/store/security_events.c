/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security events: who did what no guest should do, when, how often, and what
 * shows it. Rows are only ever added, counted up and, when old, removed.
 */
#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                           \
	"id, at, last_at, count, event_type, severity, network, mac,"     \
	" session_id, description, evidence"

static const char *const severity_names[] = {
	[SEVERITY_INFO] = "INFO",
	[SEVERITY_MEDIUM] = "MEDIUM",
	[SEVERITY_HIGH] = "HIGH",
	[SEVERITY_CRITICAL] = "CRITICAL",
};

const char *severity_name(enum severity severity)
{
	return severity_names[severity];
}

int severity_parse(const char *name, enum severity *ret_severity)
{
	int severity = NAME_INDEX(severity_names, name);

	if (severity < 0)
		return severity;
	*ret_severity = (enum severity)severity;
	return 0;
}

static void read_event(struct db_rows *rows, void *ret_row)
{
	struct security_event *e = ret_row;

	memset(e, 0, sizeof(*e));
	e->id = db_int(rows, 0);
	e->at = db_int(rows, 1);
	e->last_at = db_int(rows, 2);
	e->count = db_int(rows, 3);
	db_text(rows, 4, e->type, sizeof(e->type));
	/* What the table cannot contain must not look harmless. */
	e->severity = DB_NAME(rows, 5, severity_names, SEVERITY_CRITICAL);
	db_text(rows, 6, e->network, sizeof(e->network));
	db_mac(rows, 7, &e->mac);
	e->session_id = db_int(rows, 8);
	db_text(rows, 9, e->description, sizeof(e->description));
	db_text(rows, 10, e->evidence, sizeof(e->evidence));
}

int store_security_event_insert(
	struct store *store, struct security_event *event)
{
	int ret = db_run(store->db,
		"INSERT INTO security_events (at, last_at, count, event_type,"
		" severity, network, mac, session_id, description, evidence)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?)",
		"iiitttmitt", event->at, event->last_at, event->count,
		event->type, severity_names[event->severity], event->network,
		mac_is_zero(&event->mac) ? NULL : &event->mac,
		event->session_id, event->description, event->evidence);

	if (!ret)
		event->id = db_last_id(store->db);
	return ret;
}

int store_security_event_count(
	struct store *store, int64_t id, int64_t count, int64_t last_at)
{
	int ret = db_run(store->db,
		"UPDATE security_events SET count = ?, last_at = ?,"
		" updated_at = unixepoch() WHERE id = ?",
		"iii", count, last_at, id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_security_event_list(struct store *store,
	const struct security_event_filter *filter, int64_t before,
	struct security_event *rows, int max)
{
	return db_list(store->db, read_event, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM security_events WHERE id < ?1"
		" AND (?2 IS NULL OR mac = ?2)"
		" AND (?3 IS NULL OR event_type = ?3)"
		" AND (?4 IS NULL OR severity = ?4) ORDER BY id DESC LIMIT ?5",
		"imtti", before, filter->mac, filter->type, filter->severity,
		(int64_t)max);
}

int store_security_event_sum(
	struct store *store, const char *type, int64_t since, int64_t *ret_sum)
{
	return db_one(store->db, db_read_int, ret_sum,
		"SELECT coalesce(sum(count), 0) FROM security_events"
		" WHERE last_at >= ? AND event_type = ?",
		"it", since, type);
}
