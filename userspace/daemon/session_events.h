/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to sessions, for those who watch: noted while it is decided,
 * told when it is on disk, in that order, and forgotten with a transaction or
 * an operation that is undone.
 */
#ifndef DAEMON_SESSION_EVENTS_H
#define DAEMON_SESSION_EVENTS_H

#include "daemon/gatehoused.h"

struct session_events *session_events_new(struct gatehoused *g);
/* NULL is fine. */
void session_events_free(struct session_events *events);

/* Rules' hook (rules.happened). */
void session_events_note(void *events, const struct happening *happening);
/* How many there are: for rewind(), which forgets those noted since. */
size_t session_events_mark(const struct session_events *events);
void session_events_rewind(struct session_events *events, size_t mark);
/* The transaction is on disk: all are told. */
void session_events_publish(struct session_events *events);

#endif
