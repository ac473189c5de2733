/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store keeps about the past: who had which address when, without
 * gaps and without joining what was two uses; and what goes when it is old.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/util.h"
#include "store/export.h"
#include "store/handle.h"
#include "store/keeping.h"
#include "store/members.h"
#include "store/payments.h"

#include "lib/fixture.h"

#define GAP  3600
#define GROW 60

static const struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};

static void use(struct store *store, const struct mac *mac, const char *network,
	const char *ip, int64_t at)
{
	struct address_use row = {.mac = *mac, .from_at = at, .to_at = at};

	assert_int_equal(ip_parse(ip, &row.ip), 0);
	snprintf(row.network, sizeof(row.network), "%s", network);
	assert_int_equal(store_address_note(store, &row, GAP, GROW), 0);
}

static int list(struct store *store, const char *ip, int64_t at,
	struct address_use *rows, int max)
{
	struct ipaddr address;
	struct address_filter filter = {
		.ip = &address, .from = at, .until = at ? at : INT64_MAX};

	assert_int_equal(ip_parse(ip, &address), 0);
	return store_address_list(store, &filter, UNLIMITED, rows, max);
}

static void test_a_use_grows(void **state)
{
	struct address_use rows[4];

	use(*state, &a, "guest", "10.77.0.5", 1000);
	use(*state, &a, "guest", "10.77.0.5", 1015);
	assert_int_equal(list(*state, "10.77.0.5", 0, rows, 4), 1);
	assert_int_equal(rows[0].from_at, 1000);
	assert_int_equal(rows[0].to_at, 1000);
	use(*state, &a, "guest", "10.77.0.5", 1060);
	/* An earlier end never takes away. */
	use(*state, &a, "guest", "10.77.0.5", 1030);
	use(*state, &a, "guest", "10.77.0.5", 1060 + GAP);
	assert_int_equal(list(*state, "10.77.0.5", 0, rows, 4), 1);
	assert_int_equal(rows[0].to_at, 1060 + GAP);
	/* Idle for longer: another use. */
	use(*state, &a, "guest", "10.77.0.5", 1061 + 2 * GAP);
	assert_int_equal(list(*state, "10.77.0.5", 0, rows, 4), 2);
	assert_int_equal(list(*state, "10.77.0.5", 1070, rows, 4), 1);
	assert_int_equal(list(*state, "10.77.0.5", 999, rows, 4), 0);
}

static void test_an_address_changes_hands(void **state)
{
	struct address_use rows[4];

	use(*state, &a, "guest", "fd77::5", 1000);
	use(*state, &b, "guest", "fd77::5", 1100);
	use(*state, &a, "guest", "fd77::5", 1200);
	assert_int_equal(list(*state, "fd77::5", 0, rows, 4), 3);
	assert_memory_equal(&rows[0].mac, &a, sizeof(a));
	assert_memory_equal(&rows[1].mac, &b, sizeof(b));
	assert_int_equal(list(*state, "fd77::5", 1100, rows, 4), 1);
	assert_memory_equal(&rows[0].mac, &b, sizeof(b));
}

/* The same one may be on two networks at once; only a link-local one is of
 * both then. */
static void test_link_local_addresses(void **state)
{
	struct address_use rows[8];
	int i;

	for (i = 0; i < 4; i++) {
		use(*state, &a, "guest", "fe80::1", 1000 + 60 * i);
		use(*state, &b, "staff", "fe80::1", 1000 + 60 * i);
	}
	assert_int_equal(list(*state, "fe80::1", 0, rows, 8), 2);
	assert_int_equal(rows[0].to_at, 1180);
	assert_int_equal(rows[1].to_at, 1180);
}

