/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules against a real store in memory: one test per promise of
 * docs/design.md (P1, P3, P5, P6). All of them at random: test_model.c.
 *
 * The kernel is played by a record per client: it counts against the credit
 * that it was bound to last, and refuses a packet that the quota has no room
 * for, as the datapath does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/grant.h"
#include "rules/device.h"
#include "rules/move.h"
#include "rules/pause.h"
#include "rules/plan_defaults.h"
#include "rules/refund.h"
#include "rules/sale.h"
#include "rules/session.h"
#include "rules/token.h"
#include "rules/voucher.h"
#include "store/keeping.h"
#include "store/payments.h"

#include "lib/fixture.h"

#define HOUR	(3600 * NSEC_PER_SEC)
#define MEGA	1000000LL
#define CLIENTS 5
#define DAY	86400

struct world {
	struct rules rules;
	struct moment now;
	struct mac macs[CLIENTS];
	struct record records[CLIENTS];
	int64_t raw_up[CLIENTS], raw_down[CLIENTS];
	bool exhausted[CLIENTS];
	char code[VOUCHER_CODE]; /* the last one made */
	const char *network; /* where guests show things; NULL: not known */
};

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

/* What the daemon does after each change: the record of each client counts
 * against the credit in use. */
static void sync_records(struct world *w)
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

static int set_up(void **state)
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

static int tear_down(void **state)
{
	struct world *w = *state;

	lib_rules_close(&w->rules);
	free(w);
	return 0;
}

static void wait_ns(struct world *w, int64_t ns)
{
	lib_wait(&w->now, ns);
}

