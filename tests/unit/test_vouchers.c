/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers against a real store in memory: one test per promise of
 * docs/design.md (P3), for one device and for several, here and elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/device.h"
#include "rules/pause.h"
#include "rules/plan_defaults.h"
#include "rules/session.h"
#include "rules/voucher.h"
#include "store/payments.h"

#include "lib/fixture.h"
#include "lib/world.h"

/* P3 */

static void test_codes(void **state)
{
	char code[VOUCHER_CODE], other[VOUCHER_CODE];
	int i, n;

	for (n = 0; n < 200; n++) {
		voucher_code("AJC", code);
		assert_int_equal(strlen(code), 3 + 8 + 1);
		assert_true(voucher_check(code));
		/* No look-alikes behind the prefix. */
		assert_null(strpbrk(code + 3, "ILO01"));
		/* Every single wrong character is found. */
		for (i = 3; i < 12; i++) {
			memcpy(other, code, sizeof(code));
			other[i] = code[i] == 'A' ? 'B' : 'A';
			assert_false(voucher_check(other));
		}
		/* And every swap of two neighbours. */
		for (i = 3; i < 10; i++) {
			memcpy(other, code, sizeof(code));
			other[i] = code[i + 1];
			other[i + 1] = code[i];
			if (other[i] != code[i])
				assert_false(voucher_check(other));
		}
	}
	assert_false(voucher_check(""));
	assert_false(voucher_check("AJC"));
	assert_int_equal(voucher_normalise(" ajc-12 34\0", code), 0);
	assert_string_equal(code, "AJC1234");
	/* Digits of an Arabic and a Persian keyboard; marks of direction around. */
	assert_int_equal(voucher_normalise("\u2068ajc\u0661\u06f9\u00a0-7\u2069", code), 0);
	assert_string_equal(code, "AJC197");
	assert_int_equal(voucher_normalise("AJC\u0669\xd9", code), -EINVAL);
	assert_int_equal(voucher_normalise("AJC\xe2", code), -EINVAL);
	assert_int_equal(voucher_normalise("", code), -EINVAL);
	assert_int_equal(voucher_normalise(" - ", code), -EINVAL);
	assert_int_equal(voucher_normalise("AJC;1", code), -EINVAL);
	assert_int_equal(voucher_normalise("AJC\xc3\xa9", code), -EINVAL);
	assert_int_equal(
		voucher_normalise("123456789012345678901234567890123", code),
		-EINVAL);
}

static void test_a_voucher_is_worth_its_plan_once(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, 10 * MEGA, 0);
	struct activated activated;
	char spaced[40];
	struct view view;

	make_code(w, &plan, UNLIMITED);
	/* As a guest types it. */
	snprintf(spaced, sizeof(spaced), " %.3s-%.4s %s", w->code, w->code + 3,
		w->code + 7);
	spaced[1] = 'a';
	assert_int_equal(activate(w, 0, spaced, &activated), OUTCOME_OK);
	assert_string_equal(activated.plan, "hour");
	assert_int_equal(strlen(activated.token), 64);
	assert_int_equal(activated.account.session.total_paid_minor, 500);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.remaining_ns, HOUR);
	assert_int_equal(view.remaining_bytes, 10 * MEGA);
	assert_int_equal(view.kind, KIND_VOUCHER);
	/* Again, by anybody. */
	assert_int_equal(
		activate(w, 0, w->code, &activated), OUTCOME_VOUCHER_YOURS);
	assert_int_equal(
		activate(w, 1, w->code, &activated), OUTCOME_VOUCHER_USED);
	assert_seconds(w, 0, 3600);
	assert_seconds(w, 1, 0);
}

/* Refused unused where it would be worth nothing; so is a move there. */
static void test_a_plan_for_some_networks(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct activated a;
	struct restored r;
	struct account account;

	snprintf(plan.name, sizeof(plan.name), "cafe hour");
	snprintf(plan.networks, sizeof(plan.networks), "cafe garden");
	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	make_code(w, &plan, UNLIMITED);
	w->network = "gard";
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OTHER_NETWORK);
	w->network = "garden";
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_string_equal(account_in_use(&account)->networks, "cafe garden");
	w->network = "office";
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OTHER_NETWORK);
	w->network = "cafe";
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_true(r.migrated);
	assert_seconds(w, 1, 3600);
	assert_seconds(w, 0, 0);
}

