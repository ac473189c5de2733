/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process is gatehoused itself, `--backup`: it has its own connection to the
 * database, as SQLite's must not pass through a fork, and prints what it did.
 * Its end is the end of the pipe that it prints into.
 */
#include "daemon/backup_job.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/ops_handlers.h"
#include "daemon/reply.h"
#include "store/spent.h"

#define TICKETS_MAX 16

struct waiting {
	uint64_t tickets[TICKETS_MAX];
	int count;
};

struct backup_job {
	struct loop_fd watch;
	pid_t pid;
	int from;
	char said[PATH_MAX + 512];
	size_t len;
	struct waiting now, next; /* for this one, for one after it */
	bool again;
};

static json_t *failed_reply(void)
{
	return reply_refuse(CTL_internal,
		"The backup failed; the log of gatehoused says why.");
}

/* What the backup does not need of spent.log goes; what it is, is kept. */
static int note(struct gatehoused *g, const json_t *said)
{
	const char *path = json_string_value(json_object_get(said, "path"));
	int64_t needed = json_integer_value(json_object_get(said, "needed"));
	int ret = turn_begin(g);

	if (!ret)
		ret = store_audit(g->store, clock_wall_sec(), "gatehoused",
			"backup", NULL, 0, path);
	if (ret)
		return ret;
	ret = store_spent_rotate(g->store, needed,
		clock_wall_sec() - g->config.retention.sales_days * SEC_PER_DAY);
	if (ret)
		log_warning("cannot begin another spent.log: %s", strerror(-ret));
	log_info("backup: %s", path);
	return 0;
}

/* NULL: it failed. */
static json_t *result_of(struct gatehoused *g, const struct backup_job *job)
{
	json_t *said = NULL;
	int status = 0;

	if (waitpid(job->pid, &status, 0) != job->pid || status ||
		json_parse_object(job->said, job->len, &said) ||
		note(g, said)) {
		json_decref(said);
		alarms_raise(g->alarms, "backup_failed", SEVERITY_HIGH, NULL,
			NULL, 0, "a backup of the database could not be made");
		return NULL;
	}
	return said;
}

static int begin(struct gatehoused *g);

static void answer(struct gatehoused *g, const struct waiting *waiting, json_t *said)
{
	int i;

	for (i = 0; i < waiting->count; i++)
		ctl_server_answer(g->ctl, waiting->tickets[i],
			said ? reply_fields("{s:O}", "backup", said)
			     : failed_reply());
}

static void end(struct gatehoused *g)
{
	_cleanup_free_ struct backup_job *job = TAKE_PTR(g->backup);
	_cleanup_json_ json_t *said = result_of(g, job);

	answer(g, &job->now, said);
	loop_fd_stop(g->loop, &job->watch);
	fd_close(&job->from);
	if (!job->again)
		return;
	if (begin(g))
		answer(g, &job->next, NULL);
	else
		g->backup->now = job->next;
}

static void on_said(void *data, int fd, int events)
{
	struct gatehoused *g = data;
	struct backup_job *job = g->backup;
	ssize_t n = read(fd, job->said + job->len, sizeof(job->said) - job->len);

	if (n > 0)
		job->len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		end(g);
}

static int start_process(const char *config_path, int out, pid_t *ret_pid)
{
	char *const argv[] = {"gatehoused", "-c", (char *)config_path,
		"--backup", NULL};
	posix_spawn_file_actions_t actions;
	int ret = posix_spawn_file_actions_init(&actions);

	if (!ret)
		ret = posix_spawn_file_actions_adddup2(
			&actions, out, STDOUT_FILENO);
	/* The program of this process, whatever has its name by now. */
	if (!ret)
		ret = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL,
			argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

static int begin(struct gatehoused *g)
{
	struct backup_job *job;
	int pair[2], ret;

	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	job = xcalloc(1, sizeof(*job));
	ret = fcntl(pair[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
	if (!ret)
		ret = start_process(g->config_path, pair[1], &job->pid);
	close(pair[1]);
	if (ret) {
		close(pair[0]);
		free(job);
		return ret;
	}
	job->from = pair[0];
	g->backup = job;
	loop_fd_start(g->loop, &job->watch, job->from, LOOP_READ, on_said, g);
	return 0;
}

int backup_begin(struct gatehoused *g)
{
	if (!g->backup)
		return begin(g);
	if (g->backup->next.count == TICKETS_MAX)
		return -EBUSY;
	g->backup->again = true;
	return 0;
}

void backup_wait(struct gatehoused *g, uint64_t ticket)
{
	struct backup_job *job = g->backup;
	struct waiting *waiting = job->again ? &job->next : &job->now;

	waiting->tickets[waiting->count++] = ticket;
}

int backup_daily(struct gatehoused *g)
{
	return g->backup ? 0 : begin(g);
}

void backup_stop(struct gatehoused *g)
{
	if (!g->backup)
		return;
	loop_fd_stop(g->loop, &g->backup->watch);
	fd_close(&g->backup->from);
	free(TAKE_PTR(g->backup));
}
