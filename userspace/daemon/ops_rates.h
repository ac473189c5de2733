/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rates as arguments and in replies, the same for plans and for clients. */
#ifndef DAEMON_OPS_RATES_H
#define DAEMON_OPS_RATES_H

#include "base/json.h"
#include "daemon/ops_handlers.h"
#include "store/store.h"

/*
 * Rates from the arguments; what is not given is as `*rates` had it. NULL, or
 * a refusal. One slow rate alone is for both directions, as far as they are
 * faster. `has_bytes`: there is something that they can hold after.
 */
json_t *rates_of(
	const struct args_rates *a, bool has_bytes, struct rates *rates);

/* upKbps, downKbps, slowUpKbps, slowDownKbps; null: none. */
/* upKbps and downKbps alone: for what has no slow ones. */
void json_add_full_rates(json_t *object, const struct rates *rates);
void json_add_rates(json_t *object, const struct rates *rates);

#endif
