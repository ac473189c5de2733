/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Money and vouchers (P3): each sale is a row, once; what a session cost is the
 * sum of its rows; what is given back is taken back; codes of elsewhere are as
 * good as ours; batches are counted right whatever happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/sale.h"
#include "rules/voucher.h"
#include "store/handle.h"
#include "store/payments.h"

#include "lib/fixture.h"

struct desk {
	struct rules rules;
	struct moment now;
	struct plan plan;
	struct mac mac;
	char code[VOUCHER_CODE]; /* the last one made */
};

static int set_up(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	lib_rules_open(&d->rules);
	d->now = (struct moment){3600 * NSEC_PER_SEC, 1800000000};
	d->mac = lib_mac(1);
	d->plan = lib_plan("hour", 3600);
	lib_plan_add(&d->rules, &d->plan);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;

	lib_rules_close(&d->rules);
	free(d);
	return 0;
}

static void take_code(void *data, const char *code)
{
	struct desk *d = data;

	snprintf(d->code, sizeof(d->code), "%s", code);
}

static struct voucher_batch batch_of(struct desk *d, const char *name)
{
	return (struct voucher_batch){.plan = &d->plan,
		.count = 1,
		.expires_at = UNLIMITED,
		.prefix = "AJC",
		.batch = name,
		.created_by = "ann"};
}

static const char *make(struct desk *d, const char *batch)
{
	const struct voucher_batch made = batch_of(d, batch);

	assert_int_equal(voucher_create(&d->rules, &made, take_code, d), 0);
	return d->code;
}

static enum outcome find(struct desk *d, const char *code, struct voucher *ret)
{
	enum outcome outcome = OUTCOME_OK;

	assert_int_equal(voucher_find(&d->rules, code, d->now.wall_sec, ret,
				 &outcome),
		0);
	return outcome;
}

static enum outcome sell(struct desk *d, const char *code, int64_t minor,
	struct payment *payment)
{
	enum outcome outcome = OUTCOME_OK;
	struct voucher voucher;

	outcome = find(d, code, &voucher);
	if (outcome)
		return outcome;
	*payment = (struct payment){.paid_at = d->now.wall_sec,
		.method = SALE_CASH,
		.amount_minor = minor,
		.currency = "TZS",
		.who = "ann"};
	assert_int_equal(
		sale_of_voucher(&d->rules, &voucher, payment, &outcome), 0);
	return outcome;
}

static enum outcome redeem(struct desk *d, const char *code)
{
	const struct guest guest = {&d->mac, NULL};
	enum outcome outcome = OUTCOME_OK;
	struct activated activated;

	assert_int_equal(voucher_activate(&d->rules, &guest, code, &d->now,
				 &activated, &outcome),
		0);
	return outcome;
}

static enum outcome refund(struct desk *d, int64_t id)
{
	enum outcome outcome = OUTCOME_OK;
	struct payment payment;

	assert_int_equal(
		sale_refund(&d->rules, id, "bob", &d->now, &payment, &outcome),
		0);
	return outcome;
}

static int64_t paid_in_all(struct desk *d)
{
	struct session session;

	assert_int_equal(
		store_session_of(d->rules.store, &d->mac, &session), 0);
	return session.total_paid_minor;
}

/* What the triggers counted is what there is. */
static void assert_batch(struct desk *d, const char *name, int unused, int used,
	int revoked, int sold, int64_t minor)
{
	struct batch batch;

	assert_int_equal(
		store_batch_lookup(d->rules.store, name, &batch), 0);
	assert_int_equal(batch.unused, unused);
	assert_int_equal(batch.used, used);
	assert_int_equal(batch.revoked, revoked);
	assert_int_equal(batch.sold, sold);
	assert_int_equal(batch.sold_minor, minor);
}