static void test_of_one_device_by_pages(void **state)
{
	struct address_filter filter = {.mac = &a, .until = INT64_MAX};
	struct address_use rows[4];
	char ip[16];
	int i;

	for (i = 0; i < 6; i++) {
		snprintf(ip, sizeof(ip), "10.77.0.%d", i);
		use(*state, i % 2 ? &b : &a, "guest", ip, 1000 + i);
	}
	assert_int_equal(store_address_list(*state, &filter, UNLIMITED, rows, 2), 2);
	assert_int_equal(rows[0].from_at, 1004);
	assert_int_equal(store_address_list(*state, &filter, rows[1].id, rows, 2), 1);
	assert_int_equal(rows[0].from_at, 1000);
	filter.mac = NULL;
	assert_int_equal(store_address_list(*state, &filter, UNLIMITED, rows, 4), 4);
}

static int64_t count(struct store *store, const char *sql)
{
	int64_t number;

	assert_int_equal(db_one(store->db, db_read_int, &number, sql, ""), 0);
	return number;
}

static void pay(struct store *store, const char *phone, int64_t at)
{
	struct payment p = {.paid_at = at, .method = "phone", .amount_minor = 1,
		.currency = "TZS", .who = "x"};

	snprintf(p.phone, sizeof(p.phone), "%s", phone);
	assert_int_equal(store_payment_insert(store, &p), 0);
}

static void test_what_is_old_goes(void **state)
{
	struct security_event event = {.at = 1, .last_at = 1000,
		.type = "x", .description = "x",
		.evidence = "{\"address\":\"10.77.0.5\",\"otherMac\":\"m\"}"};
	int64_t before[RETENTION_COUNT] = {0};
	struct member gone = {.identity = "R-1", .devices = 5,
		.check_out = 1999, .created_by = "x"};
	struct member stays = {.identity = "R-2", .devices = 5,
		.created_by = "x"};
	struct qr_session login = {.mac = a, .identity = "x",
		.network = "guest", .expires_at = 1900};

	use(*state, &a, "guest", "10.77.0.5", 1000);
	use(*state, &a, "guest", "10.77.0.6", 2000);
	assert_int_equal(store_security_event_insert(*state, &event), 0);
	pay(*state, "255700000001", 1000);
	pay(*state, "255700000001", 3000);
	pay(*state, "255700000002", 1000);
	assert_int_equal(store_clean_up(*state, before), 0);
	before[RETENTION_ADDRESS_LOG] = 2000;
	assert_int_equal(store_clean_up(*state, before), 1);
	before[RETENTION_ADDRESSES] = 2000;
	assert_int_equal(store_clean_up(*state, before), 1);
	assert_int_equal(store_clean_up(*state, before), 0);
	assert_int_equal(count(*state, "SELECT count(*) FROM security_events"
				       " WHERE evidence = '{\"otherMac\":\"m\"}'"), 1);
	/* Who pays again is not forgotten in between. */
	before[RETENTION_CONTACTS] = 2000;
	assert_int_equal(store_clean_up(*state, before), 1);
	assert_int_equal(store_clean_up(*state, before), 0);
	assert_int_equal(count(*state, "SELECT count(*) FROM payments"
				       " WHERE phone = '***02'"), 1);
	before[RETENTION_SALES] = 2000;
	assert_int_equal(store_clean_up(*state, before), 2);
	/* Members some days after their check-out, with their logins; who has
	 * none stays. A login by itself when it is over. */
	assert_int_equal(store_member_insert(*state, &gone), 0);
	assert_int_equal(store_member_insert(*state, &stays), 0);
	login.member_id = gone.id;
	assert_int_equal(store_qr_session_insert(*state, &login), 0);
	login.member_id = stays.id;
	memset(login.hash, 1, sizeof(login.hash));
	assert_int_equal(store_qr_session_insert(*state, &login), 0);
	assert_int_equal(store_clean_up(*state, before), 0);
	before[RETENTION_MEMBERS] = 2000;
	assert_int_equal(store_clean_up(*state, before), 1);
	assert_int_equal(count(*state, "SELECT count(*) FROM members"), 1);
	assert_int_equal(count(*state, "SELECT count(*) FROM qr_sessions"), 1);
	before[RETENTION_LOGINS] = 1901;
	assert_int_equal(store_clean_up(*state, before), 1);
}

