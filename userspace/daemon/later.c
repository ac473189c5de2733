/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits for a password: kept until passwords.c is done with it, then its
 * operation is finished in a savepoint as any other, noted and answered. All of
 * it is wiped, because there are passwords in it.
 */
#include "daemon/later.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/reply.h"

void later_free(struct later *later)
{
	crypto_wipe(later, sizeof(*later));
	free(later);
}

static json_t *call_finish(struct gatehoused *g, void *data)
{
	const struct later *later = data;

	return later->finish(g, later);
}

void later_done(void *data, int ret, const char *stored)
{
	struct later *later = data;
	struct gatehoused *g = later->g;
	json_t *reply;

	if (ret == -ECANCELED) { /* the daemon ends */
		later_free(later);
		return;
	}
	later->ret = ret;
	later->stored = stored;
	reply = ops_run(g, later->operation, call_finish, later);
	access_log_note(g->access_log, later->operation, &later->caller,
		reply_code(reply), later->begun_ns);
	ctl_server_answer(g->ctl, later->ticket, reply);
	later_free(later);
}

struct later *later_new(struct gatehoused *g, const struct caller *caller,
	const char *operation,
	json_t *(*finish)(struct gatehoused *g, const struct later *later))
{
	struct later *later = xcalloc(1, sizeof(*later));

	later->g = g;
	later->operation = operation;
	later->finish = finish;
	later->begun_ns = clock_mono_ns();
	later->caller = *caller;
	return later;
}

json_t *later_wait(struct later *later, int ret)
{
	if (!ret) {
		later->ticket = ctl_server_defer(later->g->ctl);
		return NULL;
	}
	later_free(later);
	if (ret == -EBUSY)
		return reply_refuse(CTL_slow_down,
			"Others are logging in; please try again in a moment.");
	return reply_failed("checking a password", ret);
}
