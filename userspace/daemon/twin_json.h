/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence that two devices have one MAC, for a row of events.
 */
#ifndef DAEMON_TWIN_JSON_H
#define DAEMON_TWIN_JSON_H

#include "daemon/gatehoused.h"

#include "base/json.h"

/*
 * Of GH_EVENT_TWO_NETWORKS or _SYSTEMS: which two, when each was heard last, the
 * first one first, and since when they have been heard in turns. Adds nothing
 * when the kernel has forgotten it.
 */
void json_add_twins(
	struct gatehoused *g, json_t *evidence, const struct gh_event *event);

#endif