static struct plan make_plan(struct world *w, const char *name, int64_t seconds,
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

static const char *make_code(
	struct world *w, const struct plan *plan, int64_t expires_at)
{
	struct voucher_batch batch = {plan, 1, expires_at, "AJC", "b", "test"};

	assert_int_equal(voucher_create(&w->rules, &batch, take_code, w), 0);
	return w->code;
}

static enum outcome activate(struct world *w, int client, const char *code,
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

static enum outcome restore(struct world *w, int client, const char *token,
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

static enum outcome allow(
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

static enum outcome move(struct world *w, int from, int to)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(session_move(&w->rules, &w->macs[from], &w->macs[to],
				 &w->now, &outcome),
		0);
	sync_records(w);
	return outcome;
}

/* False: captive. */
static bool look(struct world *w, int client, struct view *ret_view)
{
	struct account account;
	int ret = account_load(&w->rules, &w->macs[client], &w->now, &account);

	assert_true(ret == 0 || ret == -ENOENT);
	*ret_view = (struct view){0};
	if (!ret)
		account_view(&account, &w->now, ret_view);
	return !ret;
}

static void assert_seconds(struct world *w, int client, int64_t seconds)
{
	struct view view;

	assert_int_equal(look(w, client, &view), seconds > 0);
	assert_int_equal(view.remaining_ns, seconds * NSEC_PER_SEC);
}

/* Every event from every state: where it leads, where it may not, what is told. */
static void test_transitions(void **state)
{
	enum { NO = -1, R = SESSION_RUNNING, P = SESSION_PAUSED, H = SESSION_HELD,
		E = SESSION_ENDED };
	static const struct {
		int to[4]; /* from running, paused, held, ended */
		const char *end_reason;
	} rows[] = {
		[SESSION_EVENT_STARTED] = {{R, P, H, NO}},
		[SESSION_EVENT_EXTENDED] = {{R, P, H, NO}},
		[SESSION_EVENT_REDUCED] = {{R, P, H, NO}},
		[SESSION_EVENT_PAUSED] = {{P, NO, NO, NO}},
		[SESSION_EVENT_RESUMED] = {{NO, R, NO, NO}},
		[SESSION_EVENT_STANDS] = {{R, NO, NO, NO}},
		[SESSION_EVENT_GOES_ON] = {{R, NO, NO, NO}},
		[SESSION_EVENT_HELD] = {{H, H, NO, NO}},
		[SESSION_EVENT_RELEASED] = {{NO, NO, R, NO}},
		[SESSION_EVENT_RELEASED_PAUSED] = {{NO, NO, P, NO}},
		[SESSION_EVENT_BLOCKED] = {{R, P, H, NO}},
		[SESSION_EVENT_UNBLOCKED] = {{R, P, H, NO}},
		[SESSION_EVENT_MOVED] = {{R, P, H, NO}},
		[SESSION_EVENT_EXPIRED] = {{E, E, E, NO}, "expired"},
		[SESSION_EVENT_USED_UP] = {{E, E, E, NO}, "used up"},
		[SESSION_EVENT_EMPTIED] = {{E, E, E, NO}, "empty"},
		[SESSION_EVENT_KICKED] = {{E, E, E, NO}, "ended by operator"},
		[SESSION_EVENT_REMOVED] = {{E, E, E, NO}, "removed by its guest"},
		[SESSION_EVENT_JOINED] = {{E, E, E, NO}, "joined another"},
		[SESSION_EVENT_FORGOTTEN] = {{E, E, E, NO}, "over before restore"},
		[SESSION_EVENT_REFUNDED] = {{R, P, H, NO}},
		[SESSION_EVENT_ENDED_BY_REFUND] = {{E, E, E, NO}, "refunded"},
	};
	const struct moment now = {5 * NSEC_PER_SEC, 1000};
	size_t i;
	int from;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (from = R; from <= E; from++) {
			int to = rows[i].to[from];
			struct account account = {
				.session.state = (enum session_state)from};

			assert_int_equal(account_change(&account,
						 (enum session_event)i, "why", &now),
				to != NO);
			assert_int_equal(account.happened_count, to != NO);
			assert_int_equal(
				account.session.state, to == NO ? from : to);
			assert_string_equal(account.session.end_reason,
				to == E ? rows[i].end_reason : "");
			assert_int_equal(
				account.session.ended_at, to == E ? 1000 : 0);
		}
}

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

static void hold(struct world *w, int client, bool expect)
{
	enum outcome outcome;
	bool changed;

	assert_int_equal(session_hold(&w->rules, &w->macs[client], "two_networks",
				 &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(changed, expect);
}

static void assert_state(struct world *w, int client, enum session_state state,
	const char *held_for)
{
	struct account account;

	assert_int_equal(account_load(&w->rules, &w->macs[client], &w->now, &account), 0);
	assert_int_equal(account.session.state, state);
	assert_string_equal(account.session.held_for, held_for);
	assert_int_equal(account.session.held_at != 0, held_for[0] != '\0');
}

/* It stands still, and goes on for who has the token, here or elsewhere. */
static void test_a_session_that_is_held(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct activated a;
	struct restored r;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	wait_ns(w, 600 * NSEC_PER_SEC);
	hold(w, 0, true);
	hold(w, 0, false);
	wait_ns(w, 7200 * NSEC_PER_SEC);
	assert_seconds(w, 0, 3000);
	assert_state(w, 0, SESSION_HELD, "two_networks");
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_true(r.released && !r.migrated);
	assert_state(w, 0, SESSION_RUNNING, "");
	wait_ns(w, 600 * NSEC_PER_SEC);
	assert_seconds(w, 0, 2400);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_false(r.released);
	hold(w, 0, true);
	wait_ns(w, 600 * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_true(r.released && r.migrated);
	assert_state(w, 1, SESSION_RUNNING, "");
	assert_seconds(w, 1, 2400);
}

/* Who has the MAC and no token: no code, no token, no session of his own. */
static void test_no_way_around_a_hold(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct activated a, other, more;
	struct account account;
	struct restored r;
	char token[TOKEN_TEXT];
	bool handed;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 1, w->code, &other), OUTCOME_OK);
	hold(w, 0, true);
	make_code(w, &plan, UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &more), OUTCOME_SESSION_HELD);
	assert_int_equal(restore(w, 0, other.token, &r), OUTCOME_SESSION_HELD);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	account.session.token_handed = false;
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, token), 0);
	assert_false(handed);
	assert_state(w, 0, SESSION_HELD, "two_networks");
	assert_state(w, 1, SESSION_RUNNING, "");
	/* An old token does not do either. */
	wait_ns(w, 40 * 86400 * NSEC_PER_SEC);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	assert_state(w, 0, SESSION_HELD, "two_networks");
}

static struct plan make_shared_plan(struct world *w, int64_t devices)
{
	struct plan plan = make_plan(w, "hour", 3600, 10 * MEGA, UNLIMITED);

	snprintf(plan.name, sizeof(plan.name), "hour for %lld", (long long)devices);
	plan.devices = devices;
	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	return plan;
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

/* P6: credits. */

static void test_same_plan_adds_up_another_waits(void **state)
{
	struct world *w = *state;
	struct plan hour = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct plan day = make_plan(w, "day", DAY, UNLIMITED, 0);
	struct activated a;
	struct view view;

	assert_int_equal(
		activate(w, 0, make_code(w, &hour, UNLIMITED), &a), OUTCOME_OK);
	wait_ns(w, HOUR / 2);
	assert_int_equal(
		activate(w, 0, make_code(w, &hour, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.count, 1);
	assert_seconds(w, 0, 5400);
	assert_int_equal(
		activate(w, 0, make_code(w, &day, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.count, 2);
	assert_seconds(w, 0, 5400 + DAY);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "hour");
	/* No gap and no overlap: the second begins where the first ended,
	 * however late somebody looks. */
	wait_ns(w, 3 * HOUR);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "day");
	assert_int_equal(view.remaining_ns,
		5400 * NSEC_PER_SEC + DAY * NSEC_PER_SEC - 3 * HOUR);
	wait_ns(w, 24 * HOUR);
	assert_seconds(w, 0, 0);
}

static void test_a_session_is_topped_up_for_ever(void **state)
{
	struct world *w = *state;
	struct plan plans[] = {make_plan(w, "a", 60, UNLIMITED, 0),
		make_plan(w, "b", 60, UNLIMITED, 0)};
	struct activated a;
	struct view view;
	int i;

	/* Two at a time: there is always one in use and one that waits. */
	for (i = 0; i < 3 * CREDITS_MAX; i++) {
		assert_int_equal(activate(w, 0,
					 make_code(w, &plans[i % 2], UNLIMITED),
					 &a),
			OUTCOME_OK);
		w->raw_up[0] += 1000;
		w->raw_down[0] += 10;
		sync_records(w);
		wait_ns(w, (i ? 60 : 1) * NSEC_PER_SEC);
	}
	assert_int_equal(a.account.session.total_paid_minor,
		3 * CREDITS_MAX * 500);
	/* What was used up long ago is counted all the same. */
	assert_true(look(w, 0, &view));
	assert_int_equal(view.bytes_up, 3 * CREDITS_MAX * 1000);
	assert_int_equal(view.bytes_down, 3 * CREDITS_MAX * 10);
}

static void test_too_many_waiting_credits_are_refused(void **state)
{
	struct world *w = *state;
	struct plan plans[] = {make_plan(w, "a", 60, UNLIMITED, 0),
		make_plan(w, "b", 60, UNLIMITED, 0)};
	struct activated a;
	int i;

	for (i = 0; i < CREDITS_MAX; i++)
		assert_int_equal(activate(w, 0,
					 make_code(w, &plans[i % 2], UNLIMITED),
					 &a),
			OUTCOME_OK);
	make_code(w, &plans[0], UNLIMITED);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_CONFLICT);
	assert_int_equal(allow(w, 1, 600, UNLIMITED), OUTCOME_OK);
	assert_int_equal(move(w, 0, 1), OUTCOME_CONFLICT);
	assert_seconds(w, 0, CREDITS_MAX * 60);
	assert_seconds(w, 1, 600);
	/* One is used: there is room again, and the code is still good. */
	wait_ns(w, 60 * NSEC_PER_SEC);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_seconds(w, 0, CREDITS_MAX * 60);
}

static void test_bytes_end_a_credit_and_start_the_next(void **state)
{
	struct world *w = *state;
	struct plan small = make_plan(w, "small", 3600, MEGA, 0);
	struct plan big = make_plan(w, "big", 3600, 5 * MEGA, 0);
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &small, UNLIMITED), &a);
	activate(w, 0, make_code(w, &big, UNLIMITED), &a);
	w->raw_up[0] += 400000;
	w->raw_down[0] += 599999;
	assert_true(look(w, 0, &view));
	/* What the kernel enforces now; the sum is of time alone. */
	assert_int_equal(view.remaining_bytes, 1);
	assert_int_equal(view.credit_ns, HOUR);
	assert_int_equal(view.remaining_ns, 2 * HOUR);
	assert_string_equal(view.plan, "small");
	/* One byte left, but the next packet has more. */
	w->exhausted[0] = true;
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "big");
	assert_int_equal(view.remaining_bytes, 5 * MEGA);
	assert_int_equal(view.remaining_ns, HOUR);
	/* What was counted is still shown. */
	assert_int_equal(view.bytes_up, 400000);
	assert_int_equal(view.bytes_down, 599999);
	sync_records(w);
	w->raw_down[0] += 5 * MEGA;
	assert_seconds(w, 0, 0);
}

