/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operators (N12, N13, T1). Protects: a login ends after its time, without use,
 * and with the password and the role it was made under; a role counts from the
 * moment it is changed; guessing is slow and keeps nobody out; a password that
 * is checked keeps nobody waiting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "daemon/login_throttle.h"
#include "daemon/passwords.h"
#include "rules/operator.h"

#include "lib/fixture.h"

#define T0     1795000000LL
#define MINUTE 60
#define HOUR   3600

static struct operator make(struct store *store, const char *name, enum role role)
{
	struct operator operator = {.role = role, .created_at = T0};

	memcpy(operator.name, name, strlen(name));
	memcpy(operator.password, "old", 4);
	memcpy(operator.created_by, "root", 5);
	assert_int_equal(store_operator_insert(store, &operator), 0);
	return operator;
}

static void login(struct store *store, struct operator *operator, int64_t now,
	char ret_token[static OPERATOR_TOKEN])
{
	int64_t expires_at;

	assert_int_equal(operator_login(store, operator, "10.0.0.9", now,
				 ret_token, &expires_at),
		0);
	assert_int_equal(expires_at, now + 7 * SEC_PER_DAY);
}

static int look(struct store *store, const char *token, int64_t now)
{
	struct operator_proof proof;

	return operator_by_token(store, token, now, &proof);
}

static void test_names_and_passwords(void **state)
{
	static const char *const good[] = {"anna", "a.b-c_d", "a@b.example"};
	static const char *const bad[] = {"", "anna b", "anna\n", "<b>",
		"0123456789012345678901234567890"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(operator_name_is_good(good[i]));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(operator_name_is_good(bad[i]));
	assert_null(operator_password_fault("anna", "correct horse"));
	assert_non_null(operator_password_fault("anna", "short"));
	assert_non_null(operator_password_fault("anna", "aaaaaaaaaaaa"));
	assert_non_null(operator_password_fault("annabellissima", "AnnaBellissima"));
}

static void test_a_name_is_taken_once(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_STAFF);

	memcpy(operator.name, "ANNA", 4);
	assert_int_equal(store_operator_insert(*state, &operator), -EEXIST);
	assert_int_equal(store_operator_by_name(*state, "Anna", &operator), 0);
}

static void test_a_login_lasts_so_long(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_STAFF);
	char token[OPERATOR_TOKEN];
	int64_t now = T0;

	login(*state, &operator, T0, token);
	assert_int_equal(look(*state, token, T0), 0);
	assert_int_equal(look(*state, token, T0 + 12 * HOUR - 1), 0);
	/* Used an hour before each twelve are over: to the end of 7 days. */
	while (now + 11 * HOUR < T0 + 7 * SEC_PER_DAY) {
		now += 11 * HOUR;
		assert_int_equal(look(*state, token, now), 0);
	}
	assert_int_equal(look(*state, token, T0 + 7 * SEC_PER_DAY - 1), 0);
	assert_int_equal(look(*state, token, T0 + 7 * SEC_PER_DAY), -ENOENT);

	login(*state, &operator, T0, token);
	assert_int_equal(look(*state, token, T0 + 12 * HOUR), -ENOENT);
	assert_int_equal(operator_clean_up(*state, T0 + 12 * HOUR), 0);
	assert_int_equal(look(*state, token, T0), -ENOENT);
	assert_int_equal(look(*state, "nonsense", T0), -ENOENT);
}

static void test_a_change_ends_logins(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_ADMIN);
	char one[OPERATOR_TOKEN], other[OPERATOR_TOKEN];
	struct operator_proof proof;
	int64_t ended;

	login(*state, &operator, T0, one);
	login(*state, &operator, T0, other);
	operator.role = ROLE_STAFF;
	assert_int_equal(operator_change(*state, &operator, &ended), 0);
	assert_int_equal(ended, 2);
	assert_int_equal(look(*state, one, T0 + 1), -ENOENT);
	assert_int_equal(look(*state, other, T0 + 1), -ENOENT);

	login(*state, &operator, T0, one);
	assert_int_equal(operator_by_token(*state, one, T0, &proof), 0);
	assert_int_equal(proof.role, ROLE_STAFF);
	assert_string_equal(proof.name, "anna");
	assert_true(proof.session_id);
	assert_int_equal(store_operator_remove(*state, operator.id), 0);
	assert_int_equal(look(*state, one, T0), -ENOENT);
}

