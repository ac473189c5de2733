/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members (U5 to U9): who gets what plan until when, how many devices share it,
 * what counts as proof, and what a code and a login are worth. Protects: the
 * check-out ends all of it, and nobody gets the same bytes twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "rules/member.h"
#include "rules/pause.h"
#include "rules/qr_login.h"

#include "lib/world.h"

static struct member make_member(struct world *w, const char *identity,
	int64_t devices, int64_t check_out)
{
	struct member member = {.devices = devices, .check_out = check_out};

	snprintf(member.identity, sizeof(member.identity), "%s", identity);
	assert_int_equal(store_member_insert(w->rules.store, &member), 0);
	return member;
}

static enum outcome admit(struct world *w, int client, struct member *member,
	const struct plan *plan, struct admitted *ret_admitted)
{
	enum outcome outcome = OUTCOME_OK;

	assert_int_equal(member_admit(&w->rules,
				 &(struct guest){&w->macs[client], w->network},
				 member, plan, &w->now, ret_admitted, &outcome),
		0);
	sync_records(w);
	return outcome;
}

static void no_matter(void *data, const struct mac *mac)
{
}

static void settle(struct world *w, const struct member *member, bool is_gone)
{
	assert_int_equal(store_member_put(w->rules.store, member), 0);
	assert_int_equal(member_settle(&w->rules, member, is_gone, &w->now,
				 no_matter, NULL),
		0);
	sync_records(w);
}

static void test_the_check_out_ends_all(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "Stay", 30 * DAY, UNLIMITED, 0);
	struct member member =
		make_member(w, "R-1", 2, w->now.wall_sec + 3 * DAY);
	struct admitted admitted;
	struct view view;

	assert_int_equal(admit(w, 0, &member, &plan, &admitted), OUTCOME_OK);
	assert_true(admitted.is_new && admitted.group_id);
	assert_int_equal(strlen(admitted.token), 64);
	look(w, 0, &view);
	assert_int_equal(view.ends_at, w->now.wall_sec + 3 * DAY);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_int_equal(admit(w, 1, &member, &plan, &admitted), OUTCOME_OK);
	assert_false(admitted.is_new);
	assert_seconds(w, 0, 2 * DAY);
	assert_seconds(w, 1, 2 * DAY);
	/* A third finds no place, and who comes again has his. */
	assert_int_equal(
		admit(w, 2, &member, &plan, &admitted), OUTCOME_DEVICES_FULL);
	assert_int_equal(admit(w, 1, &member, &plan, &admitted), OUTCOME_OK);
	/* Longer, and shorter, for those that run. */
	member.check_out += DAY;
	settle(w, &member, false);
	assert_seconds(w, 1, 3 * DAY);
	member.check_out -= 2 * DAY;
	settle(w, &member, false);
	assert_seconds(w, 0, DAY);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, 0);
	assert_false(member_is_staying(&member, w->now.wall_sec));
	member.check_in = member.check_out = 0;
	assert_true(member_is_staying(&member, w->now.wall_sec));
	/* Another stay; and whoever is removed has nothing. */
	assert_int_equal(admit(w, 0, &member, &plan, &admitted), OUTCOME_OK);
	assert_seconds(w, 0, 30 * DAY);
	settle(w, &member, true);
	assert_seconds(w, 0, 0);
}

static void test_bytes_are_given_once_in_the_time_of_the_plan(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "Day", DAY, MEGA, 0);
	struct member member = make_member(w, "R-1", 1, 0), nobody = {.id = 0};
	struct admitted admitted;
	enum outcome outcome;

	assert_int_equal(admit(w, 0, &member, &plan, &admitted), OUTCOME_OK);
	w->raw_down[0] = MEGA - 100;
	w->exhausted[0] = true;
	assert_seconds(w, 0, 0);
	sync_records(w);
	assert_int_equal(
		admit(w, 0, &member, &plan, &admitted), OUTCOME_SESSION_USED_UP);
	assert_int_equal(
		admit(w, 1, &member, &plan, &admitted), OUTCOME_SESSION_USED_UP);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_int_equal(admit(w, 1, &member, &plan, &admitted), OUTCOME_OK);
	/* What the desk took may be had again. */
	assert_int_equal(session_kick(&w->rules, &w->macs[1], &w->now, &outcome), 0);
	sync_records(w);
	assert_int_equal(admit(w, 1, &member, &plan, &admitted), OUTCOME_OK);
	/* Somebody unknown has it once for each device. */
	assert_int_equal(admit(w, 2, &nobody, &plan, &admitted), OUTCOME_OK);
	assert_int_equal(session_kick(&w->rules, &w->macs[2], &w->now, &outcome), 0);
	sync_records(w);
	assert_int_equal(
		admit(w, 2, &nobody, &plan, &admitted), OUTCOME_SESSION_USED_UP);
	assert_int_equal(admit(w, 3, &nobody, &plan, &admitted), OUTCOME_OK);
}