static struct grant grant_now(struct world *w, int client)
{
	struct holder holder = {.mac = w->macs[client]};
	struct account account;

	assert_int_equal(account_load(&w->rules, &w->macs[client], &w->now,
				 &account),
		0);
	holder.session = account.session;
	holder.credit = *account_in_use(&account);
	return grant_of(&holder, &w->now);
}

static void test_fair_use_ends_nothing(void **state)
{
	struct world *w = *state;
	struct plan fair = {.name = "fair", .seconds = 3600, .bytes = MEGA,
		.rates = {.up = 1000, .down = 2000, .slow_up = 64, .slow_down = 128},
		.currency = "TZS", .token_days = UNLIMITED};
	struct activated a;
	struct grant grant;
	struct view view;

	assert_int_equal(store_plan_insert(w->rules.store, &fair, &fair.id), 0);
	activate(w, 0, make_code(w, &fair, UNLIMITED), &a);
	grant = grant_now(w, 0);
	assert_int_equal(grant.bytes_left, MEGA);
	assert_memory_equal(&grant.rates, &fair.rates, sizeof(fair.rates));
	w->raw_down[0] += MEGA - 1;
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, 1);
	assert_int_equal(view.remaining_bytes, UNLIMITED);
	/* The quota stays where it was, in absolute numbers. */
	w->raw_down[0] += 5001;
	w->exhausted[0] = true;
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, 0);
	assert_int_equal(view.remaining_ns, HOUR);
	assert_int_equal(grant_now(w, 0).bytes_left, -5000);
	/* What went slowly does not count against what is bought now. */
	activate(w, 0, make_code(w, &fair, UNLIMITED), &a);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.full_bytes, MEGA);
	assert_int_equal(view.remaining_ns, 2 * HOUR);
}

