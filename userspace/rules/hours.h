/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hours of the day in which a credit is worth something, by what a clock on the
 * wall shows there: "08:00-12:00 14:00-22:00", over midnight "22:00-06:00", to
 * its end "18:00-24:00"; "" is the whole day. On a day that has an hour twice
 * or not at all, so have they.
 */
#ifndef RULES_HOURS_H
#define RULES_HOURS_H

#include "store/store.h"

/* As the store has them, of what somebody typed: spans with commas or spaces
 * between; "any" is the whole day. -EINVAL: they are none; -E2BIG: too many. */
int hours_parse(const char *text, char ret_hours[static STORE_HOURS]);

/* Is the moment within them? When that changes: UTC seconds, UNLIMITED never. */
bool hours_hold(const char *hours, int64_t wall_sec, int64_t *ret_until_sec);
/* When so many seconds of them are over; UNLIMITED: not within some years. */
int64_t hours_end(const char *hours, int64_t wall_sec, int64_t seconds);

#endif