/* A clock that was wrong by a year ends nothing and gives nothing away. */
static void test_a_step_of_the_clock(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_STAFF);
	const int64_t step = 365 * SEC_PER_DAY;
	char token[OPERATOR_TOKEN];

	login(*state, &operator, T0, token);
	assert_int_equal(store_clock_step(*state, step), 0);
	assert_int_equal(look(*state, token, T0 + step + 11 * HOUR), 0);
	assert_int_equal(store_clock_step(*state, -step), 0);
	assert_int_equal(look(*state, token, T0 + 22 * HOUR), 0);
	assert_int_equal(look(*state, token, T0 + 34 * HOUR + MINUTE), -ENOENT);
}

static void test_the_oldest_login_goes(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_STAFF);
	char first[OPERATOR_TOKEN], token[OPERATOR_TOKEN];
	int i;

	login(*state, &operator, T0, first);
	for (i = 0; i < OPERATOR_SESSIONS_MAX - 1; i++)
		login(*state, &operator, T0, token);
	assert_int_equal(look(*state, first, T0), 0);
	login(*state, &operator, T0, token);
	assert_int_equal(look(*state, first, T0), -ENOENT);
	assert_int_equal(look(*state, token, T0), 0);
}

static void test_api_tokens(void **state)
{
	struct operator operator = make(*state, "anna", ROLE_MANAGER);
	struct api_token row = {.operator_id = operator.id,
		.created_at = T0,
		.expires_at = T0 + SEC_PER_DAY};
	struct operator_proof proof;
	char token[OPERATOR_TOKEN];
	int64_t ended;

	assert_int_equal(operator_token_make(*state, &row, token), 0);
	assert_int_equal(operator_by_token(*state, token, T0, &proof), 0);
	assert_int_equal(proof.role, ROLE_MANAGER);
	assert_int_equal(proof.session_id, 0);
	/* It stays, and may do what its operator may by now. */
	operator.role = ROLE_STAFF;
	assert_int_equal(operator_change(*state, &operator, &ended), 0);
	assert_int_equal(operator_by_token(*state, token, T0, &proof), 0);
	assert_int_equal(proof.role, ROLE_STAFF);
	assert_int_equal(look(*state, token, T0 + SEC_PER_DAY), -ENOENT);
	assert_int_equal(store_api_token_remove(*state, row.id), 0);
	assert_int_equal(look(*state, token, T0), -ENOENT);
}

/* Guessing. */

static struct login_try from(const char *name, const char *address, bool is_known)
{
	struct login_try try = {.name = name, .is_known = is_known};

	assert_int_equal(ip_parse(address, &try.address), 0);
	return try;
}

static int tries(struct login_throttle *throttle, struct login_try try,
	int64_t now_ns, int64_t *ret_wait)
{
	int n = 0;

	while (!(*ret_wait = login_throttle_try(throttle, &try, now_ns)))
		n++;
	return n;
}

static void test_guesses_from_one_address(void **state)
{
	struct login_throttle *throttle = login_throttle_new();
	int64_t now = NSEC_PER_SEC, wait;

	assert_int_equal(
		tries(throttle, from("anna", "10.0.0.5", false), now, &wait), 5);
	assert_true(wait > 0 && wait <= 60 * NSEC_PER_SEC);
	/* Another name does not help. */
	assert_int_equal(
		tries(throttle, from("root", "10.0.0.5", false), now, &wait), 0);
	now += 60 * NSEC_PER_SEC;
	assert_int_equal(
		tries(throttle, from("anna", "10.0.0.5", false), now, &wait), 1);
	login_throttle_free(throttle);
}