static void test_rates_change_for_what_is_in_use(void **state)
{
	struct world *w = *state;
	struct rates rates = {RATE_KEEP, 512, RATE_KEEP, RATE_KEEP};
	enum outcome outcome = OUTCOME_OK;
	struct account account;

	assert_int_equal(session_rate(&w->rules, &w->macs[0], &rates, &w->now,
				 &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(allow(w, 0, 60, UNLIMITED), OUTCOME_OK);
	assert_int_equal(session_rate(&w->rules, &w->macs[0], &rates, &w->now,
				 &outcome),
		0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_int_equal(grant_now(w, 0).rates.down, 512);
	assert_int_equal(grant_now(w, 0).rates.up, 0);
	/* Time that names no rate is more of the same. */
	assert_int_equal(allow(w, 0, 60, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 120);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now,
				 &account),
		0);
	assert_int_equal(account.count, 1);
}

/* Credits with and without a limit: each is shown as it is. */
static void test_mixed_credits_are_shown_one_by_one(void **state)
{
	struct world *w = *state;
	struct plan small = make_plan(w, "small", 3600, 50 * MEGA, 0);
	struct plan day = make_plan(w, "day", DAY, UNLIMITED, 0);
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &small, UNLIMITED), &a);
	activate(w, 0, make_code(w, &day, UNLIMITED), &a);
	allow(w, 0, 600, UNLIMITED);
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "small");
	assert_int_equal(view.kind, KIND_VOUCHER);
	assert_int_equal(view.credit_ns, HOUR);
	assert_int_equal(view.remaining_bytes, 50 * MEGA);
	assert_int_equal(view.remaining_ns,
		HOUR + (DAY + 600) * NSEC_PER_SEC);
	/* The bytes are gone: so is what was left of that credit's time. */
	wait_ns(w, HOUR / 4);
	w->raw_up[0] += 50 * MEGA;
	assert_true(look(w, 0, &view));
	assert_string_equal(view.plan, "day");
	assert_int_equal(view.credit_ns, DAY * NSEC_PER_SEC);
	assert_int_equal(view.remaining_bytes, UNLIMITED);
	assert_int_equal(view.remaining_ns, (DAY + 600) * NSEC_PER_SEC);
	wait_ns(w, DAY * NSEC_PER_SEC + NSEC_PER_SEC);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_string_equal(view.plan, "");
	assert_int_equal(view.credit_ns, view.remaining_ns);
}

static void test_an_operator_gives_and_takes(void **state)
{
	struct world *w = *state;
	struct session ended;
	struct view view;

	assert_int_equal(allow(w, 0, -60, UNLIMITED), OUTCOME_NOT_FOUND);
	assert_int_equal(allow(w, 0, 3600, 10 * MEGA), OUTCOME_OK);
	assert_int_equal(allow(w, 0, 1800, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 5400);
	/* Time alone lifts no limit of bytes. */
	assert_true(look(w, 0, &view));
	assert_int_equal(view.remaining_bytes, 10 * MEGA);
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_int_equal(allow(w, 0, -400, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 5000);
	/* Never below 0. */
	assert_int_equal(allow(w, 0, -100000, UNLIMITED), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_int_equal(store_session_list(w->rules.store, SESSION_ENDED,
				 UNLIMITED, &ended, 1),
		1);
	assert_string_equal(ended.end_reason, "ended by operator");
	assert_int_equal(allow(w, 0, -1, UNLIMITED), OUTCOME_NOT_FOUND);
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

/* P1, P5: tokens. */

static void test_a_voucher_session_stays_with_its_device(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct restored r;
	struct activated a;
	char bad[TOKEN_TEXT];

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_NOT_TRANSFERABLE);
	assert_seconds(w, 0, 3600);
	assert_seconds(w, 1, 0);
	/* The same MAC gets its own back. */
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 0, "short", &r), OUTCOME_SESSION_UNKNOWN);
	memcpy(bad, a.token, sizeof(bad));
	bad[63] = bad[63] == '0' ? '1' : '0';
	assert_int_equal(restore(w, 0, bad, &r), OUTCOME_SESSION_UNKNOWN);
}

static void test_moves_are_counted(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "two", 3600, UNLIMITED, 2);
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, HOUR / 4);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_true(r.migrated);
	assert_memory_equal(&r.from, &w->macs[0], sizeof(r.from));
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 2700);
	/* Staying costs nothing. */
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_NOT_TRANSFERABLE);
	assert_seconds(w, 0, 2700);
}

static void test_what_may_not_move_stays(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct restored r;
	struct activated a;

	/* A voucher in use, an operator's half hour behind it. */
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 0, 1800, UNLIMITED);
	wait_ns(w, HOUR / 6);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_seconds(w, 0, 3000);
	assert_seconds(w, 1, 1800);
	/* Both clocks run now. */
	wait_ns(w, HOUR / 6);
	assert_seconds(w, 0, 2400);
	assert_seconds(w, 1, 1200);
}

static void test_a_moved_session_joins_the_one_that_is_there(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct restored r;
	struct activated a;
	struct view view;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 1, 1800, MEGA);
	w->raw_up[1] += 1000;
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 5400);
	wait_ns(w, HOUR + HOUR / 4);
	assert_true(look(w, 1, &view));
	assert_int_equal(view.kind, KIND_MANUAL);
	assert_int_equal(view.remaining_bytes, MEGA - 1000);
	assert_int_equal(view.remaining_ns, HOUR / 4);
}

