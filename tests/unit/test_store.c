/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's promises that no rule can see: nothing is written outside a
 * transaction, whatever undid it; counters are counted once; what is cleaned
 * up; and the clock of another boot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/keeping.h"
#include "store/payments.h"

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

static int set_up(void **state)
{
	struct store *store;

	assert_int_equal(crypto_init(), 0);
	assert_int_equal(store_open(":memory:", &store), 0);
	*state = store;
	return 0;
}

static int tear_down(void **state)
{
	store_close(*state);
	return 0;
}

static int64_t count(struct store *store, const char *sql)
{
	int64_t number;

	assert_int_equal(db_one(store->db, db_read_int, &number, sql, ""), 0);
	return number;
}

static void test_nothing_is_written_outside_a_transaction(void **state)
{
	struct store *store = *state;
	char value[8];

	assert_false(store_is_begun(store));
	assert_int_equal(store_setting_put(store, "a", "1"), -ECANCELED);
	assert_int_equal(store_savepoint(store), -ECANCELED);
	assert_int_equal(store_commit(store), -ECANCELED);
	store_rollback(store);
	assert_int_equal(store_setting_get(store, "a", value, 8), -ENOENT);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_setting_put(store, "a", "1"), 0);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_setting_get(store, "a", value, 8), 0);
}

/* A full disk takes back the whole turn: what came before the statement that
 * failed, and what is tried after it. */
static void test_an_undone_transaction_stays_undone(void **state)
{
	struct store *store = *state;
	char big[8000], value[8];
	int ret = 0, i;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_setting_put(store, "first", "1"), 0);
	db_script(store->db, "PRAGMA max_page_count = 1");
	for (i = 0; !ret && i < 100; i++)
		ret = store_audit(store, i, big, "x", NULL, 0, big);
	assert_int_equal(ret, -ENOSPC);
	/* SQLite may keep the transaction; a failing disk would not. */
	db_script(store->db, "ROLLBACK");
	db_script(store->db, "PRAGMA max_page_count = 100000");
	assert_false(store_is_begun(store));
	assert_int_equal(store_savepoint(store), -ECANCELED);
	assert_int_equal(store_setting_put(store, "after", "1"), -ECANCELED);
	assert_int_equal(store_commit(store), -ECANCELED);
	assert_int_equal(store_setting_get(store, "first", value, 8), -ENOENT);
	assert_int_equal(store_setting_get(store, "after", value, 8), -ENOENT);
	/* The next turn is an ordinary one. */
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_setting_put(store, "after", "1"), 0);
	assert_int_equal(store_commit(store), 0);
}

static void test_a_savepoint_isolates_one_operation(void **state)
{
	struct store *store = *state;
	char value[8];

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_savepoint(store), 0);
	assert_int_equal(store_setting_put(store, "kept", "1"), 0);
	assert_int_equal(store_release(store), 0);
	assert_int_equal(store_savepoint(store), 0);
	assert_int_equal(store_setting_put(store, "undone", "1"), 0);
	assert_int_equal(store_rollback_to(store), 0);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_setting_get(store, "kept", value, 8), 0);
	assert_int_equal(store_setting_get(store, "undone", value, 8), -ENOENT);
}

/* A running session with one credit, and its record. */
static void make_session(struct store *store, struct session *session,
	struct credit *credit, struct record *record)
{
	*session = (struct session){
		.mac = mac, .state = SESSION_RUNNING, .started_at = 1000};
	assert_int_equal(store_session_insert(store, session), 0);
	*credit = (struct credit){
		.session_id = session->id,
		.position = 1,
		.kind = KIND_MANUAL,
		.state = CREDIT_IN_USE,
		.left_ns = 60 * NSEC_PER_SEC,
		.deadline_ns = 100 * NSEC_PER_SEC,
		.bytes = UNLIMITED,
		.moves_left = UNLIMITED,
		.token_days = UNLIMITED,
	};
	assert_int_equal(store_credit_insert(store, credit), 0);
	*record = (struct record){.mac = mac,
		.session_id = session->id,
		.credit_id = credit->id};
	assert_int_equal(store_record_insert(store, record), 0);
}

