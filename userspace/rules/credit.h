/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One credit (P6): what a guest bought or was given, of which one after another
 * is used. Its time is left_ns while its clock stands, and deadline_ns on the
 * kernel's clock while it runs.
 */
#ifndef RULES_CREDIT_H
#define RULES_CREDIT_H

#include "rules/rules.h"

/* All that a plan gives, `times` over, as a credit to be added. */
struct credit credit_of_plan(
	enum kind kind, const struct plan *plan, int64_t times);

/* What is left; UNLIMITED. */
int64_t credit_time_left(const struct credit *credit, int64_t now_ns);
/* The same, if its day does not come before. */
int64_t credit_time_to_use(const struct credit *credit, const struct moment *now);
/* Until it is over; by fair use it goes on without any. */
int64_t credit_bytes_left(const struct credit *credit);
/* At the full rate. */
int64_t credit_full_bytes_left(const struct credit *credit);
bool credit_ends_by_bytes(const struct credit *credit);

/* `more` on top of what there is; what has no end stays so. */
int64_t credit_sum(int64_t have, int64_t more);
/* Would it be more of the same? Time that names no rate goes at the rate that
 * there is. */
bool credit_is_more_of(const struct credit *last, const struct credit *credit);
/* Then its time, bytes and moves are added to the last one's. */
void credit_add(struct credit *last, const struct credit *credit);
/* At most what is left, and not of what has no end. */
void credit_take_time(struct credit *credit, int64_t ns);

/* Its clock stands. */
void credit_stop(struct credit *credit, int64_t at_ns);
/* Nobody uses it any more, whatever is left. */
void credit_use_up(struct credit *credit, int64_t at_ns);

#endif