static void test_guessers_keep_nobody_out(void **state)
{
	struct login_throttle *throttle = login_throttle_new();
	struct login_try known = from("Anna", "10.0.0.9", true);
	int64_t now = NSEC_PER_SEC, wait;
	int i, n = 0;

	/* From thousands of addresses at once, for an hour. */
	for (i = 0; i < 3600; i++, now += NSEC_PER_SEC) {
		char address[32];

		snprintf(address, sizeof(address), "2001:db8:%x:%x::1", i % 7,
			i);
		n += tries(throttle, from("anna", address, false), now, &wait);
	}
	assert_true(n <= 10 + 3600 / 20 + 1);
	assert_int_equal(login_throttle_try(throttle, &known, now), 0);
	/* Whoever knows the address has guesses like anybody. */
	assert_int_equal(tries(throttle, known, now, &wait), 4);
	login_throttle_right(throttle, &known, now);
	assert_int_equal(tries(throttle, known, now, &wait), 5);
	login_throttle_free(throttle);
}

static void test_what_is_right_costs_nothing(void **state)
{
	struct login_throttle *throttle = login_throttle_new();
	struct login_try try = from("anna", "10.0.0.5", false);
	int i;

	for (i = 0; i < 100; i++) {
		assert_int_equal(
			login_throttle_try(throttle, &try, NSEC_PER_SEC), 0);
		login_throttle_right(throttle, &try, NSEC_PER_SEC);
	}
	login_throttle_free(throttle);
}

/* The thread. */

struct waiter {
	struct loop *loop;
	int left;
	int results[PASSWORDS_WAITING];
	char stored[CRYPTO_PASSWORD];
	int ticks;
	struct loop_timer timer;
};

static void on_result(void *data, int ret, const char *stored)
{
	struct waiter *w = data;

	w->results[--w->left] = ret;
	if (!ret && stored && stored[0])
		memcpy(w->stored, stored, sizeof(w->stored));
	if (!w->left)
		loop_quit(w->loop);
}

static void on_tick(void *data)
{
	struct waiter *w = data;

	w->ticks++;
}

static void test_passwords(void **state)
{
	static const uint8_t key[CRYPTO_KEY] = {1}, other_key[CRYPTO_KEY] = {2};
	struct waiter w = {.loop = loop_new()};
	struct passwords *passwords;
	int i;

	assert_int_equal(passwords_new(w.loop, key, &passwords), 0);
	w.left = 1;
	assert_int_equal(passwords_make(passwords, "correct horse", on_result, &w),
		0);
	loop_run(w.loop);
	assert_memory_equal(w.stored, "$argon2id$", 10);
	assert_int_equal(
		crypto_password_check(other_key, "correct horse", w.stored),
		-EACCES);

	w.left = PASSWORDS_WAITING;
	for (i = 0; i < PASSWORDS_WAITING; i++)
		assert_int_equal(passwords_check(passwords,
					 i ? "wrong horse" : "correct horse",
					 w.stored, on_result, &w),
			0);
	assert_int_equal(passwords_waiting(passwords), PASSWORDS_WAITING);
	assert_int_equal(passwords_check(passwords, "x", w.stored, on_result, &w),
		-EBUSY);
	/* The loop goes on meanwhile. */
	loop_timer_start(w.loop, &w.timer, NSEC_PER_MSEC, NSEC_PER_MSEC, on_tick,
		&w);
	loop_run(w.loop);
	loop_timer_stop(w.loop, &w.timer);
	assert_true(w.ticks >= 10);
	assert_int_equal(w.results[PASSWORDS_WAITING - 1], 0);
	for (i = 0; i < PASSWORDS_WAITING - 1; i++)
		assert_int_equal(w.results[i], -EACCES);

	/* Who still waits at the end is told. */
	w.left = 2;
	assert_int_equal(passwords_make(passwords, "a", on_result, &w), 0);
	assert_int_equal(passwords_make(passwords, "b", on_result, &w), 0);
	passwords_free(passwords);
	assert_int_equal(w.left, 0);
	assert_int_equal(w.results[0], -ECANCELED);
	loop_free(w.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_passwords),
		cmocka_unit_test_setup_teardown(
			test_a_name_is_taken_once, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_login_lasts_so_long, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_change_ends_logins, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_step_of_the_clock, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_oldest_login_goes, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test_setup_teardown(
			test_api_tokens, lib_store_set_up, lib_store_tear_down),
		cmocka_unit_test(test_guesses_from_one_address),
		cmocka_unit_test(test_guessers_keep_nobody_out),
		cmocka_unit_test(test_what_is_right_costs_nothing),
		cmocka_unit_test(test_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
