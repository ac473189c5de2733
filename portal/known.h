/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of guests who are online and of operators who are logged in, as the
 * daemon said of their last request. They go first where there is not room or
 * time for all, and that is all that it is for: whoever takes such an address
 * gains a place in the line.
 */
#ifndef PORTAL_KNOWN_H
#define PORTAL_KNOWN_H

#include <stdbool.h>

#include "gatehouse/types.h"

/* `tunnels`: loopback always is known, a tunnel of the operator's. */
struct known *known_new(bool tunnels);
/* NULL is fine. */
void known_free(struct known *known);
/* Seen at `now_ns` of the monotonic clock; forgotten an hour later. */
void known_note(struct known *known, const struct ipaddr *addr, int64_t now_ns);
/* The daemon says otherwise by now. */
void known_forget(struct known *known, const struct ipaddr *addr);
bool known_is(const struct known *known, const struct ipaddr *addr,
	int64_t now_ns);

#endif
