/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On a full disk small transactions still find room in the WAL, between larger
 * ones that do not; so one that fits says nothing yet. The store works again
 * when one has written something, none has failed for a while, and the disk
 * takes a file of some size.
 */
#include "daemon/store_health.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/client_json.h"

#define QUIET_SWEEPS 2 /* without a failure */
#define ROOM_BYTES   (256 << 10)

static const struct {
	int err;
	const char *problem;
} problems[] = {
	{ENOSPC, "the disk is full: make room"},
	{EDQUOT, "the disk's quota is used up: make room"},
	{EROFS, "its file system is read-only: see the kernel's log, then mount "
		"it read-write"},
	{EIO, "the disk gives errors: see the kernel's log"},
	{EACCES, "its files cannot be written: see their owner and modes, and "
		 "whether the file system is read-only"},
	{EBUSY, "another program keeps the database locked: end it"},
	{EBADMSG, "the database is damaged"},
};

const char *store_health_problem(int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(problems); i++)
		if (problems[i].err == -err)
			return problems[i].problem;
	return strerror(-err);
}

/* A file of some size, made and removed: 0, or why not. */
static int try_writing(const struct gatehoused *g)
{
	_cleanup_free_ char *path = xasprintf("%s/room", g->config.state_dir);
	_cleanup_fd_ int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = -posix_fallocate(fd, 0, ROOM_BYTES);
	unlink(path);
	return ret;
}

static void note_failure(struct gatehoused *g, int err)
{
	/* SQLite says "I/O error" of a read-only file system as well. */
	if (err == -EIO)
		err = try_writing(g) ?: err;
	if (!g->store_error) {
		g->store_failing_sec = clock_wall_sec();
		log_error("nothing can be stored in %s: %s; guests who are online "
			  "stay online, everything else is refused",
			g->config.state_dir, store_health_problem(err));
	}
	g->store_error = err;
	g->store_failed_ns = clock_mono_ns();
}

void store_health_note(struct gatehoused *g, int ret)
{
	int64_t quiet_ns = g->config.sweep_seconds * QUIET_SWEEPS * NSEC_PER_SEC;
	int cause = store_failure(g->store);

	if (ret) {
		/* What was refused behind the first error says less; without
		 * one, somebody thought better of it. */
		if (ret != -ECANCELED || cause)
			note_failure(g, ret == -ECANCELED ? cause : ret);
		return;
	}
	if (!g->store_error || !store_is_written(g->store) ||
		clock_mono_ns() - g->store_failed_ns < quiet_ns)
		return;
	if (try_writing(g)) {
		g->store_failed_ns = clock_mono_ns();
		return;
	}
	g->store_error = 0;
	log_info("the store works again");
}

json_t *store_health_json(const struct gatehoused *g)
{
	if (!g->store_error)
		return json_null();
	return json_pack("{s:s, s:o, s:s}", "problem",
		store_health_problem(g->store_error), "since",
		json_time(g->store_failing_sec), "path", g->config.state_dir);
}