static void test_what_was_paid_is_kept_when_sessions_join(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct activated here, there;
	struct session ended;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &here);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	assert_int_equal(restore(w, 1, here.token, &r), OUTCOME_OK);
	assert_int_equal(r.account.session.total_paid_minor, 3 * 500);
	/* Once, not twice: the sum over all sessions is what was sold. */
	assert_int_equal(store_session_lookup(w->rules.store,
				 there.account.session.id, &ended),
		0);
	assert_int_equal(ended.state, SESSION_ENDED);
	assert_int_equal(ended.total_paid_minor, 0);
}

static void test_an_expired_token_ends_nothing(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	/* Three days, and each showing makes it three days again. */
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	wait_ns(w, 3 * DAY * NSEC_PER_SEC + NSEC_PER_SEC);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	/* Not for the MAC that has it, and not brought back by showing. */
	assert_seconds(w, 1, 23 * DAY - 1);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_TOKEN_EXPIRED);
}

static void test_a_plan_brings_its_own_token_days(void **state)
{
	struct world *w = *state;
	struct plan plan = {.seconds = 30 * DAY,
		.bytes = UNLIMITED,
		.currency = "TZS",
		.name = "month",
		.moves = 9,
		.token_days = 30,
		.is_active = true};
	struct restored r;
	struct activated a;

	assert_int_equal(store_plan_insert(w->rules.store, &plan, &plan.id), 0);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, 29 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
}

static bool is_shown(
	struct world *w, const struct account *account, const char *token)
{
	bool is_good;

	assert_int_equal(
		token_show(&w->rules, account, token, &w->now, &is_good), 0);
	return is_good;
}

static void test_a_token_shown_at_the_portal_is_renewed(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct activated a, b;
	struct account account;
	struct restored r;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &b);
	for (i = 0; i < 4; i++) {
		wait_ns(w, 2 * DAY * NSEC_PER_SEC);
		assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now,
					 &account),
			0);
		assert_true(is_shown(w, &account, a.token));
		/* Another's token, and what is none. */
		assert_false(is_shown(w, &account, b.token));
		assert_false(is_shown(w, &account, "zz"));
	}
	assert_int_equal(restore(w, 2, a.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 3, b.token, &r), OUTCOME_TOKEN_EXPIRED);
	/* What is over is not brought back. */
	wait_ns(w, 4 * DAY * NSEC_PER_SEC);
	assert_int_equal(
		account_load(&w->rules, &w->macs[2], &w->now, &account), 0);
	assert_false(is_shown(w, &account, a.token));
	assert_int_equal(restore(w, 3, a.token, &r), OUTCOME_TOKEN_EXPIRED);
}

static int64_t expiry_of_token(struct world *w, const char *text)
{
	uint8_t token[CRYPTO_HASH], hash[CRYPTO_HASH];
	struct token row;

	assert_int_equal(hex_parse(text, sizeof(token), token), 0);
	crypto_sha256(token, sizeof(token), hash);
	assert_int_equal(store_token_lookup(w->rules.store, hash, &row), 0);
	return row.expires_at;
}

static void test_a_token_shown_in_a_loop_is_written_once_an_hour(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	struct restored r;
	struct activated a;
	int64_t made;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	made = expiry_of_token(w, a.token);
	for (i = 0; i < 59; i++) {
		wait_ns(w, HOUR / 60);
		assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
		assert_int_equal(expiry_of_token(w, a.token), made);
	}
	wait_ns(w, HOUR / 60);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_OK);
	assert_int_equal(expiry_of_token(w, a.token), made + 3600);
}

static void test_a_top_up_leaves_older_tokens(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, UNLIMITED);
	struct activated a[TOKENS_MAX + 1];
	struct restored r;
	int i;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a[0]);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a[1]);
	/* The link saved first, and the one that the top-up gave. */
	assert_int_equal(restore(w, 1, a[0].token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, a[1].token, &r), OUTCOME_OK);
	assert_seconds(w, 2, 58 * DAY);
	/* Each has its own end: showing one keeps that one alive. */
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 3, a[1].token, &r), OUTCOME_OK);
	wait_ns(w, 2 * DAY * NSEC_PER_SEC);
	assert_int_equal(restore(w, 4, a[0].token, &r), OUTCOME_TOKEN_EXPIRED);
	assert_int_equal(restore(w, 4, a[1].token, &r), OUTCOME_OK);
	/* There are only so many of one session. */
	for (i = 0; i <= TOKENS_MAX; i++)
		activate(w, 4, make_code(w, &plan, UNLIMITED), &a[i]);
	assert_int_equal(restore(w, 4, a[0].token, &r), OUTCOME_SESSION_UNKNOWN);
	assert_int_equal(restore(w, 4, a[1].token, &r), OUTCOME_OK);
}

static void test_tokens_of_a_joined_session_find_the_other(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, UNLIMITED);
	struct activated here, there;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &here);
	activate(w, 1, make_code(w, &plan, UNLIMITED), &there);
	assert_int_equal(restore(w, 1, here.token, &r), OUTCOME_OK);
	assert_int_equal(restore(w, 2, there.token, &r), OUTCOME_OK);
	assert_true(r.migrated);
	assert_seconds(w, 2, 7200);
}

