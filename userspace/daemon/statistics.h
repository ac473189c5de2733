/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that look at what happened: hourly sums, events, the box itself (N7). */
#ifndef DAEMON_STATISTICS_H
#define DAEMON_STATISTICS_H

#include "daemon/gatehoused.h"

/* Job: sums of sessions, bytes and revenue by hour, plan and network. */
int statistics_count(struct gatehoused *g);
void statistics_stop(struct gatehoused *g);
/* Job: much of one kind of event is an event of its own. */
int statistics_watch_events(struct gatehoused *g);
/* Job: how this gateway is. */
int statistics_note_gateway(struct gatehoused *g);

#endif
