/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many refusals one address may collect: 30 at once, then 2 a second.
 * What succeeds is free, so a venue behind one address or a fast guest is
 * never slowed; the daemon has its own limits, by client.
 */
#ifndef PORTAL_REFUSALS_H
#define PORTAL_REFUSALS_H

#include "gatehouse/types.h"

struct refusals *refusals_new(void);
void refusals_free(struct refusals *refusals);
/* 0, or the nanoseconds that this address has to wait. */
int64_t refusals_wait(const struct refusals *refusals,
	const struct ipaddr *addr, int64_t now_ns);
/* It was refused something. */
void refusals_note(
	struct refusals *refusals, const struct ipaddr *addr, int64_t now_ns);

#endif