static int64_t devices_of(struct world *w, int64_t group_id)
{
	struct group group;

	assert_int_equal(
		store_group_lookup(w->rules.store, group_id, &group), 0);
	return group.devices;
}

static void test_a_voucher_for_several_devices(void **state)
{
	struct world *w = *state;
	struct plan plan = make_shared_plan(w, 3);
	struct activated first, a;
	struct account account;
	struct group group;
	char code[VOUCHER_CODE];
	enum outcome outcome;

	memcpy(code, make_code(w, &plan, UNLIMITED), sizeof(code));
	assert_int_equal(activate(w, 0, code, &first), OUTCOME_OK);
	assert_int_not_equal(first.group_id, 0);
	wait_ns(w, 600 * NSEC_PER_SEC);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_OK);
	assert_int_equal(a.group_id, first.group_id);
	assert_string_not_equal(a.token, first.token);
	assert_int_equal(activate(w, 2, code, &a), OUTCOME_OK);
	/* The same end for all, and the bytes are the group's. */
	assert_seconds(w, 0, 3000);
	assert_seconds(w, 1, 3000);
	assert_seconds(w, 2, 3000);
	assert_int_equal(store_group_lookup(w->rules.store, a.group_id, &group), 0);
	assert_int_equal(group.bytes, 10 * MEGA);
	assert_int_equal(group.devices, 3);
	assert_int_equal(activate(w, 0, code, &a), OUTCOME_VOUCHER_YOURS);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_VOUCHER_YOURS);
	/* So many at once: one leaves, another may come. */
	assert_int_equal(activate(w, 3, code, &a), OUTCOME_DEVICES_FULL);
	assert_int_equal(
		session_kick(&w->rules, &w->macs[2], &w->now, &outcome), 0);
	assert_int_equal(devices_of(w, first.group_id), 2);
	assert_int_equal(activate(w, 3, code, &a), OUTCOME_OK);
	/* More of the same is the buyer's, and waits. */
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_int_not_equal(a.group_id, first.group_id);
	assert_seconds(w, 0, 3000 + 3600);
	assert_seconds(w, 1, 3000);
	assert_int_equal(activate(w, 4, w->code, &a), OUTCOME_VOUCHER_USED);
	/* When it is over, it is for all of them, whoever is left. */
	wait_ns(w, 3001 * NSEC_PER_SEC);
	sync_records(w);
	assert_seconds(w, 0, 3599);
	assert_seconds(w, 1, 0);
	assert_seconds(w, 3, 0);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_VOUCHER_USED);
	assert_int_equal(devices_of(w, first.group_id), 0);
	assert_int_equal(activate(w, 1, w->code, &a), OUTCOME_OK);
	assert_int_equal(
		account_load(&w->rules, &w->macs[1], &w->now, &account), 0);
	assert_int_equal(account_in_use(&account)->group_id, a.group_id);
	assert_int_equal(account_in_use(&account)->bytes, 10 * MEGA);
}

static void test_who_cannot_join_a_voucher(void **state)
{
	struct world *w = *state;
	struct plan plan = make_shared_plan(w, 2);
	struct plan alone = make_plan(w, "alone", 3600, UNLIMITED, 0);
	struct group family = {.name = "family", .bytes = UNLIMITED,
		.devices_max = UNLIMITED};
	struct device device = {.mac = w->macs[2]};
	struct activated a;
	char code[VOUCHER_CODE];

	memcpy(code, make_code(w, &alone, UNLIMITED), sizeof(code));
	assert_int_equal(activate(w, 0, code, &a), OUTCOME_OK);
	assert_int_equal(a.group_id, 0);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_VOUCHER_USED);
	memcpy(code, make_code(w, &plan, UNLIMITED), sizeof(code));
	/* Not while it waits behind something else. */
	assert_int_equal(activate(w, 0, code, &a), OUTCOME_OK);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_VOUCHER_USED);
	wait_ns(w, 3601 * NSEC_PER_SEC);
	sync_records(w);
	assert_int_equal(allow(w, 1, 60, UNLIMITED), OUTCOME_OK);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_HAS_SESSION);
	wait_ns(w, 61 * NSEC_PER_SEC);
	assert_int_equal(activate(w, 1, code, &a), OUTCOME_OK);
	/* Whoever is in a family's group has room for no other. */
	assert_int_equal(store_group_insert(w->rules.store, &family), 0);
	device.group_id = family.id;
	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	assert_int_equal(activate(w, 2, code, &a), OUTCOME_HAS_SESSION);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 2, w->code, &a), OUTCOME_OK);
	assert_int_equal(a.group_id, 0);
	assert_int_equal(activate(w, 3, w->code, &a), OUTCOME_VOUCHER_USED);
}

