/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many refusals one address may collect: 30 at once, then 2 a second.
 * What succeeds is free, so a venue behind one address or a fast guest is
 * never slowed; the daemon has its own limits, by client.
 */
#ifndef PORTAL_THROTTLE_H
#define PORTAL_THROTTLE_H

#include "gatehouse/types.h"

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);
/* 0, or the nanoseconds that this address has to wait. */
int64_t throttle_wait(const struct throttle *throttle,
	const struct ipaddr *addr, int64_t now_ns);
/* It was refused something. */
void throttle_note(
	struct throttle *throttle, const struct ipaddr *addr, int64_t now_ns);

#endif
