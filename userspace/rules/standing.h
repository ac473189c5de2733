/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the clock of the credit in use stands by itself: outside of the hours of
 * its plan, and in silence, if its plan says so. And the day on which a credit
 * ends whatever is left of it.
 */
#ifndef RULES_STANDING_H
#define RULES_STANDING_H

#include "rules/rules.h"

/* Each device that shares a credit has a clock of its own: if one stood while
 * another goes on, minutes would be made of nothing. */
static inline int64_t credit_idle_sec(const struct credit *credit)
{
	return credit->group_id ? 0 : credit->terms.idle_sec;
}

/* A silence goes on: how often the kernel's deadline is put off meanwhile. */
#define STANDING_STEP_NS (30 * NSEC_PER_SEC)

/* Its first use: from here on its days are counted. */
void standing_begin(struct credit *credit, const struct moment *now);

/*
 * The credit in use as its hours have it `now`: its clock stands from the end
 * of them, which the kernel has kept, and goes on when they begin again; and
 * when that changes next. `runs`: nothing else stops it. True: it changed.
 */
bool standing_by_hours(
	struct credit *credit, bool runs, const struct moment *now);
/* When it will be over if it is used from `from_sec` on without a break, UTC
 * seconds; UNLIMITED: never. */
int64_t standing_end(const struct credit *credit, int64_t left_ns,
	int64_t from_sec);
/* Does the wall clock end its hours, or it, at that moment of the kernel's
 * clock? The kernel's end says nothing of the time left then. */
bool standing_turns_at(
	const struct credit *credit, int64_t at_ns, const struct moment *now);
/* Its day has come. */
bool standing_is_over(const struct credit *credit, const struct moment *now);

/*
 * The running credit in use, whose client was last heard at `seen_ns` (0: not
 * known): the time since then does not count once it is idle_sec, and whoever
 * is heard again goes on with what he had. What cannot be known is how long
 * ago that was: if nobody has looked for a minute, all of it counts as used.
 * True: it changed.
 */
bool standing_by_silence(
	struct credit *credit, int64_t seen_ns, const struct moment *now);
/* Is there something to be changed by that? What a sweep asks. */
bool standing_is_silent(int64_t idle_sec, bool is_idle, int64_t heard_ns,
	int64_t seen_ns, int64_t now_ns);

#endif
