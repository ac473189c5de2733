/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wall clock's rules. Pure: readings are arguments, and what follows from a
 * step is the caller's.
 */
#include "rules/wall.h"

#include "base/clock.h"

/* A clock that is slewed or set by hand to the second: followed, no step. */
#define SLEW_NS	   (5 * NSEC_PER_SEC)
#define CONFIRM_NS (600 * NSEC_PER_SEC)
#define SETTLED_NS (SEC_PER_DAY * NSEC_PER_SEC)

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= SLEW_NS && b - a <= SLEW_NS;
}

void wall_start(struct wall *wall, const struct wall_reading *reading,
	int64_t last_sec)
{
	int64_t floor_ns = MAX(last_sec, WALL_WRITTEN) * NSEC_PER_SEC;

	wall->is_guess = !reading->is_synchronised &&
			 reading->real_ns < floor_ns - SLEW_NS;
	wall->offset_ns = (wall->is_guess ? floor_ns : reading->real_ns) -
			  reading->mono_ns;
	wall->doubt_ns = wall->stepped_ns = 0;
}

/* Is another time of the box's the right one? */
static bool is_believed(struct wall *wall, const struct wall_reading *reading,
	int64_t offset_ns)
{
	if (reading->is_synchronised)
		return true;
	if (reading->real_ns < WALL_WRITTEN * NSEC_PER_SEC) {
		wall->doubt_ns = 0;
		return false;
	}
	if (wall->is_guess && offset_ns > wall->offset_ns)
		return true;
	if (!wall->doubt_ns || !is_near(wall->doubt_offset_ns, offset_ns)) {
		wall->doubt_ns = reading->mono_ns;
		wall->doubt_offset_ns = offset_ns;
	}
	return reading->mono_ns - wall->doubt_ns >= CONFIRM_NS;
}

int64_t wall_look(struct wall *wall, const struct wall_reading *reading)
{
	int64_t offset_ns = reading->real_ns - reading->mono_ns, step_ns;

	if (is_near(offset_ns, wall->offset_ns)) {
		wall->offset_ns = offset_ns;
		wall->is_guess = false;
		wall->doubt_ns = 0;
		return 0;
	}
	if (!is_believed(wall, reading, offset_ns))
		return 0;
	step_ns = offset_ns - wall->offset_ns;
	wall->offset_ns = offset_ns;
	wall->is_guess = false;
	wall->doubt_ns = 0;
	wall->stepped_ns = reading->mono_ns;
	return step_ns / NSEC_PER_SEC;
}

bool wall_is_settled(const struct wall *wall, int64_t mono_ns)
{
	return !wall->is_guess && !wall->doubt_ns &&
	       (!wall->stepped_ns || mono_ns - wall->stepped_ns >= SETTLED_NS);
}

const char *wall_state_name(const struct wall *wall)
{
	return wall->is_guess ? "guess" : wall->doubt_ns ? "doubt" : "ok";
}