/* Coins and who gave them go as sales do, but not money that is left. */
static void test_old_coins_go(void **state)
{
	struct store *store = *state;
	int64_t before[RETENTION_COUNT] = {[RETENTION_SALES] = 2000};

	assert_int_equal(db_run(store->db,
		"INSERT INTO coin_locks (id, key, slot, mac, state, from_ns,"
		" until_ns, credited_minor, spent_minor, currency, created_at,"
		" updated_at) VALUES (1, 'a', 's', '02:00:00:00:00:01', 'done',"
		" 0, 0, 5, 5, 'TZS', 1000, 1000), (2, 'b', 's',"
		" '02:00:00:00:00:02', 'done', 0, 0, 5, 4, 'TZS', 1000, 1000),"
		" (3, 'c', 's', '02:00:00:00:00:03', 'done', 0, 0, 0, 0, 'TZS',"
		" 3000, 3000)", ""), 0);
	assert_int_equal(db_run(store->db,
		"INSERT INTO coin_pulses (slot, at, at_ns, amount_minor, currency,"
		" lock_id) VALUES ('s', 1000, 0, 5, 'TZS', 1),"
		" ('s', 1000, 0, 5, 'TZS', 2)", ""), 0);
	assert_int_equal(store_clean_up(store, before), 2);
	assert_int_equal(store_clean_up(store, before), 0);
	assert_int_equal(count(store, "SELECT sum(id) FROM coin_locks"), 2 + 3);
	assert_int_equal(count(store, "SELECT sum(lock_id) FROM coin_pulses"), 2);
}

static void test_jobs(void **state)
{
	const struct job_run run = {.last_run_at = 5, .took_ns = 6, .result = -5};
	struct job_run found;

	assert_int_equal(store_job_lookup(*state, "x", &found), -ENOENT);
	assert_int_equal(store_job_put(*state, "x", &(struct job_run){1, 2, 0}), 0);
	assert_int_equal(store_job_put(*state, "x", &run), 0);
	assert_int_equal(store_job_lookup(*state, "x", &found), 0);
	assert_int_equal(found.last_run_at, 5);
	assert_int_equal(found.took_ns, 6);
	assert_int_equal(found.result, -5);
}

/* A session with a credit that has used `bytes` up and twice as many down. */
static int64_t sell(struct store *store, int number, const char *plan,
	int64_t at, int64_t bytes, bool is_over)
{
	struct session session = {.mac = {{2, 0, 0, 0, 1, (uint8_t)number}},
		.state = SESSION_RUNNING,
		.started_at = at};
	struct credit credit = {.position = 1, .kind = KIND_VOUCHER,
		.state = CREDIT_IN_USE, .bytes = UNLIMITED, .left_ns = 1,
		.deadline_ns = UNLIMITED, .moves_left = 0,
		.token_days = UNLIMITED};
	struct record record = {.mac = session.mac};

	assert_int_equal(store_session_insert(store, &session), 0);
	credit.session_id = session.id;
	snprintf(credit.plan_name, sizeof(credit.plan_name), "%s", plan);
	assert_int_equal(store_credit_insert(store, &credit), 0);
	record.session_id = session.id;
	record.credit_id = credit.id;
	assert_int_equal(store_record_insert(store, &record), 0);
	assert_int_equal(
		store_record_fold(store, record.id, bytes, 2 * bytes), 0);
	if (is_over) {
		session.state = SESSION_ENDED;
		session.ended_at = at + 60;
		assert_int_equal(store_session_update(store, &session), 0);
	}
	return session.id;
}

static void count_all(struct store *store, int64_t now)
{
	struct mac place = {{0}};
	bool more = true;

	while (more)
		assert_int_equal(store_statistics_live(
					 store, now, "TZS", &place, 2, &more), 0);
	assert_int_equal(store_statistics_ended(store, now, "TZS", 0, INT64_MAX), 0);
	assert_int_equal(store_statistics_sessions(store, "TZS", 0), 0);
	assert_int_equal(store_statistics_revenue(store, 0), 0);
}

