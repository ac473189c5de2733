/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often somebody may try (docs/design.md P3, P7). Wrong guesses of a secret
 * are counted per client (5, then 1 a minute), per network (20 a second) and in
 * all (60 a second, which networks without guessers do not feel);
 * beyond the network's rate clients are let in one by one: whoever is refused
 * has a place in the line, those in front who have been here for longer, and
 * coming back then is let in.
 */
#ifndef DAEMON_THROTTLE_H
#define DAEMON_THROTTLE_H

#include <stdbool.h>

#include "gatehouse/types.h"

enum rate_class {
	RATE_FREE = 0, /* local callers: their role is the limit */
	RATE_GUEST,    /* what any page load does: 20 at once, 4 a second */
	RATE_CHANGE,   /* that, and what is kept of it: 60 at once, 4 a minute */
	RATE_GUESS,    /* guesses at a secret; see above; kept, too */
};

#define THROTTLE_CLIENTS_MAX 32768 /* 2 MB */

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);

/*
 * May this client of this network (number) try now? 0, or the nanoseconds
 * until it may. For RATE_GUESS nothing is used up: tell the outcome with
 * throttle_missed() when the guess was wrong.
 */
int64_t throttle_check(struct throttle *throttle, enum rate_class class,
	const struct mac *mac, int network, int64_t now_ns);
/* What was asked for at RATE_CHANGE or RATE_GUESS was done. */
void throttle_changed(
	struct throttle *throttle, const struct mac *mac, int64_t now_ns);
/* A wrong guess. True when the network's wrong guesses are above 5 a second
 * and this was not said within the last minute. */
bool throttle_missed(struct throttle *throttle, const struct mac *mac,
	int network, int64_t now_ns);

#endif
