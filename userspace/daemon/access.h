/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of operations (N10): time, operation, who, result, duration. Nothing
 * of what was sent gets in, so no code, token or telephone number can.
 */
#ifndef DAEMON_ACCESS_H
#define DAEMON_ACCESS_H

#include "daemon/gatehoused.h"

#define ACCESS_WAITING 1024 /* not written yet; what comes then is counted */
#define ACCESS_GUESSES 16   /* the same of what guests were refused */

struct access_log;

struct access_log *access_log_new(void);
void access_log_free(struct access_log *log);

/* `result`: NULL, a success, or the code of the refusal. `begun_ns`: on the
 * monotonic clock. Only notes it: a look must not cost a write. */
void access_log_note(struct access_log *log, const char *operation,
	const struct caller *caller, const char *result, int64_t begun_ns);

/* Job: what was noted is written, in this turn's transaction. What a crash
 * finds unwritten, some seconds, is lost. */
int access_log_write(struct gatehoused *g);

#endif