static void test_counters_are_counted_once(void **state)
{
	struct store *store = *state;
	struct session session;
	struct credit credit;
	struct record record;

	assert_int_equal(store_begin(store), 0);
	make_session(store, &session, &credit, &record);
	assert_int_equal(store_record_fold(store, record.id, 100, 10), 0);
	assert_int_equal(store_record_fold(store, record.id, 100, 10), 0);
	assert_int_equal(store_record_fold(store, record.id, 150, 10), 0);
	assert_int_equal(store_credit_list(store, session.id, &credit, 1), 1);
	assert_int_equal(credit.bytes_up, 150);
	assert_int_equal(credit.bytes_down, 10);
	store_rollback(store);
}

static void test_deadlines_follow_the_boot(void **state)
{
	struct store *store = *state;
	struct session session;
	struct credit credit;
	struct record record;
	bool rebooted;

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_boot_enter(store, "one", 0, &rebooted), 0);
	assert_false(rebooted);
	make_session(store, &session, &credit, &record);
	assert_int_equal(store_boot_touch(store, 70 * NSEC_PER_SEC), 0);
	assert_int_equal(store_boot_enter(store, "one", 0, &rebooted), 0);
	assert_false(rebooted);
	/* 30 s were left, and are left on a clock that began anew. */
	assert_int_equal(
		store_boot_enter(store, "two", 5 * NSEC_PER_SEC, &rebooted), 0);
	assert_true(rebooted);
	assert_int_equal(store_credit_list(store, session.id, &credit, 1), 1);
	assert_int_equal(credit.deadline_ns, 35 * NSEC_PER_SEC);
	assert_int_equal(store_record_of(store, &mac, &record), -ENOENT);
	store_rollback(store);
}

/* Whatever a damaged or edited table says, it gives nothing away. */
static void test_an_unknown_voucher_state_is_no_good(void **state)
{
	struct store *store = *state;
	const struct plan plan = {
		.name = "Hour",
		.currency = "TZS",
		.seconds = 3600,
		.bytes = UNLIMITED,
		.token_days = UNLIMITED,
	};
	struct voucher voucher = {
		.batch = "b", .expires_at = UNLIMITED, .created_by = "root"};

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_plan_insert(store, &plan, &voucher.plan_id), 0);
	assert_int_equal(store_voucher_insert(store, &voucher), 0);
	assert_int_equal(
		store_voucher_by_hmac(store, voucher.hmac, &voucher), 0);
	assert_int_equal(voucher.state, VOUCHER_UNUSED);
	assert_int_equal(db_script(store->db,
				 "PRAGMA ignore_check_constraints = ON;"
				 "UPDATE vouchers SET state = 'new'"),
		0);
	assert_int_equal(
		store_voucher_by_hmac(store, voucher.hmac, &voucher), 0);
	assert_int_equal(voucher.state, VOUCHER_REVOKED);
	store_rollback(store);
}

static int64_t live(struct store *store)
{
	int64_t n = -1;

	assert_int_equal(store_session_count(store, &n), 0);
	return n;
}

static void test_live_sessions_are_counted(void **state)
{
	struct store *store = *state;
	struct session session;
	struct credit credit;
	struct record record;

	assert_int_equal(store_begin(store), 0);
	make_session(store, &session, &credit, &record);
	assert_int_equal(live(store), 1);
	session.state = SESSION_HELD;
	assert_int_equal(store_session_update(store, &session), 0);
	assert_int_equal(live(store), 1);
	session.state = SESSION_ENDED;
	session.ended_at = 2000;
	assert_int_equal(store_session_update(store, &session), 0);
	assert_int_equal(store_session_update(store, &session), 0);
	assert_int_equal(live(store), 0);
	store_rollback(store);
	assert_int_equal(live(store), 0);
}

static void test_clean_up(void **state)
{
	struct store *store = *state;
	const int64_t before[RETENTION_COUNT] = {
		[RETENTION_SALES] = 3000,
		[RETENTION_TOKENS] = 3000,
		[RETENTION_AUDIT] = 3000,
	};
	struct token token = {.expires_at = 2999};
	struct session session;
	struct credit credit;
	struct record record;

	assert_int_equal(store_begin(store), 0);
	make_session(store, &session, &credit, &record);
	token.session_id = session.id;
	assert_int_equal(store_token_insert(store, &token), 0);
	token.hash[0] = 1;
	token.expires_at = 3000;
	assert_int_equal(store_token_insert(store, &token), 0);
	store_audit(store, 2999, "root", "x", NULL, 0, NULL);
	store_audit(store, 3000, "root", "x", NULL, 0, NULL);
	assert_int_equal(store_clean_up(store, before), 2);
	assert_int_equal(store_clean_up(store, before), 0);
	/* A session goes when it is over, and no record counts for it. */
	session.state = SESSION_ENDED;
	session.ended_at = 2000;
	assert_int_equal(store_session_update(store, &session), 0);
	assert_int_equal(store_clean_up(store, before), 0);
	assert_int_equal(store_record_delete(store, record.id), 0);
	assert_int_equal(store_clean_up(store, before), 1);
	assert_int_equal(count(store, "SELECT count(*) FROM credits"), 0);
	assert_int_equal(count(store, "SELECT count(*) FROM tokens"), 0);
	store_rollback(store);
}

