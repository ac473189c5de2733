/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests have when the store is older than the kernel: the record's word
 * counts, for time, bytes and whether it runs; nothing is counted twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "rules/pause.h"
#include "rules/recover.h"

#include "lib/fixture.h"

#define MINUTE (60 * NSEC_PER_SEC)

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
static const struct moment now = {1000 * MINUTE, 1800000000};

static int set_up(void **state)
{
	struct rules *rules = xcalloc(1, sizeof(*rules));

	lib_rules_open(rules);
	*state = rules;
	return 0;
}

static int tear_down(void **state)
{
	struct rules *rules = *state;

	lib_rules_close(rules);
	free(rules);
	return 0;
}

/* Half an hour and 1000 bytes, of which a record of its own counted 100. */
static void make_session(struct rules *rules, struct account *account,
	struct record *record)
{
	const struct allowance allowance = {.seconds = 1800, .bytes = 1000};
	enum outcome outcome;

	assert_int_equal(session_allow(
		rules, &mac, &allowance, &now, account, &outcome), 0);
	*record = (struct record){.mac = mac, .session_id = account->session.id,
		.credit_id = account_in_use(account)->id};
	assert_int_equal(store_record_insert(rules->store, record), 0);
	assert_int_equal(store_record_fold(rules->store, record->id, 100, 0), 0);
}

static struct recover_client record_of(int64_t id)
{
	return (struct recover_client){.mac = mac, .state = SESSION_RUNNING,
		.deadline_ns = now.mono_ns + 10 * MINUTE, .bytes_left = 300,
		.record_id = id, .raw_up = 500, .raw_down = 200};
}

static void assert_left(struct rules *rules, int64_t ns, int64_t bytes)
{
	const struct credit *credit;
	struct account account;

	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	credit = account_in_use(&account);
	assert_int_equal(credit_time_left(credit, now.mono_ns), ns);
	assert_int_equal(credit_bytes_left(credit), bytes);
}

static void test_the_same_record(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct account account;
	struct record record;

	make_session(rules, &account, &record);
	client = record_of(record.id);
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 10 * MINUTE, 300);
	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	/* What it counted since is known as well. */
	assert_int_equal(account.credits[0].bytes_up, 500);
	assert_int_equal(account.credits[0].bytes_down, 200);
	/* Twice is once. */
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 10 * MINUTE, 300);
}

static void test_another_record(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct account account;
	struct record record;

	make_session(rules, &account, &record);
	client = record_of(record.id + 70);
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 10 * MINUTE, 300);
	assert_int_equal(store_record_of(rules->store, &mac, &record), 0);
	assert_int_equal(record.id, client.record_id);
	assert_int_equal(record.raw_up, 500);
	/* Its counters go on from where they are. */
	assert_int_equal(store_record_fold(rules->store, record.id, 550, 200), 0);
	assert_left(rules, 10 * MINUTE, 250);
}

static void test_nobody_knows_the_session(void **state)
{
	struct rules *rules = *state;
	struct recover_client client = record_of(5);
	struct account account;

	client.rates.down = 512;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 10 * MINUTE, 300);
	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	assert_int_equal(account_in_use(&account)->rates.down, 512);
	assert_int_equal(store_numbers_above(rules->store, 900, 700), 0);
	assert_int_equal(session_kick(
		rules, &mac, &now, &(enum outcome){OUTCOME_OK}), 0);
	/* Over is over; a session made now has a new number. */
	client.deadline_ns = now.mono_ns;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_int_equal(account_load(rules, &mac, &now, &account), -ENOENT);
	assert_int_equal(account_open(rules, &mac, &now, &account), 0);
	assert_int_equal(account_save(rules, &account), 0);
	assert_true(account.session.id > 700);
}

/* Of what stood the record says how much is left, and no more is given. */
static void test_what_stood_has_its_time(void **state)
{
	struct rules *rules = *state;
	struct recover_client client = record_of(5);
	struct account account;

	client.state = SESSION_PAUSED;
	client.deadline_ns = 7 * MINUTE;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	assert_int_equal(account.session.state, SESSION_PAUSED);
	assert_left(rules, 7 * MINUTE, 300);
	/* Once more: nothing is added. */
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 7 * MINUTE, 300);
}

/* Outside of its hours the kernel paused what the copy cannot pause. */
static void test_what_rested_has_its_time(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct credit credit = {.kind = KIND_VOUCHER, .left_ns = 60 * MINUTE,
		.bytes = UNLIMITED, .moves_left = 0, .token_days = UNLIMITED};
	enum outcome outcome;
	struct account account;

	assert_int_equal(account_open(rules, &mac, &now, &account), 0);
	assert_int_equal(account_add(rules, &account, &credit, &now, &outcome), 0);
	client = record_of(5);
	client.state = SESSION_PAUSED;
	client.deadline_ns = 7 * MINUTE;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 7 * MINUTE, 300);
	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	assert_int_equal(account.session.state, SESSION_RUNNING);
}

/* The kernel's end was that of the hours, or of the credit's days. */
static void test_hours_are_no_end(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct credit credit = {.kind = KIND_MANUAL, .left_ns = 60 * MINUTE,
		.bytes = UNLIMITED, .token_days = UNLIMITED};
	int64_t minute = now.wall_sec / 60 % 1440 + 10, to = (minute + 1) % 1440;
	enum outcome outcome;
	struct account account;

	setenv("TZ", "UTC", 1);
	tzset();
	minute %= 1440;
	/* All of the day but a minute, which begins in ten. */
	snprintf(credit.terms.hours, STORE_HOURS, "%02d:%02d-%02d:%02d",
		(int)to / 60, (int)to % 60, (int)minute / 60, (int)minute % 60);
	assert_int_equal(account_open(rules, &mac, &now, &account), 0);
	assert_int_equal(account_add(rules, &account, &credit, &now, &outcome), 0);
	client = record_of(5);
	client.bytes_left = UNLIMITED;
	client.deadline_ns = now.mono_ns + (600 - now.wall_sec % 60) * NSEC_PER_SEC;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 60 * MINUTE, UNLIMITED);
	/* Any other end is one. */
	client.deadline_ns = now.mono_ns + 5 * MINUTE;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 5 * MINUTE, UNLIMITED);
}

static void test_its_state(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct account account;
	struct record record;

	make_session(rules, &account, &record);
	client = record_of(record.id);
	client.state = SESSION_HELD;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_int_equal(account_load(rules, &mac, &now, &account), 0);
	assert_int_equal(account.session.state, SESSION_HELD);
	client.state = SESSION_RUNNING;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, 10 * MINUTE, 300);
	assert_int_equal(recover_absent(rules, &mac, &now), 0);
	assert_int_equal(store_session_last(rules->store, &mac, &account.session), 0);
	assert_string_equal(account.session.end_reason, "over before restore");
	assert_int_equal(recover_absent(rules, &mac, &now), 0);
}

static void test_no_end(void **state)
{
	struct rules *rules = *state;
	struct recover_client client;
	struct account account;
	struct record record;

	make_session(rules, &account, &record);
	client = record_of(record.id);
	client.deadline_ns = client.bytes_left = UNLIMITED;
	assert_int_equal(recover_client(rules, &client, &now), 0);
	assert_left(rules, UNLIMITED, UNLIMITED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_same_record),
		TEST(test_another_record),
		TEST(test_nobody_knows_the_session),
		TEST(test_what_stood_has_its_time),
		TEST(test_what_rested_has_its_time),
		TEST(test_hours_are_no_end),
		TEST(test_its_state),
		TEST(test_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