static void test_a_voucher_is_sold_once(void **state)
{
	struct desk *d = *state;
	struct payment payment;
	char code[VOUCHER_CODE];

	snprintf(code, sizeof(code), "%s", make(d, "b"));
	make(d, "b");
	assert_int_equal(sell(d, code, 400, &payment), OUTCOME_OK);
	assert_int_equal(sell(d, code, 400, &payment), OUTCOME_CONFLICT);
	assert_batch(d, "b", 2, 0, 0, 1, 400);
	/* What was paid counts, not the price. */
	assert_int_equal(redeem(d, code), OUTCOME_OK);
	assert_int_equal(paid_in_all(d), 400);
	assert_batch(d, "b", 1, 1, 0, 1, 400);
	assert_int_equal(sell(d, code, 400, &payment), OUTCOME_VOUCHER_USED);
	/* Nobody said that this one was sold. */
	assert_int_equal(redeem(d, d->code), OUTCOME_OK);
	assert_int_equal(paid_in_all(d), 400 + 500);
	assert_int_equal(sell(d, "NOSUCH", 1, &payment), OUTCOME_VOUCHER_UNKNOWN);
}

static void test_money_goes_back_once(void **state)
{
	struct desk *d = *state;
	struct payment first, second;

	make(d, "b");
	assert_int_equal(sell(d, d->code, 500, &first), OUTCOME_OK);
	assert_int_equal(refund(d, first.id), OUTCOME_OK);
	assert_int_equal(refund(d, first.id), OUTCOME_CONFLICT);
	assert_int_equal(refund(d, 4711), OUTCOME_NOT_FOUND);
	assert_batch(d, "b", 0, 0, 1, 0, 0);
	assert_int_equal(redeem(d, d->code), OUTCOME_VOUCHER_REVOKED);
	/* One that runs is over, and cost nothing. */
	make(d, "b");
	assert_int_equal(sell(d, d->code, 500, &second), OUTCOME_OK);
	assert_int_equal(redeem(d, d->code), OUTCOME_OK);
	d->now.mono_ns += 60 * NSEC_PER_SEC;
	assert_int_equal(refund(d, second.id), OUTCOME_OK);
	assert_int_equal(store_session_of(d->rules.store, &d->mac,
				 &(struct session){0}),
		-ENOENT);
	assert_batch(d, "b", 0, 1, 1, 0, 0);
}

static void test_codes_of_elsewhere(void **state)
{
	static const struct {
		const char *text;
		int ret;
		enum outcome outcome;
		bool weak;
	} rows[] = {
		{"12345678", 0, OUTCOME_OK, true},
		{"1234 5678", 0, OUTCOME_CONFLICT, true},
		{"12-34-56-78", 0, OUTCOME_CONFLICT, true},
		{"1234567890", 0, OUTCOME_OK, false},
		{"abcdefg", 0, OUTCOME_OK, false},
		{"abcdef", 0, OUTCOME_OK, true},
		{"a1b2c3d", 0, OUTCOME_OK, false},
		{"Summer-2026", 0, OUTCOME_OK, false},
		{"sommer\xc3\xa4", -EINVAL, OUTCOME_OK, false},
		{"a_b", -EINVAL, OUTCOME_OK, false},
	};
	struct desk *d = *state;
	const struct voucher_batch batch = batch_of(d, "old");
	struct voucher voucher;
	int64_t count = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum outcome outcome = OUTCOME_OK;

		assert_int_equal(voucher_import(&d->rules, &batch, rows[i].text,
					 &outcome),
			rows[i].ret);
		assert_int_equal(outcome, rows[i].outcome);
		if (rows[i].ret)
			continue;
		assert_int_equal(voucher_bits(rows[i].text) < VOUCHER_BITS_MIN,
			rows[i].weak);
		assert_int_equal(find(d, rows[i].text, &voucher), OUTCOME_OK);
	}
	assert_batch(d, "old", 6, 0, 0, 0, 0);
	assert_int_equal(redeem(d, "SUMMER 2026"), OUTCOME_OK);
	assert_int_equal(
		store_voucher_revoke_batch(d->rules.store, "old", &count), 0);
	assert_int_equal(count, 5);
	assert_batch(d, "old", 0, 1, 5, 0, 0);
	assert_int_equal(redeem(d, "12345678"), OUTCOME_VOUCHER_REVOKED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_voucher_is_sold_once),
		TEST(test_money_goes_back_once),
		TEST(test_codes_of_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
