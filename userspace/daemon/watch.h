/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events for those who watch: gatehousectl(8), "watch". */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include "daemon/gatehoused.h"

/* One of the kernel's. */
void watch_event(struct gatehoused *g, const struct gh_event *event);
/* The bytes of a group are used up; `mac` of the client whose packet found it,
 * NULL: not known, then `network` is 0. */
void watch_group(struct gatehoused *g, const char *name, const struct mac *mac,
	uint32_t network);
/* A hook, or "nftables", was gone and was put back. */
void watch_repair(struct gatehoused *g, const char *name, const char *what);

#endif
