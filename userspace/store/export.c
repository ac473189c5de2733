/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the box knows, as tables for others: each is one query, whose first
 * column is the place to go on from and whose others are what leaves the box,
 * by their names. Ours, and the schema "netflow", whose columns are given from
 * outside (N6). No query shows a secret: passwords, codes and tokens.
 *
 * A query sees a window of row ids at a time, so that a million rows keep
 * nobody waiting, whatever of them is asked for.
 */
#include "store/export.h"

#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define TIME(at)  "strftime('%Y-%m-%dT%H:%M:%SZ', " at ", 'unixepoch')"
#define MONEY(at) "printf('%d.%02d', " at " / 100, " at " % 100)"
#define STAMPS(t) TIME(t ".created_at") " AS created_at, " \
		  TIME(t ".updated_at") " AS updated_at"
/* Rows behind ?1 and up to ?2, of the time from ?3 to ?4, of the device ?5. */
#define ROWS(id, at) " WHERE " id " > ?1 AND " id " <= ?2 AND " at " >= ?3" \
		     " AND " at " < ?4"
#define OF_MAC(mac)   " AND (?5 IS NULL OR " mac " = ?5)"
/* Who is known by the identity or e-mail address ?9. */
#define PERSON(t) "(" t ".identity = ?9 COLLATE NOCASE"                    \
		  " OR " t ".email = ?9 COLLATE NOCASE)"
/* What was paid from the telephone number ?6, or is of that person. */
#define OF_PHONE(session)                                                 \
	" AND (?6 IS NULL OR " session " IN (SELECT q.session_id FROM"     \
	" payments q WHERE q.phone = ?6))"                                 \
	" AND (?9 IS NULL OR " session " IN (SELECT w.id FROM sessions w"  \
	" JOIN members x ON x.id = w.member_id WHERE " PERSON("x") "))"
#define NO_PHONE " AND ?6 IS NULL AND ?9 IS NULL"
#define ORDER(id) " ORDER BY " id

#define KIND(c)                                                            \
	"CASE " c ".kind WHEN 1 THEN 'voucher' WHEN 2 THEN 'manual'"        \
	" WHEN 3 THEN 'coin' WHEN 4 THEN 'free'"                        \
	" WHEN 5 THEN 'member' ELSE " c ".kind END"
#define FIRST_CREDIT(what)                                               \
	"(SELECT " what " FROM credits c WHERE c.session_id = s.id"       \
	" ORDER BY c.position LIMIT 1)"
/* As store/statistics.c. */
#define ADDRESS(what)                                                     \
	"(SELECT a." what " FROM address_log a WHERE a.mac = s.mac"        \
	" AND a.to_at >= s.started_at - 120"                              \
	" AND a.from_at <= coalesce(s.ended_at, ?7)"                      \
	" ORDER BY a.ip LIKE '%:%', a.id DESC LIMIT 1)"
#define DEVICE_NAME                                                        \
	"coalesce((SELECT d.name FROM devices d WHERE d.mac = s.mac), '')"
#define BYTES(way)                                                         \
	"coalesce((SELECT sum(c.bytes_" way ") FROM credits c"              \
	" WHERE c.session_id = s.id), 0) AS bytes_" way
/* When a running session's time is over, of all its credits. */
#define EXPIRES                                                            \
	"CASE s.state WHEN 'ended' THEN s.ended_at WHEN 'running' THEN"     \
	" (SELECT ?7 + sum(coalesce(max(c.deadline_ns - ?8, 0), c.left_ns))" \
	" / 1000000000 FROM credits c WHERE c.session_id = s.id"            \
	" AND c.state <> 'used') END"

struct export_table {
	const char *schema, *name;
	bool is_personal; /* some of it may be asked for as a person's */
	const char *window; /* the last of the next ids behind ?1 */
	const char *sql;
};

#define WINDOW(table)                                                      \
	"SELECT id FROM " table " WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET 3999"