static int64_t seen_at[CLIENTS];

static int64_t seen(void *data, const struct mac *mac)
{
	struct world *w = data;
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (!memcmp(&w->macs[i], mac, sizeof(*mac)))
			return seen_at[i];
	return 0;
}

/* A phone with another address takes the place of its old one, a device in use
 * gives way to nobody. */
static void test_the_silent_one_gives_way(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "Stay", DAY, UNLIMITED, 0);
	struct member member = make_member(w, "R-1", 2, 0);
	struct admitted admitted;

	w->rules.seen = seen;
	admit(w, 0, &member, &plan, &admitted);
	admit(w, 1, &member, &plan, &admitted);
	wait_ns(w, HOUR);
	seen_at[0] = w->now.mono_ns - MEMBER_SILENT_NS / 2;
	seen_at[1] = w->now.mono_ns;
	assert_int_equal(
		admit(w, 2, &member, &plan, &admitted), OUTCOME_DEVICES_FULL);
	seen_at[0] = w->now.mono_ns - MEMBER_SILENT_NS - 1;
	assert_int_equal(admit(w, 2, &member, &plan, &admitted), OUTCOME_OK);
	assert_memory_equal(&admitted.from, &w->macs[0], sizeof(w->macs[0]));
	assert_seconds(w, 0, 0);
	assert_seconds(w, 1, DAY - 3600);
	assert_seconds(w, 2, DAY - 3600);
}

/* P7: a login is the proof that its own session waits for, and no other's. */
static void test_a_held_session(void **state)
{
	struct world *w = *state;
	struct plan plan = make_plan(w, "Stay", DAY, UNLIMITED, 0);
	struct member member = make_member(w, "R-1", 2, 0),
		      other = make_member(w, "R-2", 2, 0);
	struct admitted admitted;

	admit(w, 0, &member, &plan, &admitted);
	hold(w, 0, true);
	assert_int_equal(
		admit(w, 0, &other, &plan, &admitted), OUTCOME_SESSION_HELD);
	assert_int_equal(admit(w, 0, &member, &plan, &admitted), OUTCOME_OK);
	assert_int_equal(admitted.account.session.state, SESSION_RUNNING);
}

static void test_what_is_a_proof(void **state)
{
	static const struct {
		const char *name, *room, *typed;
		bool is_right;
	} rows[] = {
		{"Smith", "", "smith", true},
		{"Smith", "", " SMITH ", true},
		{"Smith", "", "Smit", false},
		{"Smith", "", "", false},
		{"Smith", "204", "Smith 204", true},
		{"Smith", "204", "204, smith", true},
		{"Smith", "204", "Smith", false},
		{"Smith", "204", "204", false},
		{"", "12 B", "12-b", true},
		{"Müller", "", "MÜLLER", true},
		{"O'Neill-Ngũgĩ", "", "oneill ngũgĩ", true},
		{"محمد", "", "محمد", true},
		{"-", "", "-", false},
		{"***", "", ".", false},
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct member member = {.id = 1};

		snprintf(member.proof_name, MEMBER_PROOF, "%s", rows[i].name);
		snprintf(member.proof_room, MEMBER_PROOF, "%s", rows[i].room);
		assert_true(member_has_proof(&member));
		if (member_proof_is(&w->rules, &member, rows[i].typed) !=
			rows[i].is_right)
			fail_msg("%s/%s: %s", rows[i].name, rows[i].room,
				rows[i].typed);
	}
}

static enum outcome find(struct world *w, const char *text)
{
	enum outcome outcome = OUTCOME_CONFLICT;
	struct qr_token token;

	assert_int_equal(
		qr_token_find(&w->rules, text, &w->now, &token, &outcome), 0);
	return outcome;
}