static void test_expired_tokens_are_cleaned_up(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "month", 30 * DAY, UNLIMITED, 9);
	int64_t before[RETENTION_COUNT] = {0};
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	wait_ns(w, 4 * DAY * NSEC_PER_SEC);
	before[RETENTION_TOKENS] = w->now.wall_sec - 2 * DAY;
	assert_int_equal(store_clean_up(w->rules.store, before), 0);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_TOKEN_EXPIRED);
	before[RETENTION_TOKENS] = w->now.wall_sec;
	assert_int_equal(store_clean_up(w->rules.store, before), 1);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_SESSION_UNKNOWN);
	/* The session goes on where it is. */
	assert_seconds(w, 0, 26 * DAY);
}

static void test_a_session_that_is_used_up(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct session session;
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(token_session(&w->rules, a.token, &session), 0);
	assert_int_equal(session.state, SESSION_RUNNING);
	wait_ns(w, HOUR);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_SESSION_USED_UP);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_SESSION_USED_UP);
	assert_seconds(w, 0, 0);
	assert_int_equal(token_session(&w->rules, a.token, &session), 0);
	assert_string_equal(session.end_reason, "expired");
	assert_int_equal(token_session(&w->rules, "none", &session), -ENOENT);
	/* Nothing of it is the device's any more. */
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_VOUCHER_USED);
}

static void test_a_token_is_handed_out_once(void **state)
{
	struct world *w = *state;
	char token[TOKEN_TEXT], again[TOKEN_TEXT];
	struct account account;
	struct restored r;
	bool handed;

	allow(w, 0, 3600, UNLIMITED);
	assert_int_equal(
		account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, token), 0);
	assert_true(handed);
	assert_int_equal(
		account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(
		token_claim(&w->rules, &account, &w->now, &handed, again), 0);
	assert_false(handed);
	assert_int_equal(restore(w, 1, token, &r), OUTCOME_OK);
	assert_true(r.migrated);
}

static void test_nobody_gets_rid_of_a_block_by_moving(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 5);
	struct device device = {.mac = w->macs[0], .blocked = true};
	struct restored r;
	struct activated a;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	assert_int_equal(restore(w, 0, a.token, &r), OUTCOME_CLIENT_BLOCKED);
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_CLIENT_BLOCKED);
}

static void test_the_desk_moves_everything(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct activated a;
	struct restored r;

	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	allow(w, 0, 1800, UNLIMITED);
	assert_int_equal(move(w, 0, 1), OUTCOME_OK);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 5400);
	assert_int_equal(move(w, 0, 1), OUTCOME_NOT_FOUND);
	/* The token goes with it. */
	assert_int_equal(restore(w, 1, a.token, &r), OUTCOME_OK);
	assert_false(r.migrated);
	/* To where it is already: nothing happens. */
	assert_int_equal(move(w, 1, 1), OUTCOME_OK);
	assert_seconds(w, 1, 5400);
}

/* Grants. */

static int keep_holder(void *data, const struct holder *holder)
{
	struct holder *kept = data;

	if (!memcmp(&kept->mac, &holder->mac, sizeof(kept->mac)))
		*kept = *holder;
	return 0;
}

/* All at once, in parts, and by name: they say the same. */
static struct grant grant_for(struct world *w, int client)
{
	struct holder holder = {.mac = w->macs[client]}, again = holder, named;
	struct holder_place place = {0};
	int ret;

	assert_int_equal(
		store_holder_each(w->rules.store, keep_holder, &holder), 0);
	while (!place.is_end)
		assert_int_equal(store_holder_some(w->rules.store, &place, 1,
					 keep_holder, &again),
			0);
	assert_memory_equal(&again, &holder, sizeof(holder));
	ret = store_holder_lookup(w->rules.store, &w->macs[client], &named);
	if (ret)
		assert_int_equal(ret, -ENOENT);
	else
		assert_memory_equal(&named, &holder, sizeof(holder));
	return grant_of(&holder, &w->now);
}

static void test_the_grant_follows_the_credit_in_use(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, MEGA, 0);
	struct device device = {.mac = w->macs[0]};
	struct activated a;
	struct grant g = grant_for(w, 0);

	assert_int_equal(g.state, GRANT_NONE);
	activate(w, 0, make_code(w, &plan, UNLIMITED), &a);
	w->raw_up[0] += 1000;
	sync_records(w);
	g = grant_for(w, 0);
	assert_int_equal(g.state, GRANT_RUNNING);
	assert_int_equal(g.expires_ns, w->now.mono_ns + HOUR);
	assert_int_equal(g.bytes_left, MEGA - 1000);
	assert_int_equal(g.session_id, a.account.session.id);
	device_exempt(&device, "guest", w->now.wall_sec + 60, &w->now);
	store_device_put(w->rules.store, &device);
	assert_int_equal(grant_for(w, 0).state, GRANT_EXEMPT);
	device.blocked = true;
	store_device_put(w->rules.store, &device);
	assert_int_equal(grant_for(w, 0).state, GRANT_BLOCKED);
	device.blocked = false;
	store_device_put(w->rules.store, &device);
	g = grant_for(w, 0);
	assert_int_equal(g.state, GRANT_EXEMPT);
	assert_string_equal(g.networks, "guest");
	assert_int_equal(g.expires_ns, device.exemption.deadline_ns);
	/* Not charged to the session that it has besides. */
	assert_int_equal(g.credit_id, 0);
	wait_ns(w, 61 * NSEC_PER_SEC);
	assert_int_equal(grant_for(w, 0).state, GRANT_RUNNING);
	wait_ns(w, HOUR);
	sync_records(w);
	assert_int_equal(grant_for(w, 0).state, GRANT_NONE);
}

