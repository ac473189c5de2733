/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the kernel's records of groups equal to the store, as sync.h does for
 * clients': a record is there before a client names it, and goes after the
 * last one does. What the kernel counted is folded into the group's row.
 */
#ifndef DAEMON_GROUP_RECORDS_H
#define DAEMON_GROUP_RECORDS_H

#include "daemon/gatehoused.h"

/* At start, in a transaction: counts what adopted records counted meanwhile;
 * a record that is gone will be made anew. */
int groups_start(struct gatehoused *g);
/* Counts this group now, in a transaction; `group` is its row, brought up to
 * date. */
int group_count(struct gatehoused *g, struct group *group);
/* The kernel says that its bytes are used up. Whoever sees that first, this,
 * an operation or the sweep, tells of it, once. */
void groups_take(struct gatehoused *g, const struct gh_event *event);

/* Of a voucher's group, by what the kernel's record says now: its bytes are used
 * up, and so are the credits that name it. Never of another group. */
int group_has_ended(struct gatehoused *g, uint32_t id, bool *ret_ended);

/* Of a row that was counted. A packet that was too big for the rest has ended
 * it as well, until its limit is changed. */
bool group_is_used_up(const struct group *group);
/* UNLIMITED: no limit. */
int64_t group_bytes_left(const struct group *group);

/* A group was added, changed or removed in this turn. */
void groups_touch(struct gatehoused *g, int64_t id);
/* The turn's end, after the commit: makes and edits the records of those. */
void groups_put(struct gatehoused *g);
/* When no client names them any more: removes those without a row. */
void groups_remove(struct gatehoused *g);
/* At start: the same for all that there are. */
void groups_put_all(struct gatehoused *g);
void groups_remove_unknown(struct gatehoused *g);
/* What was touched is forgotten: the turn is over. */
void groups_forget(struct gatehoused *g);

/* A page of the sweep, behind *after: counts; puts right what somebody else
 * changed; those of vouchers that nobody uses any more go. *ret_more: there are
 * others. */
int groups_sweep(struct gatehoused *g, int64_t *after, bool *ret_more);
int groups_sweep_all(struct gatehoused *g);

/* Compares the records with the rows, field by field; `found`: what is not
 * as it should be. Both names are valid during the call only. */
int groups_verify(struct gatehoused *g,
	void (*fn)(void *data, const char *group, const struct gh_policy *want,
		const struct gh_policy *found),
	void *data);

#endif