static void test_a_payment_counts_and_is_given_back_once(void **state)
{
	const struct payment_filter any = {.until = UNLIMITED};
	struct payment payment = {.paid_at = 1000, .method = "coin",
		.reference = "main 17", .amount_minor = 500, .currency = "PHP",
		.who = "main"};
	struct store *store = *state;
	struct payment rows[2];

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_payment_insert(store, &payment), 0);
	assert_int_equal(store_payment_insert(store, &payment), -EEXIST);
	assert_int_equal(
		store_payment_list(store, &any, UNLIMITED, rows, 2), 1);
	assert_string_equal(rows[0].reference, "main 17");
	assert_int_equal(rows[0].amount_minor, 500);
	assert_int_equal(rows[0].status, PAYMENT_PAID);
	assert_int_equal(
		store_payment_refund(store, payment.id, 2000, "uid 0"), 0);
	assert_int_equal(
		store_payment_refund(store, payment.id, 2000, "uid 0"), -ENOENT);
	assert_int_equal(
		store_payment_lookup(store, payment.id, &rows[0]), 0);
	assert_int_equal(rows[0].status, PAYMENT_REFUNDED);
	assert_int_equal(rows[0].refunded_at, 2000);
	assert_int_equal(store_commit(store), 0);
}

/* Sold in the evening by one, given back the next morning by another. */
static void test_each_drawer_has_its_own_day(void **state)
{
	const struct payment_filter any = {.until = UNLIMITED};
	struct payment payment = {.paid_at = 10 * 86400, .method = "cash",
		.amount_minor = 500, .currency = "TZS", .who = "ann"};
	struct store *store = *state;
	struct payment_sum rows[4];

	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_payment_insert(store, &payment), 0);
	assert_int_equal(store_payment_insert(store, &payment), 0);
	assert_int_equal(store_payment_refund(
				 store, payment.id, 11 * 86400, "bob"),
		0);
	assert_int_equal(store_payment_sums(store, &any, 0, rows, 4), 2);
	assert_string_equal(rows[0].day, "1970-01-12");
	assert_string_equal(rows[0].who, "bob");
	assert_int_equal(rows[0].taken, 0);
	assert_int_equal(rows[0].refunded_minor, 500);
	assert_string_equal(rows[1].day, "1970-01-11");
	assert_int_equal(rows[1].taken, 2);
	assert_int_equal(rows[1].taken_minor, 1000);
	assert_int_equal(rows[1].refunded, 0);
	assert_int_equal(store_payment_sums(store, &any, 1, rows, 4), 1);
	assert_int_equal(store_payment_sums(store,
				 &(struct payment_filter){.who = "ann",
					 .until = UNLIMITED},
				 0, rows, 4),
		1);
	store_rollback(store);
}

static void test_days(void **state)
{
	int64_t begin, end;

	/* Spring: the day has 23 hours. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(day_parse("2026-03-29", &begin, &end), 0);
	assert_int_equal(end - begin, 23 * 3600);
	assert_int_equal(day_parse("2026-12-31", &begin, &end), 0);
	assert_int_equal(end - begin, 24 * 3600);
	assert_int_equal(day_parse("2026-02-31", &begin, &end), -EINVAL);
	assert_int_equal(day_parse("2026-02-01x", &begin, &end), -EINVAL);
	assert_int_equal(day_parse("today", &begin, &end), -EINVAL);
	setenv("TZ", "UTC", 1);
	tzset();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_written_outside_a_transaction),
		TEST(test_an_undone_transaction_stays_undone),
		TEST(test_a_savepoint_isolates_one_operation),
		TEST(test_counters_are_counted_once),
		TEST(test_deadlines_follow_the_boot),
		TEST(test_an_unknown_voucher_state_is_no_good),
		TEST(test_live_sessions_are_counted),
		TEST(test_a_payment_counts_and_is_given_back_once),
		TEST(test_each_drawer_has_its_own_day),
		TEST(test_days),
		TEST(test_clean_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
