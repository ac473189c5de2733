/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel has to tell: the ring buffer `events`, on a file descriptor
 * for the loop. Events are hints; nothing may depend on getting one.
 */
#ifndef DATAPATH_EVENTS_H
#define DATAPATH_EVENTS_H

#include "datapath/datapath.h"

struct events;

/* At most so many events are taken at once: a flood must not hold the loop. */
#define EVENTS_BATCH 256

/* One reader per box. `fn` is called from events_dispatch() only. */
int events_open(struct datapath *dp,
	void (*fn)(void *data, const struct gh_event *event), void *data,
	struct events **ret_events);
/* Before datapath_close(). NULL is fine. */
void events_close(struct events *events);

/* Readable when events wait; owned by `events`. */
int events_fd(const struct events *events);

/*
 * Calls back for what waits, at most EVENTS_BATCH events. The descriptor may
 * not become readable again for the rest: after a full batch call once more,
 * in a later turn of the loop. Returns how many, or negative errno.
 */
int events_dispatch(struct events *events);

/* "first_seen"; "?" for a number that is none. Never NULL. */
const char *event_name(enum gh_event_type type);

/* Events that found the ring full, of all CPUs, since the maps were made. */
int events_losses(struct datapath *dp, uint64_t *ret_count);

#endif
