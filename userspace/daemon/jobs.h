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
};

/* Starts the clockwork; jobs whose time passed while nobody ran are run once,
 * soon after. */
struct jobs *jobs_start(struct gatehoused *g);
void jobs_stop(struct jobs *jobs);
void jobs_each(const struct jobs *jobs,
	void (*fn)(void *data, const struct job_report *report), void *data);

/* Is a daily job due now that ran at `last_sec` (0: never)? Wall clock; by the
 * local date, after two in the morning. */
bool jobs_daily_is_due(int64_t last_sec, int64_t now_sec);

#endif
