/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices beside a session: who may be added to what, that all end together and
 * use one sum of bytes, and what is left when one is taken away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "rules/device.h"
#include "rules/move.h"
#include "rules/pause.h"
#include "rules/share.h"
#include "rules/voucher.h"

#include "lib/fixture.h"

#define HOUR (3600 * NSEC_PER_SEC)

struct world {
	struct rules rules;
	struct moment now;
	struct mac macs[4];
};

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int i;

	lib_rules_open(&w->rules);
	w->now = (struct moment){1000 * NSEC_PER_SEC, 1800000000};
	for (i = 0; i < 4; i++)
		w->macs[i] = lib_mac(i + 1);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	lib_rules_close(&w->rules);
	free(w);
	return 0;
}

static struct plan make_plan(struct world *w, const char *name, int devices)
{
	struct plan plan = lib_plan(name, 3600);

	plan.bytes = 1000000;
	plan.devices = devices;
	lib_plan_add(&w->rules, &plan);
	return plan;
}

static void allow(struct world *w, int client, const struct plan *plan)
{
	const struct allowance allowance = {.plan = plan,
		.seconds = 3600, .bytes = plan ? plan->bytes : UNLIMITED};
	enum outcome outcome = OUTCOME_OK;
	struct account account;

	assert_int_equal(session_allow(&w->rules, &w->macs[client], &allowance,
				 &w->now, &account, &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
}

static enum outcome add(struct world *w, int owner, int client)
{
	const struct guest device = {.mac = &w->macs[client]};
	enum outcome outcome = OUTCOME_OK;
	struct shared shared;

	assert_int_equal(share_add(&w->rules, &w->macs[owner], &device, &w->now,
				 &shared, &outcome),
		0);
	return outcome;
}

static enum outcome take_away(struct world *w, int owner, int client)
{
	enum outcome outcome = OUTCOME_OK;
	struct shared shared;

	assert_int_equal(share_remove(&w->rules,
				 owner < 0 ? NULL : &w->macs[owner],
				 &w->macs[client], &w->now, &shared, &outcome),
		0);
	return outcome;
}

static int64_t left(struct world *w, int client)
{
	struct account account;
	struct view view;

	if (account_load(&w->rules, &w->macs[client], &w->now, &account))
		return 0;
	account_view(&account, &w->now, &view);
	return view.remaining_ns;
}

static void test_only_as_the_plan_says(void **state)
{
	struct world *w = *state;
	struct plan two = make_plan(w, "two", 2), one = make_plan(w, "one", 1);

	assert_int_equal(add(w, 0, 1), OUTCOME_NOT_FOUND);
	allow(w, 0, &one);
	assert_int_equal(add(w, 0, 1), OUTCOME_NOT_SHAREABLE);
	allow(w, 1, NULL);
	assert_int_equal(add(w, 1, 2), OUTCOME_NOT_SHAREABLE);
	allow(w, 2, &two);
	assert_int_equal(add(w, 2, 3), OUTCOME_OK);
	assert_int_equal(add(w, 2, 3), OUTCOME_DEVICE_TAKEN);
	assert_int_equal(take_away(w, 2, 3), OUTCOME_OK);
	assert_int_equal(take_away(w, 2, 3), OUTCOME_NOT_FOUND);
	assert_int_equal(add(w, 2, 3), OUTCOME_OK);
	w->macs[0].addr[0] = 6;
	assert_int_equal(add(w, 2, 0), OUTCOME_DEVICES_FULL);
}

static void test_nobody_elses_device(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "many", 9);
	struct device device = {.mac = w->macs[1]};

	allow(w, 0, &plan);
	allow(w, 2, NULL);
	assert_int_equal(add(w, 0, 2), OUTCOME_DEVICE_TAKEN);
	assert_int_equal(add(w, 0, 0), OUTCOME_DEVICE_TAKEN);
	device.blocked = true;
	store_device_put(w->rules.store, &device);
	assert_int_equal(add(w, 0, 1), OUTCOME_DEVICE_TAKEN);
	device.blocked = false;
	device_exempt(&device, "guest", w->now.wall_sec + 60, &w->now);
	store_device_put(w->rules.store, &device);
	assert_int_equal(add(w, 0, 1), OUTCOME_DEVICE_TAKEN);
	device_end_exemption(&device);
	store_device_put(w->rules.store, &device);
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	/* Who did not add it cannot take it away, and the device not its
	 * guest; an operator can. */
	allow(w, 3, &plan);
	assert_int_equal(take_away(w, 3, 1), OUTCOME_NOT_FOUND);
	assert_int_equal(take_away(w, 1, 0), OUTCOME_NOT_FOUND);
	assert_int_equal(take_away(w, 0, 2), OUTCOME_NOT_FOUND);
	assert_int_equal(take_away(w, -1, 1), OUTCOME_OK);
}

static void test_one_end_and_one_sum(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 2);
	struct credit shares[GROUP_DEVICES_MAX];
	struct group group;

	allow(w, 0, &plan);
	w->now.mono_ns += HOUR / 2;
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	assert_int_equal(left(w, 0), HOUR / 2);
	assert_int_equal(left(w, 1), HOUR / 2);
	assert_int_equal(store_group_list(w->rules.store, 0, &group, 1), 1);
	assert_int_equal(group.bytes, plan.bytes);
	assert_int_equal(group.devices, 2);
	assert_true(group_is_of_credits(&group));
	assert_int_equal(store_credit_shared(w->rules.store, group.id, shares,
				 GROUP_DEVICES_MAX),
		2);
	assert_int_equal(shares[0].deadline_ns, shares[1].deadline_ns);
	w->now.mono_ns += HOUR / 2;
	assert_int_equal(left(w, 0), 0);
	assert_int_equal(left(w, 1), 0);
}