/* P6: pauses. */

static enum outcome pause_it(struct world *w, int client, bool *ret_changed)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	*ret_changed = false;
	assert_int_equal(session_pause(&w->rules, &w->macs[client],
				 SESSION_BY_USER, &w->now, ret_changed, &outcome), 0);
	sync_records(w);
	return outcome;
}

static void resume(struct world *w, int client)
{
	enum outcome outcome;
	bool changed = false;

	assert_int_equal(session_resume(&w->rules, &w->macs[client],
				 SESSION_BY_USER, &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	assert_true(changed);
	sync_records(w);
}

static void test_a_paused_clock_stands(void **state)
{
	struct world *w = *state;
	struct view view;
	bool changed;

	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_FOUND);
	allow(w, 0, 3600, UNLIMITED);
	wait_ns(w, 100 * NSEC_PER_SEC + 1);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_true(changed);
	/* Years later, to the nanosecond. */
	wait_ns(w, 1000 * DAY * NSEC_PER_SEC);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_false(changed);
	resume(w, 0);
	wait_ns(w, 3500 * NSEC_PER_SEC - 2);
	assert_true(look(w, 0, &view));
	assert_int_equal(view.remaining_ns, 1);
	wait_ns(w, 1);
	assert_false(look(w, 0, &view));
}

/* The credit in use says whether; what is redeemed goes on. */
static void test_what_may_be_paused(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "hour", 3600, UNLIMITED, 0);
	struct activated a;
	bool changed;

	allow(w, 0, 60, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	assert_int_equal(activate(w, 0, make_code(w, &plan, UNLIMITED), &a), OUTCOME_OK);
	assert_int_equal(a.account.session.state, SESSION_RUNNING);
	wait_ns(w, 60 * NSEC_PER_SEC);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
	allow(w, 0, 60, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
	assert_seconds(w, 0, 3660);
}

/* Held and released, it is paused again. */
static void test_a_hold_over_a_pause(void **state)
{
	struct world *w = *state;
	enum outcome outcome;
	struct account account;
	bool changed;

	allow(w, 0, 3600, UNLIMITED);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_OK);
	hold(w, 0, true);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_SESSION_HELD);
	assert_int_equal(session_resume(&w->rules, &w->macs[0], SESSION_BY_USER,
				 &w->now, &changed, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_SESSION_HELD);
	assert_int_equal(session_release(&w->rules, &w->macs[0],
				 SESSION_BY_OPERATOR, &w->now, &changed, &outcome), 0);
	assert_true(changed);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account.session.state, SESSION_PAUSED);
	wait_ns(w, HOUR);
	assert_seconds(w, 0, 3600);
}

