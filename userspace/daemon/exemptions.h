/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exemptions in the course of time. */
#ifndef DAEMON_EXEMPTIONS_H
#define DAEMON_EXEMPTIONS_H

#include "daemon/gatehoused.h"

/* Job, and when a deadline has come: those that are over are ended, and the
 * deadlines of the others follow the wall clock. */
int exemptions_settle(struct gatehoused *g);

#endif