static int count_touched(void *data, const struct mac *mac, bool is_new, int64_t group_id)
{
	((int *)data)[0] += group_id != 0;
	((int *)data)[1] += mac && is_new;
	return 0;
}

static void test_a_changed_plan_holds_for_what_is_shared(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 2);
	int touched[2] = {0}; /* groups, clients */
	struct group group;
	int64_t after = 0;

	allow(w, 0, &plan);
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	plan.rates.down = 3000;
	assert_int_equal(store_plan_apply(w->rules.store, &plan, &after, 64,
				 count_touched, touched), 0);
	/* By each of them. */
	assert_int_equal(touched[0], 2);
	assert_int_equal(touched[1], 2);
	assert_int_equal(store_group_list(w->rules.store, 0, &group, 1), 1);
	assert_int_equal(group.rates.down, 3000);
}

/* Taken away, it keeps what was bought for it. */
static void test_its_own_stays(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 2);

	allow(w, 0, &plan);
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	allow(w, 1, NULL);
	assert_int_equal(left(w, 1), 2 * HOUR);
	w->now.mono_ns += HOUR / 4;
	assert_int_equal(take_away(w, 0, 1), OUTCOME_OK);
	assert_int_equal(left(w, 1), HOUR);
	assert_int_equal(left(w, 0), HOUR - HOUR / 4);
}

/* The session goes to another MAC: what is beside it stays its guest's. */
static void test_the_phone_has_another_address(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 2);
	enum outcome outcome = OUTCOME_OK;

	allow(w, 0, &plan);
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	assert_int_equal(session_move(&w->rules, &w->macs[0], &w->macs[2],
				 &w->now, &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(left(w, 1), HOUR);
	assert_int_equal(add(w, 2, 3), OUTCOME_DEVICES_FULL);
	assert_int_equal(take_away(w, 0, 1), OUTCOME_NOT_FOUND);
	assert_int_equal(take_away(w, 2, 1), OUTCOME_OK);
	assert_int_equal(left(w, 2), HOUR);
}

/* A session that joins does not make a share wait, which could be paused then
 * while the others use theirs. */
static void test_a_share_does_not_wait(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 2);
	enum outcome outcome = OUTCOME_OK;

	allow(w, 0, &plan);
	assert_int_equal(add(w, 0, 1), OUTCOME_OK);
	allow(w, 2, NULL);
	assert_int_equal(session_move(&w->rules, &w->macs[2], &w->macs[1],
				 &w->now, &outcome),
		0);
	w->now.mono_ns += HOUR / 2;
	assert_int_equal(left(w, 0), HOUR / 2);
	assert_int_equal(left(w, 1), HOUR / 2 + HOUR);
	w->now.mono_ns += HOUR / 2;
	assert_int_equal(left(w, 1), HOUR);
	w->now.mono_ns += HOUR / 2;
	assert_int_equal(left(w, 1), HOUR / 2);
}

/* All shares of what runs end together, there are never more than the plan
 * says, and whoever shares nothing has what was given to it. */
static void check_shares(struct world *w)
{
	struct group groups[64];
	struct credit shares[GROUP_DEVICES_MAX];
	int n = store_group_list(w->rules.store, 0, groups, 64), i, j, count;

	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		int64_t end = 0;

		count = store_credit_shared(w->rules.store, groups[i].id, shares,
			GROUP_DEVICES_MAX);
		assert_in_range(count, 0, groups[i].devices_max);
		for (j = 0; j < count; j++) {
			if (shares[j].state != CREDIT_IN_USE)
				continue;
			if (end)
				assert_int_equal(shares[j].deadline_ns, end);
			end = shares[j].deadline_ns;
		}
		/* As the sweep does. */
		if (!count)
			store_group_delete(w->rules.store, groups[i].id);
	}
}

static void test_random_sharing(void **state)
{
	struct world *w = *state;
	struct plan plans[] = {make_plan(w, "two", 2), make_plan(w, "three", 3)};
	enum outcome outcome;
	int i, added = 0;

	srandom(20261121);
	for (i = 0; i < 10000; i++) {
		int a = (int)(random() % 4), b = (int)(random() % 4);

		switch (random() % 6) {
		case 0:
			/* Not onto a session: its end would be its own. */
			if (!left(w, a))
				allow(w, a, &plans[random() % 2]);
			break;
		case 1:
		case 2:
			added += add(w, a, b) == OUTCOME_OK;
			break;
		case 3:
			take_away(w, a, b);
			break;
		case 4:
			outcome = OUTCOME_OK;
			session_kick(&w->rules, &w->macs[a], &w->now, &outcome);
			break;
		case 5:
			w->now.mono_ns += random() % (HOUR / 4);
			break;
		}
		assert_true(left(w, a) <= HOUR && left(w, b) <= HOUR);
		check_shares(w);
	}
	assert_true(added > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_only_as_the_plan_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_nobody_elses_device, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_one_end_and_one_sum, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_changed_plan_holds_for_what_is_shared, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_its_own_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_phone_has_another_address, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_share_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_random_sharing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
