/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which changes of a line are a coin acceptor's pulses, and which are noise: a
 * spark, a bouncing contact, somebody with a lighter. Pure: time is an
 * argument, so tests play any line.
 */
#ifndef PAY_PULSE_H
#define PAY_PULSE_H

#include "base/config.h"

enum pulse_verdict {
	PULSE_NONE,  /* nothing is over yet, or a bounce behind a pulse */
	PULSE_GOOD,
	PULSE_NOISE, /* too short, too long, too many */
};

struct pulse_meter {
	const struct config_coin *coin;
	bool is_active;
	int64_t begun_ns;    /* of the active level */
	int64_t good_ns;     /* end of the last good pulse; 0: none yet */
	int64_t second_ns;   /* what is counted below began then */
	int in_second;
};

void pulse_meter_init(struct pulse_meter *meter, const struct config_coin *coin);
/* The line has this level since `at_ns` (monotonic). A pulse is judged at its
 * end. */
enum pulse_verdict pulse_edge(struct pulse_meter *meter, bool active, int64_t at_ns);
/* Is there room for another one in this second? Counts it. */
bool pulse_has_room(struct pulse_meter *meter, int64_t at_ns);

#endif