#define HOUR_OF(n) (1000 * 3600 + (n) * 3600)

static void test_sums_are_added_once(void **state)
{
	struct payment p = {.paid_at = HOUR_OF(0) + 5, .method = "cash",
		.amount_minor = 700, .currency = "TZS", .who = "x"};
	struct statistic rows[4];
	int i;

	use(*state, &(struct mac){{2, 0, 0, 0, 1, 1}}, "guest", "10.77.0.5",
		HOUR_OF(0) + 20);
	for (i = 1; i <= 5; i++)
		sell(*state, i, i < 3 ? "Day" : "Hour", HOUR_OF(0) + i, 100 * i,
			i == 5);
	assert_int_equal(store_payment_insert(*state, &p), 0);
	count_all(*state, HOUR_OF(1));
	count_all(*state, HOUR_OF(1));
	assert_int_equal(store_statistics_list(*state, STATISTICS_BY_PLAN, 0,
				 INT64_MAX, 0, rows, 4), 3);
	assert_string_equal(rows[0].of, "");
	assert_int_equal(rows[0].revenue_minor, 700);
	assert_string_equal(rows[1].of, "Day");
	assert_int_equal(rows[1].sessions, 2);
	assert_int_equal(rows[1].bytes_up, 300);
	assert_int_equal(rows[2].bytes_down, 2 * 1200);
	assert_int_equal(rows[2].sessions, 3);
	assert_int_equal(store_statistics_list(*state, STATISTICS_BY_NETWORK, 0,
				 INT64_MAX, 0, rows, 4), 2);
	assert_string_equal(rows[1].of, "guest");
	assert_int_equal(rows[1].bytes_up, 100);
	/* More bytes, in another hour; and what is given back is no revenue. */
	assert_int_equal(store_record_fold(*state, 1, 150, 200), 0);
	assert_int_equal(store_payment_refund(*state, p.id, HOUR_OF(2), "x"), 0);
	count_all(*state, HOUR_OF(2));
	assert_int_equal(store_statistics_list(*state, STATISTICS_BY_HOUR, 0,
				 INT64_MAX, 0, rows, 4), 3);
	assert_int_equal(rows[0].bytes_up, 50);
	assert_int_equal(rows[1].bytes_up, 1500);
	assert_int_equal(rows[2].sessions, 5);
	assert_int_equal(rows[2].revenue_minor, 0);
}

static void test_the_gateway(void **state)
{
	struct gateway gateway = {.name = "box", .is_online = true, .last_seen = 5};

	assert_int_equal(store_gateway_put(*state, &gateway), 0);
	gateway.mac = a;
	assert_int_equal(store_gateway_put(*state, &gateway), 0);
	assert_int_equal(count(*state, "SELECT count(*) FROM gateways"
				       " WHERE mac_address = '02:00:00:00:00:01'"), 1);
}

static void test_events_are_added_up_by_type(void **state)
{
	struct security_event event = {.at = 1000, .last_at = 1500, .count = 3,
		.type = "two_networks", .description = "x", .evidence = "{}"};
	int64_t sum;

	assert_int_equal(store_security_event_insert(*state, &event), 0);
	event.count = 4;
	assert_int_equal(store_security_event_insert(*state, &event), 0);
	snprintf(event.type, sizeof(event.type), "spoofed");
	assert_int_equal(store_security_event_insert(*state, &event), 0);
	assert_int_equal(store_security_event_sum(*state, "two_networks", 1500,
				 &sum), 0);
	assert_int_equal(sum, 7);
	assert_int_equal(store_security_event_sum(*state, "two_networks", 1501,
				 &sum), 0);
	assert_int_equal(sum, 0);
}

struct seen {
	char names[512];
	int rows;
	int64_t ids; /* their sum */
	const char *mac; /* what all rows must say */
};

