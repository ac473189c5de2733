/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the internet is to be reached from here: a route to it, and one of the
 * addresses of `uplink_check` answers, if there are some. Guests are told when it
 * is not; nothing else depends on it.
 */
#ifndef DAEMON_UPLINK_H
#define DAEMON_UPLINK_H

#include "base/json.h"
#include "daemon/gatehoused.h"

#define UPLINK_SECONDS 5 /* between two looks, and so long one waits for an answer */

/* Job: judges the answers to the last look and begins another. */
int uplink_look(struct gatehoused *g);
/* Forgets what is under way; NULL is fine. */
void uplink_free(struct uplink *uplink);
/* true or false; null before the first answer. */
json_t *uplink_json(const struct gatehoused *g);

#endif
