/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security events: from what the kernel, or a part of the daemon, noticed to
 * rows of the store. Whoever does the same again within ten minutes is counted
 * in the row that is there; and there is a most of new rows, because a client
 * may have as many MACs as it likes.
 */
#ifndef DAEMON_ALARMS_H
#define DAEMON_ALARMS_H

#include "daemon/gatehoused.h"

struct alarms *alarms_new(struct gatehoused *g);
/* NULL is fine. */
void alarms_free(struct alarms *alarms);

/* An event of the kernel, GH_EVENT_SUSPICIOUS or above; unknown ones too. */
void alarms_take(struct alarms *alarms, const struct gh_event *event);

/*
 * One that the daemon itself noticed. `type` and `description` are string
 * literals; `mac` NULL: nobody's; `other`: whose it is about as well, or NULL;
 * `network`: its number, 0: none. Stored in a turn of its own, so that a handler
 * that refuses does not undo it.
 */
void alarms_raise(struct alarms *alarms, const char *type,
	enum severity severity, const struct mac *mac, const struct mac *other,
	uint32_t network, const char *description);

/* What is not in the store yet joins this turn; otherwise it would in at most
 * 10 s. */
void alarms_flush(struct alarms *alarms);

/* New ones that found no room since the start. */
uint64_t alarms_lost(const struct alarms *alarms);

#endif