static void see_names(void *data, const struct export_cell *cells, int count)
{
	struct seen *seen = data;
	size_t len = 0;
	int i;

	for (i = 0; i < count; i++)
		len += (size_t)snprintf(seen->names + len,
			sizeof(seen->names) - len, "%s%s", i ? " " : "",
			cells[i].name);
}

static int see_row(void *data, const struct export_cell *cells, int count)
{
	struct seen *seen = data;
	int i;

	seen->rows++;
	seen->ids += strtoll(cells[0].text, NULL, 10);
	for (i = 0; seen->mac && i < count; i++)
		if (!strcmp(cells[i].name, "mac"))
			assert_string_equal(cells[i].text, seen->mac);
	return seen->rows % 7 == 0; /* that page is full */
}

static int see_all(struct store *store, const char *schema, const char *name,
	const struct export_filter *filter, struct seen *seen)
{
	const struct export_table *table = store_export_lookup(schema, name);
	bool more = true;
	int64_t at = 0;
	int calls = 0;

	assert_non_null(table);
	for (; more; calls++)
		assert_int_equal(store_export(store, table, filter, &at, &more,
					 see_row, seen), 0);
	return calls;
}

/* Columns as requirement N6 has them, each table also with the two times. */
static void test_the_columns_of_netflow(void **state)
{
	static const char *const tables[][2] = {
		{"users", "id email password name role"},
		{"routers", "id name ip_address mac_address location status"
			" last_seen signal_strength active_users"},
		{"packages", "id name duration price description is_active"},
		{"sessions", "id user_id device_mac device_name ip_address"
			" router_id package_id status start_time end_time"
			" expires_at bytes_up bytes_down"},
		{"payments", "id session_id package_id amount currency"
			" payment_method payment_reference phone_number status"
			" paid_at"},
		{"system_settings", "id key value type"},
	};
	char want[512];
	struct seen seen;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		assert_int_equal(store_export_columns(*state,
			store_export_lookup("netflow", tables[i][0]), see_names,
			&seen), 0);
		snprintf(want, sizeof(want), "%s created_at updated_at",
			tables[i][1]);
		assert_string_equal(seen.names, want);
	}
	assert_string_equal(store_export_names("netflow"),
		"users routers packages sessions payments system_settings");
}

/* Each row once, whatever a page holds, over holes and many windows of ids. */
static void test_export_gives_each_row_once(void **state)
{
	struct export_filter filter = {.until = INT64_MAX};
	struct seen seen = {.rows = 0};
	int64_t ids = 0, id;
	int i;

	for (i = 0; i < 100; i++)
		ids += sell(*state, i, "Day", 5000 + i, 10, true);
	assert_int_equal(db_run(((struct store *)*state)->db,
		"INSERT INTO sessions (id, mac, state, started_at, ended_at)"
		" VALUES (50000, '02:00:00:00:09:09', 'ended', 9000, 9001)", ""), 0);
	id = 50000;
	assert_true(see_all(*state, "", "sessions", &filter, &seen) >= 15);
	assert_int_equal(seen.rows, 101);
	assert_int_equal(seen.ids, ids + id);
	seen = (struct seen){.rows = 0};
	filter.from = 5050;
	filter.until = 5060;
	see_all(*state, "", "sessions", &filter, &seen);
	assert_int_equal(seen.rows, 10);
	seen = (struct seen){.rows = 0};
	see_all(*state, "netflow", "sessions", &filter, &seen);
	assert_int_equal(seen.rows, 10);
	/* More than are looked at in one call, most of them of another time. */
	assert_int_equal(db_run(((struct store *)*state)->db,
		"INSERT INTO sessions (mac, state, started_at, ended_at)"
		" WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1"
		" FROM c WHERE i < 8998) SELECT '02:00:00:00:09:09', 'ended',"
		" i, i + 1 FROM c", ""), 0);
	seen = (struct seen){.rows = 0};
	assert_true(see_all(*state, "", "sessions", &filter, &seen) >= 3);
	assert_int_equal(seen.rows, 20);
}

