/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest is told of free time. */
#ifndef DAEMON_OPS_FREE_H
#define DAEMON_OPS_FREE_H

#include "daemon/gatehoused.h"
#include "daemon/reply.h"
#include "rules/free.h"

/* freeMinutes: that this guest could have now; null: none. `guest` NULL: one who
 * has time. */
void json_add_free(struct gatehoused *g, const struct guest *guest,
	const struct moment *now, json_t *reply);

#endif
