/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept and for how long: the job that removes what is old (N14). */
#ifndef DAEMON_KEEPING_H
#define DAEMON_KEEPING_H

#include "daemon/gatehoused.h"

/* Job: what is older than [retention] says leaves the store. */
int keeping_clean_up(struct gatehoused *g);
/* Job: who was captive and what was heard long ago leaves the kernel's notes. */
int keeping_clean_sightings(struct gatehoused *g);
void keeping_stop(struct gatehoused *g);

#endif
