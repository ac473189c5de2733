/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of struct sync, for the files sync*.c only: sync.c has the turn,
 * sync_start.c the start, sync_remove.c the end of a record, sync_verify.c
 * comparing and repair.
 */
#ifndef DAEMON_SYNC_STATE_H
#define DAEMON_SYNC_STATE_H

#include "daemon/sync.h"
#include "rules/grant.h"

/* Packets that saw a record open are long gone so much after it was closed. */
#define CLOSED_NS (20 * NSEC_PER_MSEC)

struct sync {
	struct gatehoused *g;
	struct record_cache *cache;
	struct cached_record *dirty; /* touched in this turn */
	int closing;		     /* records closed and not removed yet */
	struct loop_timer closed_timer;
	struct loop_timer final_timer;
	struct loop_timer expiry_timer;
	bool starting;	  /* everything is counted already */
	bool full_logged; /* that the kernel's table has no room */
	enum sync_room room_logged;
	struct verification *verifications; /* under way; sync_verify.c's */
};

/* What records should be, by MAC. */
struct wants {
	struct client_want *list;
	size_t count, size;
};

/*
 * A grant as the kernel's policy; raw_up and raw_down are what the record had
 * counted when the grant was computed.
 */
struct gh_policy sync_policy(const struct config *config,
	const struct grant *grant, int64_t record_id, int64_t raw_up,
	int64_t raw_down);
/* A new row, and with it the name of a new record. */
int sync_new_record(struct sync *sync, struct cached_record *entry,
	const struct grant *grant);
/* For the sweep: when the client's clock is to be looked at. */
void sync_note_idle(struct cached_record *entry, const struct grant *grant);
/* One more, of this client; its policy is the caller's to fill. Valid until
 * the next is added. */
struct client_want *wants_add(struct wants *wants, const struct mac *mac);
void wants_free(struct wants *wants);

/* Ends every verification that is under way. */
void sync_stop_verifying(struct sync *sync);

/* Says in the log when the table fills, once. */
void sync_watch_room(struct sync *sync);
/* Wakes before the next deadline, and at it. */
void sync_schedule_expiry(struct sync *sync);
/* Closes the kernel's record; it is counted for good and removed later. */
void sync_close_record(struct sync *sync, struct cached_record *entry);
/* After closing, before others get their records. */
void sync_settle_handed_over(struct sync *sync);

#endif
