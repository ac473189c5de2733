/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests and operators do to the world, and what they see of it. Whatever
 * fails here fails the test that runs.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/move.h"
#include "rules/pause.h"
#include "rules/session.h"
#include "rules/token.h"
#include "rules/voucher.h"
#include "store/payments.h"

#include "fixture.h"

static int index_of(const struct world *w, const struct mac *mac)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (!memcmp(&w->macs[i], mac, sizeof(*mac)))
			return i;
	fail_msg("unknown client");
	return -1;
}

static int fold(void *data, const struct mac *mac, bool *ret_exhausted)
{
	struct world *w = data;
	int i = index_of(w, mac);

	*ret_exhausted = w->exhausted[i];
	w->exhausted[i] = false;
	return store_record_fold(
		w->rules.store, w->records[i].id, w->raw_up[i], w->raw_down[i]);
}

void sync_records(struct world *w)
{
	struct account account;
	int i, ret;

	for (i = 0; i < CLIENTS; i++) {
		struct credit *credit = NULL;

		ret = account_load(&w->rules, &w->macs[i], &w->now, &account);
		assert_true(ret == 0 || ret == -ENOENT);
		if (!ret)
			credit = account_in_use(&account);
		/* A live session always has a credit in use. */
		assert_true(ret == -ENOENT || credit);
		assert_int_equal(
			store_record_bind(w->rules.store, w->records[i].id,
				credit ? account.session.id : 0,
				credit ? credit->id : 0),
			0);
	}
}

int world_set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	int i;

	lib_rules_open(&w->rules);
	w->rules.fold = fold;
	w->rules.data = w;
	w->now = (struct moment){1000 * HOUR, 1800000000};
	for (i = 0; i < CLIENTS; i++) {
		w->macs[i] = lib_mac(i + 1);
		w->records[i].mac = w->macs[i];
		assert_int_equal(
			store_record_insert(w->rules.store, &w->records[i]), 0);
	}
	*state = w;
	return 0;
}

int world_tear_down(void **state)
{
	struct world *w = *state;

	lib_rules_close(&w->rules);
	free(w);
	return 0;
}

void wait_ns(struct world *w, int64_t ns)
{
	lib_wait(&w->now, ns);
}

struct plan make_plan(struct world *w, const char *name, int64_t seconds,
	int64_t bytes, int64_t moves)
{
	struct plan plan = lib_plan(name, seconds);

	plan.bytes = bytes;
	plan.moves = moves;
	lib_plan_add(&w->rules, &plan);
	return plan;
}

static void take_code(void *data, const char *code)
{
	struct world *w = data;

	snprintf(w->code, sizeof(w->code), "%s", code);
}

const char *make_code(
	struct world *w, const struct plan *plan, int64_t expires_at)
{
	struct voucher_batch batch = {plan, 1, expires_at, "AJC", "b", "test"};

	assert_int_equal(voucher_create(&w->rules, &batch, take_code, w), 0);
	return w->code;
}

enum outcome activate(struct world *w, int client, const char *code,
	struct activated *ret_activated)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(voucher_activate(&w->rules,
				 &(struct guest){&w->macs[client], w->network},
				 code, &w->now, ret_activated, &outcome),
		0);
	sync_records(w);
	return outcome;
}

enum outcome restore(struct world *w, int client, const char *token,
	struct restored *ret_restored)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(token_restore(&w->rules,
				 &(struct guest){&w->macs[client], w->network},
				 token, &w->now, ret_restored, &outcome),
		0);
	sync_records(w);
	return outcome;
}

enum outcome allow(
	struct world *w, int client, int64_t seconds, int64_t bytes)
{
	struct allowance allowance = {.seconds = seconds, .bytes = bytes};
	enum outcome outcome = OUTCOME_CONFLICT;
	struct account account;

	assert_int_equal(session_allow(&w->rules, &w->macs[client], &allowance,
				 &w->now, &account, &outcome),
		0);
	sync_records(w);
	return outcome;
}

enum outcome move(struct world *w, int from, int to)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(session_move(&w->rules, &w->macs[from], &w->macs[to],
				 &w->now, &outcome),
		0);
	sync_records(w);
	return outcome;
}

bool look(struct world *w, int client, struct view *ret_view)
{
	struct account account;
	int ret = account_load(&w->rules, &w->macs[client], &w->now, &account);

	assert_true(ret == 0 || ret == -ENOENT);
	*ret_view = (struct view){0};
	if (!ret)
		account_view(&account, &w->now, ret_view);
	return !ret;
}

void assert_seconds(struct world *w, int client, int64_t seconds)
{
	struct view view;

	assert_int_equal(look(w, client, &view), seconds > 0);
	assert_int_equal(view.remaining_ns, seconds * NSEC_PER_SEC);
}

void hold(struct world *w, int client, bool expect)
{
	enum outcome outcome;
	bool changed;

	assert_int_equal(session_hold(&w->rules, &w->macs[client], "two_networks",
				 &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(changed, expect);
}

struct plan make_shared_plan(struct world *w, int64_t devices)
{
	struct plan plan = make_plan(w, "hour", 3600, 10 * MEGA, UNLIMITED);

	snprintf(plan.name, sizeof(plan.name), "hour for %lld", (long long)devices);
	plan.devices = devices;
	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	return plan;
}
