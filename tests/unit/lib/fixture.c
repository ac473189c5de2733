/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store is the real one, in memory, because it is quick enough; time is what
 * a test says it is.
 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/crypto.h"
#include "base/util.h"

static struct store *open_store(void)
{
	struct store *store = NULL;

	assert_int_equal(crypto_init(), 0);
	assert_int_equal(store_open(":memory:", &store), 0);
	assert_int_equal(store_begin(store), 0);
	return store;
}

static void close_store(struct store *store)
{
	store_rollback(store);
	store_close(store);
}

int lib_store_set_up(void **state)
{
	*state = open_store();
	return 0;
}

int lib_store_tear_down(void **state)
{
	close_store(*state);
	return 0;
}

void lib_rules_open(struct rules *rules)
{
	rules->store = open_store();
	rules->token_days = 3;
	memcpy(rules->voucher_prefix, "AJC", 4);
	crypto_random(rules->lookup_key, sizeof(rules->lookup_key));
	crypto_random(rules->seal_key, sizeof(rules->seal_key));
}

void lib_rules_close(struct rules *rules)
{
	close_store(rules->store);
	rules->store = NULL;
}

struct mac lib_mac(int number)
{
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)number}};
}

void lib_wait(struct moment *now, int64_t ns)
{
	now->mono_ns += ns;
	now->wall_sec += ns / NSEC_PER_SEC;
}

struct plan lib_plan(const char *name, int64_t seconds)
{
	struct plan plan = {.seconds = seconds, .bytes = UNLIMITED,
		.price_minor = 500, .currency = "TZS", .moves = UNLIMITED,
		.token_days = UNLIMITED, .is_active = true, .devices = 1};

	snprintf(plan.name, sizeof(plan.name), "%s", name);
	return plan;
}

void lib_plan_add(struct rules *rules, struct plan *plan)
{
	assert_int_equal(store_plan_insert(rules->store, plan, &plan->id), 0);
}
