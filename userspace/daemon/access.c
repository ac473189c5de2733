/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows wait in memory and are written together every few seconds. A crowd that
 * asks for more than there is room for is counted, and the count is a row. Of
 * what guests were refused there is little room: whoever makes up MACs and
 * guesses must not fill the disk.
 */
#include "daemon/access.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "store/operators.h"

struct access_log {
	int count;
	int guesses; /* of them */
	int64_t lost;
	struct access rows[ACCESS_WAITING];
};

struct access_log *access_log_new(void)
{
	return xcalloc(1, sizeof(struct access_log));
}

void access_log_free(struct access_log *log)
{
	free(log);
}

void access_log_note(struct access_log *log, const char *operation,
	const struct caller *caller, const char *result, int64_t begun_ns)
{
	bool is_guess = result && caller->proof == PROOF_GUEST;
	struct access *row;

	if (log->count == ACCESS_WAITING ||
		(is_guess && log->guesses == ACCESS_GUESSES)) {
		log->lost++;
		return;
	}
	log->guesses += is_guess;
	row = &log->rows[log->count++];
	row->at = clock_wall_sec();
	row->us = (clock_mono_ns() - begun_ns) / 1000;
	snprintf(row->operation, sizeof(row->operation), "%s", operation);
	snprintf(row->who, sizeof(row->who), "%s",
		caller->who[0] ? caller->who : "?");
	snprintf(row->result, sizeof(row->result), "%s", result ? result : "ok");
}

static int write_lost(struct gatehoused *g, int64_t count)
{
	struct access row = {.at = clock_wall_sec(), .operation = "(lost)",
		.who = "gatehoused"};

	snprintf(row.result, sizeof(row.result), "%lld more", (long long)count);
	return store_access_insert(g->store, &row);
}

int access_log_write(struct gatehoused *g)
{
	struct access_log *log = g->access_log;
	int i, ret = 0;

	if (!log->count)
		return 0;
	ret = turn_begin(g);
	for (i = 0; !ret && i < log->count; i++)
		ret = store_access_insert(g->store, &log->rows[i]);
	if (!ret && log->lost)
		ret = write_lost(g, log->lost);
	/* A store that fails must not be told the same for ever. */
	log->count = log->guesses = 0;
	log->lost = 0;
	return ret;
}