/* clang-format off */
static const struct export_table tables[] = {
	{"", "sessions", true, WINDOW("sessions"),
		"SELECT s.id, s.id AS id, upper(s.mac) AS mac, " DEVICE_NAME " AS device,"
		" " ADDRESS("network") " AS network, " ADDRESS("ip") " AS ip,"
		" s.state AS state, " FIRST_CREDIT(KIND("c")) " AS kind,"
		" " FIRST_CREDIT("c.plan_name") " AS plan,"
		" " TIME("s.started_at") " AS started_at,"
		" " TIME("s.ended_at") " AS ended_at, s.end_reason AS end_reason,"
		" " TIME(EXPIRES) " AS expires_at,"
		" " BYTES("up") ", " BYTES("down") ","
		" s.total_paid_minor AS paid_minor FROM sessions s"
		ROWS("s.id", "s.started_at") OF_MAC("s.mac") OF_PHONE("s.id") ORDER("s.id")},
	{"", "usage", true, WINDOW("credits"),
		"SELECT c.id, c.id AS id, c.session_id AS session_id, upper(s.mac) AS mac,"
		" " KIND("c") " AS kind, c.plan_name AS plan, c.state AS state,"
		" c.bytes_up AS bytes_up, c.bytes_down AS bytes_down,"
		" c.bytes AS bytes_limit,"
		" coalesce(max(c.deadline_ns - ?8, 0), c.left_ns) / 1000000000"
		" AS seconds_left, " TIME("s.started_at") " AS started_at,"
		" " TIME("s.ended_at") " AS ended_at"
		" FROM credits c JOIN sessions s ON s.id = c.session_id"
		ROWS("c.id", "s.started_at") OF_MAC("s.mac") OF_PHONE("s.id") ORDER("c.id")},
	{"", "payments", true, WINDOW("payments"),
		"SELECT p.id, p.id AS id, " TIME("p.paid_at") " AS paid_at,"
		" p.method AS method, p.reference AS reference,"
		" p.amount_minor AS amount_minor, p.currency AS currency,"
		" p.status AS status, " PLAN_NAME("n.name") " AS plan,"
		" p.session_id AS session_id, p.voucher_id AS voucher_id,"
		" upper(s.mac) AS mac, p.network AS network, p.phone AS phone, p.who AS who,"
		" " TIME("p.refunded_at") " AS refunded_at, p.refunded_by AS refunded_by"
		" FROM payments p LEFT JOIN plans n ON n.id = p.plan_id"
		" LEFT JOIN sessions s ON s.id = p.session_id"
		ROWS("p.id", "p.paid_at") OF_MAC("s.mac")
		" AND (?6 IS NULL OR p.phone = ?6) AND ?9 IS NULL" ORDER("p.id")},
	{"", "addresses", true, WINDOW("address_log"),
		"SELECT a.id, upper(a.mac) AS mac, a.network AS network, a.ip AS ip,"
		" " TIME("a.from_at") " AS \"from\", " TIME("a.to_at") " AS \"to\""
		" FROM address_log a"
		ROWS("a.id", "a.to_at") OF_MAC("a.mac") NO_PHONE ORDER("a.id")},
	{"", "devices", true, WINDOW("devices"),
		"SELECT d.id, d.id AS id, upper(d.mac) AS mac, d.name AS name, d.note AS note,"
		" d.blocked AS blocked, " TIME("d.first_seen") " AS first_seen,"
		" " TIME("nullif(d.last_seen, 0)") " AS last_seen FROM devices d"
		ROWS("d.id", "d.last_seen") OF_MAC("d.mac") NO_PHONE ORDER("d.id")},
	{"", "vouchers", true, WINDOW("vouchers"),
		"SELECT v.id, v.id AS id, " PLAN_NAME("n.name") " AS plan,"
		" v.batch AS batch, v.state AS state, v.session_id AS session_id,"
		" " TIME("v.used_at") " AS used_at, upper(v.used_mac) AS used_mac,"
		" " TIME("v.expires_at") " AS expires_at, v.created_by AS created_by,"
		" " TIME("v.created_at") " AS created_at"
		" FROM vouchers v JOIN plans n ON n.id = v.plan_id"
		ROWS("v.id", "v.created_at") OF_MAC("v.used_mac") OF_PHONE("v.session_id")
		ORDER("v.id")},
	{"", "events", true, WINDOW("security_events"),
		"SELECT e.id, e.id AS id, " TIME("e.at") " AS at,"
		" " TIME("e.last_at") " AS last_at, e.count AS count,"
		" e.event_type AS type, e.severity AS severity, e.network AS network,"
		" upper(e.mac) AS mac, e.session_id AS session_id,"
		" e.description AS description, e.evidence AS evidence"
		" FROM security_events e"
		ROWS("e.id", "e.last_at") OF_MAC("e.mac") OF_PHONE("e.session_id") ORDER("e.id")},
	{"", "terms", true, WINDOW("terms_acceptances"),
		"SELECT a.id, a.id AS id, upper(a.mac) AS mac, a.version AS version,"
		" a.network AS network, " TIME("a.accepted_at") " AS accepted_at"
		" FROM terms_acceptances a"
		ROWS("a.id", "a.accepted_at") OF_MAC("a.mac") NO_PHONE ORDER("a.id")},
	{"", "audit", true, WINDOW("audit"),
		"SELECT a.id, a.id AS id, " TIME("a.at") " AS at, a.who AS who,"
		" a.operation AS operation, upper(a.mac) AS mac, a.session_id AS session_id,"
		" a.detail AS detail FROM audit a"
		ROWS("a.id", "a.at") OF_MAC("a.mac = ?5 OR a.who")
		OF_PHONE("a.session_id") ORDER("a.id")},
	{"", "members", true, WINDOW("members"),
		"SELECT m.id, m.id AS id, m.identity AS identity, m.name AS name,"
		" m.email AS email, coalesce(o.role, 'guest') AS role,"
		" m.devices AS devices, " TIME("m.check_in") " AS check_in,"
		" " TIME("m.check_out") " AS check_out, m.proof_name AS proof_name,"
		" m.proof_room AS proof_room, " TIME("m.last_used_at") " AS last_used_at,"
		" " TIME("m.created_at") " AS created_at"
		" FROM members m LEFT JOIN operators o ON o.id = m.operator_id"
		ROWS("m.id", "m.created_at") " AND (?5 IS NULL OR m.id IN"
		" (SELECT member_id FROM qr_sessions WHERE mac = ?5))"
		" AND ?6 IS NULL AND (?9 IS NULL OR " PERSON("m") ")" ORDER("m.id")},
	{"", "logins", true, WINDOW("qr_sessions"),
		"SELECT q.id, q.id AS id, q.identity AS identity, q.email AS email,"
		" q.member_id AS member_id, upper(q.mac) AS mac, q.network AS network,"
		" q.ip AS ip, q.user_agent AS user_agent,"
		" " TIME("q.created_at") " AS first_used_at,"
		" " TIME("q.used_at") " AS used_at, " TIME("q.expires_at") " AS expires_at"
		" FROM qr_sessions q"
		ROWS("q.id", "q.created_at") OF_MAC("q.mac") " AND ?6 IS NULL"
		" AND (?9 IS NULL OR " PERSON("q") " OR q.member_id IN"
		" (SELECT x.id FROM members x WHERE " PERSON("x") "))" ORDER("q.id")},

	{"netflow", "users", false, WINDOW("operators"),
		"SELECT o.id, o.id AS id, NULL AS email, NULL AS password, o.name AS name,"
		" o.role AS role, " STAMPS("o") " FROM operators o"
		ROWS("o.id", "o.created_at") ORDER("o.id")},
	{"netflow", "routers", false, WINDOW("gateways"),
		"SELECT g.id, g.id AS id, g.name AS name, g.ip_address AS ip_address,"
		" g.mac_address AS mac_address, g.location AS location,"
		" g.status AS status, " TIME("g.last_seen") " AS last_seen,"
		" g.signal_strength AS signal_strength,"
		" g.active_users AS active_users, " STAMPS("g") " FROM gateways g"
		ROWS("g.id", "g.last_seen") ORDER("g.id")},
	{"netflow", "packages", false, WINDOW("plans"),
		"SELECT n.id, n.id AS id, " PLAN_NAME("n.name") " AS name,"
		" n.seconds / 60 AS duration, " MONEY("n.price_minor") " AS price,"
		" '' AS description, n.is_active AS is_active, " STAMPS("n")
		" FROM plans n" ROWS("n.id", "n.created_at") ORDER("n.id")},
	{"netflow", "sessions", false, WINDOW("sessions"),
		"SELECT s.id, s.id AS id, s.member_id AS user_id, upper(s.mac) AS device_mac,"
		" " DEVICE_NAME " AS device_name, " ADDRESS("ip") " AS ip_address,"
		" 1 AS router_id, " FIRST_CREDIT("c.plan_id") " AS package_id,"
		" s.state AS status, " TIME("s.started_at") " AS start_time,"
		" " TIME("s.ended_at") " AS end_time, " TIME(EXPIRES) " AS expires_at,"
		" " BYTES("up") ", " BYTES("down") ", " STAMPS("s") " FROM sessions s"
		ROWS("s.id", "s.started_at") ORDER("s.id")},
	{"netflow", "payments", false, WINDOW("payments"),
		"SELECT p.id, p.id AS id, p.session_id AS session_id,"
		" p.plan_id AS package_id, " MONEY("p.amount_minor") " AS amount,"
		" p.currency AS currency, p.method AS payment_method,"
		" p.reference AS payment_reference, p.phone AS phone_number,"
		" p.status AS status, " TIME("p.paid_at") " AS paid_at, " STAMPS("p")
		" FROM payments p" ROWS("p.id", "p.paid_at") ORDER("p.id")},
	{"netflow", "system_settings", false,
		"SELECT 1 WHERE ?1 < 0", /* they are few */
		"SELECT n, n AS id, key, value, 'string' AS type,"
		" " STAMPS("t") " FROM (SELECT row_number() OVER (ORDER BY key) AS n,"
		" key, value, created_at, updated_at FROM settings"
		" WHERE key NOT LIKE 'key_%') t"
		ROWS("n", "updated_at") ORDER("n")},
};
/* clang-format on */

