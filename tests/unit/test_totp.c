/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes of an app: the vectors of RFC 6238 appendix B, how far clocks may differ,
 * and that no code is good twice; tickets of logins that wait for one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/totp.h"
#include "base/util.h"
#include "daemon/second_step.h"

static const uint8_t secret[TOTP_SECRET + 1] = "12345678901234567890";

/* Of the RFC's eight digits the last six. */
static const struct {
	int64_t at;
	const char *code;
} vectors[] = {
	{59, "287082"},
	{1111111109, "081804"},
	{1111111111, "050471"},
	{1234567890, "005924"},
	{2000000000, "279037"},
	{20000000000, "353130"},
};

static void test_vectors(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		int64_t at = vectors[i].at, step = at / TOTP_STEP;

		assert_int_equal(totp_step(secret, vectors[i].code, at, 0), step);
		assert_int_equal(totp_step(secret, vectors[i].code,
					 at - TOTP_STEP, 0), step);
		assert_int_equal(totp_step(secret, vectors[i].code,
					 at + TOTP_STEP, 0), step);
		assert_int_equal(totp_step(secret, vectors[i].code,
					 at + 2 * TOTP_STEP, 0), -EACCES);
		/* Seen over a shoulder. */
		assert_int_equal(totp_step(secret, vectors[i].code, at, step),
			-EACCES);
		assert_int_equal(totp_step(secret, vectors[i].code, at, step - 1),
			step);
	}
}

static void test_what_is_typed(void **state)
{
	static const char *const wrong[] = {"", "2", "28708", "2870820", "28708x",
		"287083", "-1", "      ", "287 0821"};
	size_t i;

	(void)state;
	assert_int_equal(totp_step(secret, "287 082", 59, 0), 1);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(totp_step(secret, wrong[i], 59, 0), -EACCES);
}

static void test_the_address_for_an_app(void **state)
{
	char text[TOTP_BASE32], url[TOTP_URL], issuer[400];

	(void)state;
	totp_base32(secret, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	totp_url(secret, "The bar & caf\u00e9", "a@b", url);
	assert_string_equal(url,
		"otpauth://totp/The%20bar%20%26%20caf%C3%A9:a%40b?secret="
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer="
		"The%20bar%20%26%20caf%C3%A9");
	memset(issuer, '&', sizeof(issuer));
	issuer[sizeof(issuer) - 1] = '\0';
	totp_url(secret, issuer, issuer, url);
	assert_true(strlen(url) < TOTP_URL);
}

static void test_tickets(void **state)
{
	struct second_steps *steps = second_steps_new();
	struct second_step step = {.operator_id = 7}, *found;
	char first[CTL_TICKET_LEN + 1], ticket[CTL_TICKET_LEN + 1];
	int i;

	(void)state;
	second_steps_add(steps, &step, 10, first);
	found = second_steps_find(steps, first, 11);
	assert_non_null(found);
	assert_int_equal(found->operator_id, 7);
	assert_null(second_steps_find(steps, "", 11));
	assert_null(second_steps_find(
		steps, "00000000000000000000000000000000", 11));
	/* Three tries, and some minutes. */
	found->tries = SECOND_STEP_TRIES;
	assert_null(second_steps_find(steps, first, 11));
	second_steps_add(steps, &step, 10, first);
	assert_null(second_steps_find(steps, first, 10 + SECOND_STEP_NS));
	/* The oldest makes room, not the newest. */
	second_steps_add(steps, &step, 10, first);
	for (i = 0; i < 64; i++) {
		step.operator_id = 100 + i;
		second_steps_add(steps, &step, 11 + i, ticket);
	}
	assert_null(second_steps_find(steps, first, 100));
	found = second_steps_find(steps, ticket, 100);
	assert_non_null(found);
	assert_int_equal(found->operator_id, 163);
	second_steps_free(steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_what_is_typed),
		cmocka_unit_test(test_the_address_for_an_app),
		cmocka_unit_test(test_tickets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