/* Two devices' shares of one voucher that meet on one device are one. */
static void test_shared_time_is_not_used_twice(void **state)
{
	struct world *w = *state;
	struct plan plan = make_shared_plan(w, 2);
	struct activated a, b;
	struct restored r;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_int_equal(activate(w, 1, w->code, &b), OUTCOME_OK);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_seconds(w, 1, 3600);
	assert_seconds(w, 0, 0);
	assert_int_equal(devices_of(w, a.group_id), 1);
	/* A phone with a new MAC takes its share with it. */
	assert_int_equal(restore(w, 2, b.token, &r), OUTCOME_OK);
	assert_seconds(w, 2, 3600);
	assert_int_equal(r.account.credits[0].group_id, a.group_id);
}

static void make_code_in(struct world *w, const char *name, int64_t seconds,
	const char *networks)
{
	struct plan plan = make_plan(w, name, seconds, UNLIMITED, 0);

	/* Plans' names are theirs alone. */
	snprintf(plan.name, sizeof(plan.name), "%s here", name);
	snprintf(plan.networks, sizeof(plan.networks), "%s", networks);
	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	make_code(w, &plan, UNLIMITED);
}

static const char *plan_in_use(struct world *w, struct account *account)
{
	assert_int_equal(
		account_load(&w->rules, &w->macs[0], &w->now, account), 0);
	return account_in_use(account)->plan_name;
}

/* What is worth nothing here gives way, with its clock standing. */
static void test_credits_for_where_the_guest_is(void **state)
{
	struct world *w = *state;
	struct guest guest = {&w->macs[0], "cafe"};
	struct account account;
	struct activated a;

	w->network = "cafe";
	make_code_in(w, "Cafe", 600, "cafe");
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	wait_ns(w, 100 * NSEC_PER_SEC);
	w->network = "bar";
	make_code_in(w, "Bar", 300, "bar garden");
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_string_equal(plan_in_use(w, &account), "Bar here");
	wait_ns(w, 100 * NSEC_PER_SEC);
	assert_seconds(w, 0, 500 + 200);
	/* Back: the same the other way round; once is enough. */
	assert_string_equal(plan_in_use(w, &account), "Bar here");
	assert_true(account_prefer(&account, &guest, &w->now));
	assert_false(account_prefer(&account, &guest, &w->now));
	assert_int_equal(account_save(&w->rules, &account), 0);
	sync_records(w);
	assert_string_equal(plan_in_use(w, &account), "Cafe here");
	assert_int_equal(account.credits[1].left_ns, 200 * NSEC_PER_SEC);
	/* Where neither is of use nothing changes. */
	guest.network = "office";
	assert_false(account_prefer(&account, &guest, &w->now));
	wait_ns(w, 501 * NSEC_PER_SEC);
	assert_seconds(w, 0, 199);
}

