/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clockwork of periodic work. A row says what and how often; the work is
 * done where its data lives. When a job ran last is in the store for the slow
 * ones, so that one that was due while the daemon was away runs once at start.
 * Daily jobs go by the local date, not by 24 hours: on a day with 23 or 25
 * hours they run once as well.
 */
#include "daemon/jobs.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/accounting.h"
#include "daemon/address_log.h"
#include "daemon/backup_job.h"
#include "daemon/certificates.h"
#include "daemon/exemptions.h"
#include "daemon/keeping.h"
#include "daemon/moves.h"
#include "daemon/operators.h"
#include "daemon/ops_handlers.h"
#include "daemon/statistics.h"
#include "daemon/sync.h"
#include "daemon/uplink.h"
#include "daemon/wall_clock.h"
#include "store/keeping.h"
#include "store/store.h"

#define DAILY 0
#define DAILY_LOOK_NS (30 * NSEC_PER_SEC)
#define KEPT_FROM_SEC 300 /* last runs of slower jobs are kept in the store */
#define FIRST_DELAY_NS NSEC_PER_SEC

struct job_row {
	const char *name;
	int64_t every_sec; /* DAILY; -1: sweep_seconds */
	int (*fn)(struct gatehoused *g);
};

static const struct job_row rows[] = {
	{"sweep", -1, accounting_sweep},
	{"expire", 60, sync_expire},
	{"dates", 60, sync_date},
	{"verify", 3600, sync_repair},
	{"uplink", UPLINK_SECONDS, uplink_look},
	{"clock", 5, wall_clock_look},
	{"date", 60, wall_clock_keep},
	{"moves", 2, moves_watch},
	{"exemptions", 60, exemptions_settle},
	{"address-log", ADDRESS_LOG_SECONDS, address_log_take},
	{"addresses", 600, keeping_clean_sightings},
	{"gateway", 300, statistics_note_gateway},
	{"statistics", 600, statistics_count},
	{"security", 1800, statistics_watch_events},
	{"access", 5, access_log_write},
	{"logins", 3600, operators_clean_up},
	{"qr-codes", DAILY, qr_rotate},
	{"clean-up", DAILY, keeping_clean_up},
	{"backup", DAILY, backup_daily},
	{"certificates", DAILY, certificates_watch},
};

struct job {
	const struct job_row *row;
	struct jobs *jobs;
	struct loop_timer timer;
	struct job_report report;
};

struct jobs {
	struct gatehoused *g;
	struct job list[ARRAY_SIZE(rows)];
	struct loop_timer soon_timer;
	struct job *soon; /* NULL: none */
	void (*done)(void *data, int result);
	void *done_data;
};

static bool is_kept(const struct job *job)
{
	return job->report.every_sec == DAILY ||
	       job->report.every_sec >= KEPT_FROM_SEC;
}

static void keep(struct job *job)
{
	struct gatehoused *g = job->jobs->g;
	const struct job_run run = {
		.last_run_at = job->report.last_run_sec,
		.took_ns = job->report.last_ns,
		.result = job->report.last_result,
	};
	int ret = turn_begin(g);

	if (!ret)
		ret = store_job_put(g->store, job->row->name, &run);
	if (ret)
		log_warning("job %s: cannot store when it ran: %s", job->row->name,
			strerror(-ret));
}

static int run_job(struct job *job)
{
	int64_t begun = clock_mono_ns();
	int ret = job->row->fn(job->jobs->g);

	job->report.last_ns = clock_mono_ns() - begun;
	job->report.last_run_sec = clock_wall_sec();
	/* Once for as long as it fails alike. */
	if (ret && ret != job->report.last_result)
		log_warning("job %s failed: %s", job->row->name, strerror(-ret));
	job->report.last_result = ret;
	if (is_kept(job))
		keep(job);
	return ret;
}

/* The local date as a number that grows, and the hour of that day. */
static int64_t local_day(int64_t wall_sec, int *ret_hour)
{
	time_t t = (time_t)wall_sec;
	struct tm tm;

	localtime_r(&t, &tm);
	*ret_hour = tm.tm_hour;
	return tm.tm_year * 366LL + tm.tm_yday;
}

