/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of the loop. What is asked in one of them is one transaction: committed
 * before the kernel's records follow and before anybody is answered; and of what
 * cannot be committed nothing has happened.
 */
#include "daemon/gatehoused.h"

#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/group_records.h"
#include "daemon/recover.h"
#include "daemon/reply.h"
#include "daemon/session_events.h"
#include "daemon/store_health.h"
#include "daemon/sync.h"
#include "store/spent.h"

int turn_begin(struct gatehoused *g)
{
	int ret;

	if (g->in_transaction)
		/* Undone by an error: what else is asked in this turn waits
		 * for the next, or it would be lost with the rest. */
		return store_is_begun(g->store) ? 0 : -ECANCELED;
	ret = store_begin(g->store);
	if (!ret)
		g->in_transaction = true;
	else
		store_health_note(g, ret);
	return ret;
}

static json_t *not_stored(void)
{
	return reply_refuse(CTL_internal,
		"The gateway could not store this, so it did not happen; see "
		"its log, then try again.");
}

static void log_spent(struct gatehoused *g)
{
	int ret = store_spent_error(g->store);

	if (ret && !g->spent_failing)
		log_error("spent.log cannot be written: %s; its lines follow "
			  "when it can", strerror(-ret));
	else if (!ret && g->spent_failing)
		log_info("spent.log is complete again");
	g->spent_failing = ret != 0;
}

/* All of the turn happens or nothing of it. */
static int end_transaction(struct gatehoused *g)
{
	int ret = sync_prepare(g->sync);

	if (!ret)
		ret = store_commit_rows(g->store);
	g->in_transaction = false;
	if (!ret) {
		/* Before a client names one, and after the last one does. */
		groups_put(g);
		sync_apply(g->sync);
		groups_remove(g);
		/* Guests are online meanwhile; their answers wait for it. */
		spent_log_flush(g->store);
		session_events_publish(g->session_events);
	} else {
		store_rollback(g->store);
		sync_revoke(g->sync);
		session_events_rewind(g->session_events, 0);
		if (g->ctl)
			ctl_server_revoke(g->ctl, not_stored);
	}
	groups_forget(g);
	store_health_note(g, ret);
	log_spent(g);
	/* A start knows what to do; the gate goes on meanwhile. */
	if (store_is_damaged(g->store) && !g->ending) {
		recover_suspect(g);
		g->ending = true;
	}
	return ret;
}

int turn_commit(struct gatehoused *g)
{
	int ret = g->in_transaction ? end_transaction(g) : 0;

	if (g->ctl)
		ctl_server_flush(g->ctl);
	return ret;
}

int turn_alone(struct gatehoused *g,
	int (*fn)(struct gatehoused *g, void *data), void *data)
{
	int ret = turn_commit(g);

	if (!ret)
		ret = turn_begin(g);
	if (!ret)
		ret = fn(g, data);
	if (!ret)
		return turn_commit(g);
	/* Nobody else's work is in it. */
	store_rollback(g->store);
	turn_commit(g);
	return ret;
}