static void test_vouchers_that_are_no_good(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	enum outcome outcome;
	struct activated a;
	struct voucher v;

	assert_int_equal(
		activate(w, 0, "AJCNOSUCH1", &a), OUTCOME_VOUCHER_UNKNOWN);
	assert_int_equal(activate(w, 0, "';--", &a), OUTCOME_VOUCHER_UNKNOWN);
	make_code(w, &plan, w->now.wall_sec);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_VOUCHER_EXPIRED);
	make_code(w, &plan, w->now.wall_sec + 1);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(voucher_revoke(&w->rules, w->code, &v, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_VOUCHER_REVOKED);
	assert_int_equal(voucher_revoke(&w->rules, w->code, &v, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_VOUCHER_REVOKED);
	assert_int_equal(voucher_revoke(&w->rules, "AJCX", &v, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_VOUCHER_UNKNOWN);
	assert_seconds(w, 0, 3600);
}

static void test_a_blocked_device_keeps_its_voucher(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct device device = {.mac = w->macs[0], .blocked = true};
	struct activated a;

	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_CLIENT_BLOCKED);
	device.blocked = false;
	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
}

static void test_codes_can_be_shown_again(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct voucher row;
	char code[VOUCHER_CODE];

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(store_voucher_list(w->rules.store, VOUCHER_UNUSED, "b",
				 0, &row, 1),
		1);
	assert_int_equal(voucher_reveal(&w->rules, &row, code), 0);
	assert_string_equal(code, w->code);
	w->rules.seal_key[0] ^= 1;
	assert_int_equal(voucher_reveal(&w->rules, &row, code), -EBADMSG);
}

/* What was sold of it is worth what it was; its name may be another's. */
static void test_a_plan_that_was_removed(void **state)
{
	struct world *w = *state;
	struct plan old = make_plan(w, "Walk", 60, 1000, 1), new, plans[8];
	char code[VOUCHER_CODE];
	struct voucher vouchers[2];
	struct activated a;

	snprintf(code, sizeof(code), "%s", make_code(w, &old, UNLIMITED));
	assert_int_equal(store_plan_remove(w->rules.store, old.id), 0);
	assert_int_equal(store_plan_remove(w->rules.store, old.id), -ENOENT);
	assert_int_equal(
		store_plan_by_name(w->rules.store, "Walk", &new), -ENOENT);
	assert_int_equal(store_plan_list(w->rules.store, false, 0, plans, 8), 0);
	assert_int_equal(store_plan_list(w->rules.store, true, 0, plans, 8), 1);
	assert_string_equal(plans[0].name, "Walk");
	assert_false(plans[0].is_active);
	new = make_plan(w, "Walk", 600, 5000, 1);
	assert_int_equal(store_plan_remove(w->rules.store, new.id), 0);
	make_plan(w, "Walk", 700, 5000, 1);
	assert_int_equal(store_voucher_list(
				 w->rules.store, -1, NULL, 0, vouchers, 2),
		1);
	assert_string_equal(vouchers[0].plan_name, "Walk");
	assert_int_equal(activate(w, 0, code, &a), OUTCOME_OK);
	assert_string_equal(a.plan, "Walk");
	assert_int_equal(a.account.credits[0].left_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(a.account.credits[0].bytes, 1000);
	/* Nor are the first plans made again where all were removed. */
	assert_int_equal(plan_defaults(&w->rules, "TZS"), 0);
	assert_int_equal(store_plan_list(w->rules.store, true, 0, plans, 8), 3);
}

static void test_the_default_plans(void **state)
{
	struct world *w = *state;
	struct plan plans[8];

	assert_int_equal(plan_defaults(&w->rules, "KES"), 0);
	assert_int_equal(plan_defaults(&w->rules, "TZS"), 0);
	assert_int_equal(store_plan_list(w->rules.store, false, 0, plans, 8), 4);
	assert_string_equal(plans[0].name, "1 Hour");
	assert_string_equal(plans[0].currency, "KES");
	assert_int_equal(plans[0].seconds, 3600);
	assert_int_equal(plans[0].price_minor, 50000);
	assert_int_equal(plans[1].seconds, 1440 * 60);
	assert_int_equal(plans[2].seconds, 10080 * 60);
	assert_int_equal(plans[3].seconds, 43200 * 60);
	assert_int_equal(plans[3].price_minor, 2000000);
	assert_int_equal(plans[0].rates.up, 10000);
	assert_int_equal(plans[0].moves, 0);
}

/* P3: the same code, from 64 devices in one turn. */
static void test_one_of_many_gets_the_voucher(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	int i, won = 0, refused = 0;

	make_code(w, &plan, UNLIMITED);
	w->rules.fold = NULL;
	for (i = 0; i < 64; i++) {
		struct mac mac = {{2, 0, 0, 0, 1, (uint8_t)i}};
		struct guest guest = {&mac, NULL};
		enum outcome outcome;
		struct activated a;

		assert_int_equal(voucher_activate(&w->rules, &guest, w->code, &w->now,
					 &a, &outcome), 0);
		won += outcome == OUTCOME_OK;
		refused += outcome == OUTCOME_VOUCHER_USED;
	}
	assert_int_equal(won, 1);
	assert_int_equal(refused, 63);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_codes),
		TEST(test_a_voucher_is_worth_its_plan_once),
		TEST(test_a_plan_for_some_networks),
		TEST(test_a_voucher_for_several_devices),
		TEST(test_who_cannot_join_a_voucher),
		TEST(test_shared_time_is_not_used_twice),
		TEST(test_credits_for_where_the_guest_is),
		TEST(test_vouchers_that_are_no_good),
		TEST(test_a_blocked_device_keeps_its_voucher),
		TEST(test_codes_can_be_shown_again),
		TEST(test_a_plan_that_was_removed),
		TEST(test_the_default_plans),
		TEST(test_one_of_many_gets_the_voucher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