bool jobs_daily_is_due(int64_t last_sec, int64_t now_sec)
{
	int hour, last_hour;
	int64_t today = local_day(now_sec, &hour);
	int64_t last = local_day(last_sec, &last_hour);

	/* The wall clock was wrong then, or is now. */
	if (last_sec > now_sec)
		return hour >= JOBS_DAILY_HOUR;
	/* A run before the hour (a missed one, at start) was yesterday's. */
	if (last_hour < JOBS_DAILY_HOUR)
		last--;
	return last < today && hour >= JOBS_DAILY_HOUR;
}

int64_t jobs_daily_next(int64_t last_sec, int64_t now_sec)
{
	time_t t = (time_t)now_sec;
	struct tm tm;

	if (jobs_daily_is_due(last_sec, now_sec))
		return now_sec;
	localtime_r(&t, &tm);
	tm.tm_mday += tm.tm_hour >= JOBS_DAILY_HOUR;
	tm.tm_hour = JOBS_DAILY_HOUR;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static void on_timer(void *data)
{
	struct job *job = data;

	if (job->report.every_sec == DAILY &&
		!jobs_daily_is_due(job->report.last_run_sec, clock_wall_sec()))
		return;
	run_job(job);
}

/* How long until the first run, by the time of the last one. */
static int64_t first_delay_ns(const struct job *job)
{
	int64_t since = clock_wall_sec() - job->report.last_run_sec;

	/* The wall clock may have jumped: then it is due. */
	if (since < 0 || since >= job->report.every_sec)
		return FIRST_DELAY_NS;
	return (job->report.every_sec - since) * NSEC_PER_SEC;
}

static void start_job(struct jobs *jobs, struct job *job)
{
	int64_t every_ns = job->report.every_sec * NSEC_PER_SEC;
	int64_t after_ns = every_ns;
	struct job_run run;

	if (is_kept(job)) {
		if (store_job_lookup(jobs->g->store, job->row->name, &run) == 0) {
			job->report.last_run_sec = run.last_run_at;
			job->report.last_ns = run.took_ns;
			job->report.last_result = run.result;
		}
		after_ns = first_delay_ns(job);
	}
	if (job->report.every_sec == DAILY) {
		every_ns = DAILY_LOOK_NS;
		after_ns = FIRST_DELAY_NS;
	}
	loop_timer_start(jobs->g->loop, &job->timer, after_ns, every_ns,
		on_timer, job);
}

struct jobs *jobs_start(struct gatehoused *g)
{
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));
	size_t i;

	jobs->g = g;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job *job = &jobs->list[i];

		job->jobs = jobs;
		job->row = &rows[i];
		job->report.name = rows[i].name;
		job->report.every_sec = rows[i].every_sec >= 0
						? rows[i].every_sec
						: g->config.sweep_seconds;
		start_job(jobs, job);
	}
	return jobs;
}

void jobs_stop(struct jobs *jobs)
{
	size_t i;

	if (!jobs)
		return;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		loop_timer_stop(jobs->g->loop, &jobs->list[i].timer);
	loop_timer_stop(jobs->g->loop, &jobs->soon_timer);
	if (jobs->soon)
		jobs->done(jobs->done_data, -ECANCELED);
	free(jobs);
}

static void on_soon(void *data)
{
	struct jobs *jobs = data;
	struct job *job = TAKE_PTR(jobs->soon);

	jobs->done(jobs->done_data, run_job(job));
}

int jobs_run_soon(struct jobs *jobs, const char *name,
	void (*done)(void *data, int result), void *data)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			break;
	if (i == ARRAY_SIZE(rows))
		return -ENOENT;
	if (jobs->soon)
		return -EBUSY;
	jobs->soon = &jobs->list[i];
	jobs->done = done;
	jobs->done_data = data;
	loop_timer_start(jobs->g->loop, &jobs->soon_timer, 1, 0, on_soon, jobs);
	return 0;
}

/* One that was not run yet is due the time of a turn from now. */
static int64_t next_run(const struct job_report *report, int64_t now_sec)
{
	if (report->every_sec == DAILY)
		return jobs_daily_next(report->last_run_sec, now_sec);
	if (!report->last_run_sec || report->last_run_sec > now_sec)
		return now_sec + report->every_sec;
	return MAX(report->last_run_sec + report->every_sec, now_sec);
}

void jobs_each(const struct jobs *jobs,
	void (*fn)(void *data, const struct job_report *report), void *data)
{
	int64_t now_sec = clock_wall_sec();
	struct job_report report;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		report = jobs->list[i].report;
		report.next_sec = next_run(&report, now_sec);
		fn(data, &report);
	}
}