/* Each device would have the minutes that the other one stops. */
static void test_what_is_shared_is_not_paused(void **state)
{
	struct world *w = *state;
	struct credit credit = {.kind = KIND_COIN, .left_ns = HOUR,
		.bytes = UNLIMITED, .moves_left = UNLIMITED, .token_days = UNLIMITED};
	struct group group = {.devices_max = 2, .bytes = UNLIMITED, .name = "two"};
	enum outcome outcome;
	struct account account;
	bool changed;

	assert_int_equal(store_group_insert(w->rules.store, &group), 0);
	credit.group_id = group.id;
	assert_int_equal(account_open(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account_add(&w->rules, &account, &credit, &w->now, &outcome), 0);
	assert_int_equal(pause_it(w, 0, &changed), OUTCOME_NOT_PAUSABLE);
}

/* Refunds. */

static struct payment buy(struct world *w, int client, int64_t seconds, int64_t bytes)
{
	struct allowance allowance = {.seconds = seconds, .bytes = bytes};
	struct payment payment = {.paid_at = 1, .method = "cash", .amount_minor = 100,
		.currency = "TZS", .who = "test"};
	enum outcome outcome;
	struct account account;

	assert_int_equal(session_allow(&w->rules, &w->macs[client], &allowance,
				 &w->now, &account, &outcome), 0);
	assert_int_equal(sale_to_session(&w->rules, &account, &payment), 0);
	sync_records(w);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	return payment;
}

static void refund(struct world *w, const struct payment *payment)
{
	enum outcome outcome = OUTCOME_CONFLICT;

	assert_int_equal(session_refund(&w->rules, payment, &w->now, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_OK);
	sync_records(w);
}

static void test_a_refund_takes_what_it_bought(void **state)
{
	struct world *w = *state;
	struct payment first = buy(w, 0, 600, UNLIMITED), second = buy(w, 0, 300, UNLIMITED);
	struct account account;
	struct session session;

	wait_ns(w, 100 * NSEC_PER_SEC);
	/* Added up with the first, and 100 s are used: never more than it bought. */
	refund(w, &second);
	assert_seconds(w, 0, 500);
	assert_int_equal(account_load(&w->rules, &w->macs[0], &w->now, &account), 0);
	assert_int_equal(account.session.total_paid_minor, 100);
	/* Nor than is left; and that was the last. */
	refund(w, &first);
	assert_seconds(w, 0, 0);
	assert_int_equal(
		store_session_last(w->rules.store, &w->macs[0], &session), 0);
	assert_string_equal(session.end_reason, "refunded");
	assert_int_equal(session.total_paid_minor, 0);
}

/* It follows its credit to another MAC and into another session. */
static void test_a_refund_finds_its_credit(void **state)
{
	struct world *w = *state;
	struct payment payment = buy(w, 0, 600, 5 * MEGA);
	struct account account;

	assert_int_equal(move(w, 0, 1), OUTCOME_OK);
	allow(w, 2, 60, UNLIMITED);
	assert_int_equal(move(w, 1, 2), OUTCOME_OK);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	refund(w, &payment);
	assert_seconds(w, 2, 60);
	assert_int_equal(account_load(&w->rules, &w->macs[2], &w->now, &account), 0);
	assert_int_equal(account.session.total_paid_minor, 0);
}

static void test_a_refund_of_what_is_shared(void **state)
{
	struct world *w = *state;
	struct plan plan = make_shared_plan(w, 3);
	struct payment payment = {.paid_at = 1, .method = "cash", .amount_minor = 700,
		.currency = "TZS", .who = "test"};
	enum outcome outcome;
	struct activated a;
	struct voucher voucher;

	make_code(w, &plan, UNLIMITED);
	assert_int_equal(store_voucher_list(w->rules.store, -1, NULL, 0, &voucher, 1), 1);
	payment.voucher_id = voucher.id;
	assert_int_equal(store_payment_insert(w->rules.store, &payment), 0);
	/* Not redeemed yet: there is nothing to take. */
	assert_int_equal(session_refund(&w->rules, &payment, &w->now, &outcome), 0);
	assert_int_equal(outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(activate(w, 0, w->code, &a), OUTCOME_OK);
	assert_int_equal(a.account.session.total_paid_minor, 700);
	assert_int_equal(activate(w, 1, w->code, &a), OUTCOME_OK);
	assert_int_equal(store_payment_lookup(w->rules.store, payment.id, &payment), 0);
	refund(w, &payment);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 0);
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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transitions),
		TEST(test_codes),
		TEST(test_a_voucher_is_worth_its_plan_once),
		TEST(test_a_plan_for_some_networks),
		TEST(test_a_session_that_is_held),
		TEST(test_no_way_around_a_hold),
		TEST(test_a_voucher_for_several_devices),
		TEST(test_who_cannot_join_a_voucher),
		TEST(test_shared_time_is_not_used_twice),
		TEST(test_credits_for_where_the_guest_is),
		TEST(test_vouchers_that_are_no_good),
		TEST(test_a_blocked_device_keeps_its_voucher),
		TEST(test_codes_can_be_shown_again),
		TEST(test_same_plan_adds_up_another_waits),
		TEST(test_a_session_is_topped_up_for_ever),
		TEST(test_too_many_waiting_credits_are_refused),
		TEST(test_fair_use_ends_nothing),
		TEST(test_rates_change_for_what_is_in_use),
		TEST(test_bytes_end_a_credit_and_start_the_next),
		TEST(test_mixed_credits_are_shown_one_by_one),
		TEST(test_an_operator_gives_and_takes),
		TEST(test_a_plan_that_was_removed),
		TEST(test_the_default_plans),
		TEST(test_a_voucher_session_stays_with_its_device),
		TEST(test_moves_are_counted),
		TEST(test_what_may_not_move_stays),
		TEST(test_a_moved_session_joins_the_one_that_is_there),
		TEST(test_what_was_paid_is_kept_when_sessions_join),
		TEST(test_an_expired_token_ends_nothing),
		TEST(test_a_plan_brings_its_own_token_days),
		TEST(test_a_token_shown_at_the_portal_is_renewed),
		TEST(test_a_token_shown_in_a_loop_is_written_once_an_hour),
		TEST(test_a_top_up_leaves_older_tokens),
		TEST(test_tokens_of_a_joined_session_find_the_other),
		TEST(test_expired_tokens_are_cleaned_up),
		TEST(test_a_session_that_is_used_up),
		TEST(test_a_token_is_handed_out_once),
		TEST(test_nobody_gets_rid_of_a_block_by_moving),
		TEST(test_the_desk_moves_everything),
		TEST(test_the_grant_follows_the_credit_in_use),
		TEST(test_a_paused_clock_stands),
		TEST(test_what_may_be_paused),
		TEST(test_a_hold_over_a_pause),
		TEST(test_what_is_shared_is_not_paused),
		TEST(test_a_refund_takes_what_it_bought),
		TEST(test_a_refund_finds_its_credit),
		TEST(test_a_refund_of_what_is_shared),
		TEST(test_one_of_many_gets_the_voucher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
