/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What time it is, on a box whose clock may be wrong: without a battery it
 * begins in 1970, and a time server may move it by years, to the right time or
 * away from it. What ends at a date must not end by that.
 *
 * So the date is counted on by the clock that nobody moves, and the box's own is
 * believed again when it is plausible:
 *  - not before this program was written, nor, at start, before what is stored,
 *    unless a time server vouches for it;
 *  - a step while we run is believed at once when a time server vouches for it,
 *    or when all we have is a guess; otherwise once it has stood 10 minutes.
 * What was to last some days from now then lasts as long as it was to
 * (store_clock_step); what was sold until a date ends at that date.
 */
#ifndef RULES_WALL_H
#define RULES_WALL_H

#include "rules/rules.h"

#define WALL_WRITTEN 1704067200LL /* 2024-01-01: not one version is older */

struct wall {
	int64_t offset_ns; /* the believed time, less the monotonic one */
	bool is_guess;	   /* counted on from what was stored */
	int64_t doubt_ns;  /* since when the box says another; 0: it does not */
	int64_t doubt_offset_ns; /* which */
	int64_t stepped_ns; /* when the last step was believed; 0: none was */
};

/* What the box's clocks say. */
struct wall_reading {
	int64_t mono_ns; /* above 0 */
	int64_t real_ns; /* UTC */
	bool is_synchronised; /* the kernel says that somebody keeps it right */
};

/* `last_sec`: the last time that is known to have been; 0: none is. */
void wall_start(struct wall *wall, const struct wall_reading *reading,
	int64_t last_sec);
/* Every few seconds. The seconds of a step that is believed now; 0: none. */
int64_t wall_look(struct wall *wall, const struct wall_reading *reading);
/* Nothing that cannot be undone is done by a date that is in doubt, or was less
 * than a day ago. */
bool wall_is_settled(const struct wall *wall, int64_t mono_ns);
/* "ok", "guess" (counted on since the start), "doubt" (the box says another). */
const char *wall_state_name(const struct wall *wall);

#endif