const struct export_table *store_export_lookup(
	const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		if (!strcmp(tables[i].schema, schema) &&
			!strcmp(tables[i].name, name))
			return &tables[i];
	return NULL;
}

const struct export_table *store_export_personal(size_t index)
{
	return index < ARRAY_SIZE(tables) && tables[index].is_personal
		       ? &tables[index]
		       : NULL;
}

const char *store_export_name(const struct export_table *table)
{
	return table->name;
}

const char *store_export_names(const char *schema)
{
	static char names[256];
	size_t i, len = 0;

	names[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		if (!strcmp(tables[i].schema, schema))
			len += (size_t)snprintf(names + len, sizeof(names) - len,
				"%s%s", len ? " " : "", tables[i].name);
	return names;
}

/* The first column is the place. */
static int cells_of(struct db_rows *rows, bool is_row, struct export_cell *cells)
{
	int i, count = MIN(db_columns(rows) - 1, EXPORT_CELLS_MAX);

	for (i = 0; i < count; i++) {
		cells[i] = (struct export_cell){
			.name = db_column_name(rows, i + 1)};
		if (!is_row || db_is_null(rows, i + 1))
			continue;
		/* Before it is read as text, which may change it. */
		cells[i].is_number = db_is_number(rows, i + 1);
		cells[i].text = db_column_text(rows, i + 1);
	}
	return count;
}

static int query(struct store *store, const struct export_table *table,
	const struct export_filter *filter, int64_t after, int64_t until,
	struct db_rows **ret_rows)
{
	return db_query(store->db, ret_rows, table->sql, "iiiimtiit", after, until,
		filter->from, filter->until, filter->mac, filter->phone,
		filter->now_sec, filter->now_ns, filter->person);
}

int store_export(struct store *store, const struct export_table *table,
	const struct export_filter *filter, int64_t *at, bool *ret_more,
	int (*fn)(void *data, const struct export_cell *cells, int count),
	void *data)
{
	struct export_cell cells[EXPORT_CELLS_MAX];
	int64_t until = INT64_MAX, place;
	struct db_rows *rows;
	bool more;
	int ret, count;

	ret = db_one(store->db, db_read_int, &until, table->window, "i", *at);
	more = ret != -ENOENT;
	if (!ret || !more)
		ret = query(store, table, filter, *at, until, &rows);
	if (ret)
		return ret;
	*ret_more = true;
	while ((ret = db_next(rows)) == 1) {
		place = db_int(rows, 0);
		count = cells_of(rows, true, cells);
		if (!fn(data, cells, count)) {
			*at = place;
			continue;
		}
		*at = place;
		db_done(rows);
		return 0;
	}
	*at = until;
	*ret_more = more;
	return ret;
}

int store_export_columns(struct store *store, const struct export_table *table,
	void (*fn)(void *data, const struct export_cell *cells, int count),
	void *data)
{
	static const struct export_filter nothing;
	struct export_cell cells[EXPORT_CELLS_MAX];
	struct db_rows *rows;
	int ret = query(store, table, &nothing, 0, 0, &rows);

	if (ret)
		return ret;
	fn(data, cells, cells_of(rows, false, cells));
	db_done(rows);
	return 0;
}
