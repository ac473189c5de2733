/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is changed can be stored: said once in the log when that ends
 * and when it is so again, and by `status` for as long as it is not.
 */
#ifndef DAEMON_STORE_HEALTH_H
#define DAEMON_STORE_HEALTH_H

#include "base/json.h"
#include "daemon/gatehoused.h"

/* What a transaction came to: 0, or the errno that undid it. */
void store_health_note(struct gatehoused *g, int ret);
/* What is wrong and what to do, for `err` (a negative errno), in a sentence. */
const char *store_health_problem(int err);
/* For `status`: null, or "problem", "since" and "path". */
json_t *store_health_json(const struct gatehoused *g);

#endif