static void test_export_of_a_person(void **state)
{
	struct mac mac = {{2, 0, 0, 0, 1, 5}};
	struct export_filter filter = {.until = INT64_MAX, .mac = &mac};
	struct seen seen = {.mac = "02:00:00:00:01:05"};
	const struct export_table *table;
	struct payment p = {.paid_at = 5000, .method = "phone", .amount_minor = 1,
		.currency = "TZS", .who = "x", .phone = "255700000001"};
	size_t i;
	int64_t id = 0;

	for (i = 1; i < 20; i++)
		id = sell(*state, (int)i, "Day", 5000, 10, true);
	use(*state, &mac, "guest", "10.77.0.5", 5000);
	use(*state, &a, "guest", "10.77.0.6", 5000);
	store_audit(*state, 5000, "root", "kick", &mac, 0, "");
	store_audit(*state, 5000, "root", "kick", &a, 0, "");
	for (i = 0; (table = store_export_personal(i)); i++)
		see_all(*state, "", store_export_name(table), &filter, &seen);
	/* A session with its credit, an address, a line of the audit. */
	assert_int_equal(seen.rows, 4);
	p.session_id = id;
	assert_int_equal(store_payment_insert(*state, &p), 0);
	filter = (struct export_filter){
		.until = INT64_MAX, .phone = "255700000001"};
	seen = (struct seen){.mac = "02:00:00:00:01:13"};
	for (i = 0; (table = store_export_personal(i)); i++)
		see_all(*state, "", store_export_name(table), &filter, &seen);
	assert_int_equal(seen.rows, 3);
}

/* In how many rows of all tables it stands, in whatever column. */
static int64_t standing(struct store *store, const char *text)
{
	/* A statement is known by where its text is. */
	static char texts[8][1 << 16];
	static int next;
	char *sql = texts[next++];
	const size_t size = sizeof(texts[0]);
	struct db_rows *tables, *columns;
	char table[64], column[64];
	size_t len = (size_t)snprintf(sql, size, "SELECT 0");

	assert_true(next <= 8);
	assert_int_equal(db_query(store->db, &tables,
		"SELECT name FROM sqlite_master WHERE type = 'table'"
		" AND name NOT LIKE 'sqlite_%'", ""), 0);
	while (db_next(tables) == 1) {
		db_text(tables, 0, table, sizeof(table));
		assert_int_equal(db_query(store->db, &columns,
			"SELECT name FROM pragma_table_info(?)", "t", table), 0);
		while (db_next(columns) == 1) {
			db_text(columns, 0, column, sizeof(column));
			len += (size_t)snprintf(sql + len, size - len,
				" + (SELECT count(*) FROM %s WHERE"
				" \"%s\" LIKE '%%%s%%')", table, column, text);
		}
	}
	assert_true(len < size);
	return count(store, sql);
}

