/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdict reasons: their names for people, and their counters. */
#ifndef DATAPATH_REASONS_H
#define DATAPATH_REASONS_H

#include "datapath/datapath.h"

/* "drop_captive"; "?" for a number that is none. Never NULL. */
const char *reason_name(enum gh_reason reason);
/* "dropped: the client has no session", for an operator; "?" as above. */
const char *reason_meaning(enum gh_reason reason);

/* Sums the CPUs. Counters since the maps were made, never reset. */
int reasons_read(
	struct datapath *dp, struct gh_count ret_counts[static GH_REASONS]);

#endif
