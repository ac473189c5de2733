/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often something was done that is named by some bytes: a table that never
 * grows, found by a keyed hash. Names and addresses are free to make up, so the
 * counter that was used longest ago makes room.
 */
#ifndef DAEMON_COUNTERS_H
#define DAEMON_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct counters;

struct counter_rate {
	int64_t step_ns; /* between two uses in the long run */
	int burst;	 /* uses at once after a rest */
};

struct counters *counters_new(void);
void counters_free(struct counters *counters);

/* 0, or the nanoseconds until it may be used once more. */
int64_t counters_wait(struct counters *counters, const struct counter_rate *rate,
	const void *name, size_t len, int64_t now_ns);
/* It was used. */
void counters_use(struct counters *counters, const struct counter_rate *rate,
	const void *name, size_t len, int64_t now_ns);
/* One use was none after all. */
void counters_give_back(struct counters *counters,
	const struct counter_rate *rate, const void *name, size_t len,
	int64_t now_ns);
/* It begins anew. */
void counters_clear(struct counters *counters, const void *name, size_t len,
	int64_t now_ns);

#endif