static void test_codes(void **state)
{
	struct world *w = *state;
	struct qr_token token = {.label = "lobby", .created_by = "x"}, rows[4];
	char text[QR_TOKEN_TEXT], again[QR_TOKEN_TEXT];

	assert_int_equal(
		qr_token_make(&w->rules, 30, &w->now, &token, text), 0);
	assert_int_equal(strlen(text), 48);
	assert_int_equal(find(w, text), OUTCOME_OK);
	assert_int_equal(find(w, "x"), OUTCOME_QR_UNKNOWN);
	assert_int_equal(qr_token_reveal(&w->rules, &token, again), 0);
	assert_string_equal(again, text);
	/* A week before its end there is the next, once; both work. */
	wait_ns(w, 22 * DAY * NSEC_PER_SEC);
	assert_int_equal(qr_token_rotate(&w->rules, 30, 7, &w->now), 0);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_int_equal(qr_token_rotate(&w->rules, 30, 7, &w->now), 1);
	assert_int_equal(qr_token_rotate(&w->rules, 30, 7, &w->now), 0);
	assert_int_equal(store_qr_token_list(
		w->rules.store, UNLIMITED, rows, 4), 2);
	assert_int_equal(rows[1].next_id, rows[0].id);
	assert_string_equal(rows[0].label, "lobby");
	assert_int_equal(qr_token_reveal(&w->rules, &rows[0], again), 0);
	assert_int_equal(find(w, text), OUTCOME_OK);
	assert_int_equal(find(w, again), OUTCOME_OK);
	wait_ns(w, 7 * DAY * NSEC_PER_SEC);
	assert_int_equal(find(w, text), OUTCOME_QR_EXPIRED);
	rows[0].revoked_at = w->now.wall_sec;
	assert_int_equal(store_qr_token_put(w->rules.store, &rows[0]), 0);
	assert_int_equal(find(w, again), OUTCOME_QR_REVOKED);
	/* One that lives for less than that week is not followed at once. */
	assert_int_equal(qr_token_make(&w->rules, 3, &w->now, &token, text), 0);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_int_equal(qr_token_rotate(&w->rules, 3, 7, &w->now), 1);
	assert_int_equal(qr_token_rotate(&w->rules, 3, 7, &w->now), 0);
}

/* U5: 24 hours; above guest only with its cookie; the role of this moment. */
static void test_logins(void **state)
{
	struct world *w = *state;
	struct operator operator = {.name = "anna", .role = ROLE_MANAGER,
		.password = "x", .created_by = "x"};
	struct member member = {.devices = 5}, found;
	struct qr_token token = {.created_by = "x"};
	struct qr_login guest, staff;
	char text[QR_TOKEN_TEXT];
	struct qr_session row;
	enum role role;

	assert_int_equal(
		qr_token_make(&w->rules, 30, &w->now, &token, text), 0);
	assert_int_equal(store_operator_insert(w->rules.store, &operator), 0);
	snprintf(member.identity, sizeof(member.identity), "S-7");
	member.operator_id = operator.id;
	assert_int_equal(store_member_insert(w->rules.store, &member), 0);
	memset(&guest, 0, sizeof(guest));
	guest.row.mac = w->macs[0];
	staff = guest;
	staff.row.member_id = member.id;
	assert_int_equal(qr_login_start(
		&w->rules, &token, ROLE_NONE, &w->now, &guest), 0);
	assert_int_equal(qr_login_start(
		&w->rules, &token, ROLE_STAFF, &w->now, &staff), 0);
	assert_string_equal(guest.cookie, "");
#define FIND(session, cookie) \
	qr_login_find(&w->rules, session, cookie, &w->now, &row, &found, &role)
	assert_int_equal(FIND(guest.session, NULL), 0);
	assert_int_equal(role, ROLE_NONE);
	assert_int_equal(FIND(staff.session, NULL), -ENOENT);
	assert_int_equal(FIND(staff.session, guest.session), -ENOENT);
	assert_int_equal(FIND(staff.session, staff.cookie), 0);
	assert_int_equal(role, ROLE_STAFF); /* whatever else the account may */
	assert_int_equal(qr_login_by_cookie(
		&w->rules, staff.session, &w->now, &row, &found, &role), -ENOENT);
	assert_int_equal(qr_login_by_cookie(
		&w->rules, staff.cookie, &w->now, &row, &found, &role), 0);
	assert_string_equal(found.operator_name, "anna");
	/* The link is taken away: that counts at once. */
	member.operator_id = 0;
	assert_int_equal(store_member_put(w->rules.store, &member), 0);
	assert_int_equal(FIND(staff.session, staff.cookie), -ENOENT);
	wait_ns(w, DAY * NSEC_PER_SEC);
	assert_int_equal(FIND(guest.session, NULL), -ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_check_out_ends_all),
		TEST(test_bytes_are_given_once_in_the_time_of_the_plan),
		TEST(test_the_silent_one_gives_way),
		TEST(test_a_held_session),
		TEST(test_what_is_a_proof),
		TEST(test_codes),
		TEST(test_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
