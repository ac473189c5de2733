/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Periodic work: a table of rows, each with its last run (N7). */
#ifndef DAEMON_JOBS_H
#define DAEMON_JOBS_H

#include "daemon/gatehoused.h"

struct jobs;

struct job_report {
	const char *name;
	int64_t every_sec;    /* 0: daily */
	int64_t last_run_sec; /* wall clock; 0: not yet */
	int64_t last_ns;      /* how long it took */
	int last_result;      /* 0 or negative errno */
	int64_t next_sec;     /* wall clock */
};

/* At two in the morning, local time. */
#define JOBS_DAILY_HOUR 2

/* Starts the clockwork; jobs whose time passed while nobody ran are run once,
 * soon after. */
struct jobs *jobs_start(struct gatehoused *g);
void jobs_stop(struct jobs *jobs);
void jobs_each(const struct jobs *jobs,
	void (*fn)(void *data, const struct job_report *report), void *data);

/* Runs one in a turn to come, whenever it is due; `done` gets its result then.
 * -ENOENT: there is none of that name; -EBUSY: one is waiting already. A job
 * must not run inside an operation: it may end the turn. */
int jobs_run_soon(struct jobs *jobs, const char *name,
	void (*done)(void *data, int result), void *data);

/* When a daily job is due next that ran at `last_sec`: two in the morning, local
 * time, or `now_sec` when it is now. */
int64_t jobs_daily_next(int64_t last_sec, int64_t now_sec);
/* Is a daily job due now that ran at `last_sec` (0: never)? Wall clock; by the
 * local date, after two in the morning. */
bool jobs_daily_is_due(int64_t last_sec, int64_t now_sec);

#endif
