/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of rules and of the store begin with and end with. Whatever fails
 * here fails the test that runs.
 */
#ifndef TESTS_UNIT_LIB_FIXTURE_H
#define TESTS_UNIT_LIB_FIXTURE_H

#include "rules/rules.h"

/* A store in memory, in a transaction; for tests that need nothing else, whose
 * state it is. */
int lib_store_set_up(void **state);
int lib_store_tear_down(void **state);

/* Rules over such a store, with keys of their own; what else is in `rules`
 * stays. */
void lib_rules_open(struct rules *rules);
void lib_rules_close(struct rules *rules);

/* 02:00:00:00:00:01 is the first. */
struct mac lib_mac(int number);
/* Later by both clocks; whole seconds, or the wall clock falls behind. */
void lib_wait(struct moment *now, int64_t ns);

/* Time only, for one device, on sale for 5.00 TZS. */
struct plan lib_plan(const char *name, int64_t seconds);
/* Into the store; sets its id. */
void lib_plan_add(struct rules *rules, struct plan *plan);

#endif
