/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's date: the rules of rules/wall.h, applied to this box. */
#ifndef DAEMON_WALL_CLOCK_H
#define DAEMON_WALL_CLOCK_H

#include "daemon/gatehoused.h"

/* Once the store is open; before anything asks for the date. */
int wall_clock_start(struct gatehoused *g);
/* Job: looks whether the box's clock was set. */
int wall_clock_look(struct gatehoused *g);
/* Job: how late it is by now, for the next start. */
int wall_clock_keep(struct gatehoused *g);

#endif
