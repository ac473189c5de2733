/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terms of use: what guests are told of them, and what they must accept. */
#ifndef DAEMON_TERMS_H
#define DAEMON_TERMS_H

#include "daemon/ops.h"

/*
 * Before an operation runs: one that has the argument "terms" begins something, so
 * its guest has accepted them, or does so with it. What was accepted is kept, even
 * if the operation is refused then. NULL, or the refusal.
 */
json_t *terms_check(struct gatehoused *g, const struct op *op,
	const struct caller *caller, const void *args);
/* "terms": the version that this device must still accept; null: nothing. */
void terms_add(struct gatehoused *g, const struct mac *mac, json_t *reply);

#endif