static void test_nothing_is_left_of_who_is_forgotten(void **state)
{
	struct forget_place place = {0};
	static const char *const uses[] = {"10.77.0.5", "fd77::5"};
	struct mac mac = {{2, 0, 0, 0, 1, 9}};
	struct device device = {.mac = mac, .name = "Anna", .note = "Room 4",
		.first_seen = 1, .last_seen = 2};
	struct security_event event = {.at = 1, .last_at = 1000, .type = "x",
		.mac = mac, .description = "x",
		.evidence = "{\"address\":\"10.77.0.5\"}"};
	struct payment p = {.paid_at = 5000, .method = "phone", .amount_minor = 1,
		.currency = "TZS", .who = "x", .phone = "255700000009"};
	struct token token = {.expires_at = 9};
	struct member member = {.identity = "R-77", .email = "anna@example.org",
		.devices = 5, .created_by = "x"};
	struct qr_session login = {.mac = mac, .identity = "r-77",
		.network = "guest", .expires_at = 9};
	struct mac macs[4];
	int64_t rows;
	int ret;
	size_t i;

	p.session_id = token.session_id =
		sell(*state, 9, "Day", 5000, 10, true);
	assert_int_equal(db_run(((struct store *)*state)->db,
		"DELETE FROM records", ""), 0);
	assert_int_equal(store_token_insert(*state, &token), 0);
	assert_int_equal(store_payment_insert(*state, &p), 0);
	assert_int_equal(store_device_put(*state, &device), 0);
	for (i = 0; i < ARRAY_SIZE(uses); i++)
		use(*state, &mac, "guest", uses[i], 5000);
	assert_int_equal(store_security_event_insert(*state, &event), 0);
	event.mac = a;
	snprintf(event.evidence, sizeof(event.evidence),
		"{\"otherMac\":\"02:00:00:00:01:09\"}");
	assert_int_equal(store_security_event_insert(*state, &event), 0);
	store_audit(*state, 1, "root", "kick", &mac, p.session_id, "");
	store_audit(*state, 1, "02:00:00:00:01:09", "activate", &mac, 0, "");
	store_audit(*state, 1, "root", "move", &a, 0, "from 02:00:00:00:01:09");
	assert_true(standing(*state, "02:00:00:00:01:09") >= 7);
	assert_int_equal(store_devices_of_phone(*state, p.phone, macs, 4), 1);
	assert_memory_equal(&macs[0], &mac, sizeof(mac));
	while ((ret = store_forget_device(*state, &mac, &place)) == 1)
		;
	assert_int_equal(ret, 0);
	rows = place.rows;
	assert_true(rows >= 10);
	assert_int_equal(standing(*state, "02:00:00:00:01:09"), 0);
	assert_int_equal(standing(*state, "10.77.0.5"), 0);
	assert_int_equal(standing(*state, "Anna"), 0);
	assert_int_equal(standing(*state, "255700000009"), 0);
	/* What was sold and used is still known. */
	assert_int_equal(count(*state, "SELECT sum(amount_minor) FROM payments"), 1);
	assert_int_equal(count(*state, "SELECT sum(bytes_up) FROM credits"), 10);
	/* A member, by whatever name, and the logins; not another's. */
	assert_int_equal(store_member_insert(*state, &member), 0);
	login.member_id = member.id;
	assert_int_equal(store_qr_session_insert(*state, &login), 0);
	memset(login.hash, 1, sizeof(login.hash));
	login.member_id = 0;
	memcpy(login.identity, "ANNA@example.org", 17);
	assert_int_equal(store_qr_session_insert(*state, &login), 0);
	memset(login.hash, 2, sizeof(login.hash));
	memcpy(login.identity, "bert@example.org", 17);
	assert_int_equal(store_qr_session_insert(*state, &login), 0);
	assert_int_equal(store_devices_of_person(*state, "anna@Example.org", macs, 4), 1);
	assert_int_equal(store_forget_person(*state, "Anna@example.org", &rows), 0);
	assert_int_equal(rows, 2);
	assert_int_equal(standing(*state, "R-77"), 0);
	assert_int_equal(standing(*state, "anna@"), 0);
	assert_int_equal(count(*state, "SELECT count(*) FROM qr_sessions"), 1);
	p.session_id = 0;
	p.phone[11] = '8';
	assert_int_equal(store_payment_insert(*state, &p), 0);
	assert_int_equal(store_forget_phone(*state, p.phone, &rows), 0);
	assert_int_equal(rows, 1);
	assert_int_equal(standing(*state, p.phone), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lib_store_set_up, lib_store_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_use_grows),
		TEST(test_an_address_changes_hands),
		TEST(test_link_local_addresses),
		TEST(test_of_one_device_by_pages),
		TEST(test_what_is_old_goes),
		TEST(test_old_coins_go),
		TEST(test_jobs),
		TEST(test_sums_are_added_once),
		TEST(test_the_gateway),
		TEST(test_events_are_added_up_by_type),
		TEST(test_the_columns_of_netflow),
		TEST(test_export_gives_each_row_once),
		TEST(test_export_of_a_person),
		TEST(test_nothing_is_left_of_who_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
