/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shows that two devices have one MAC: the kernel's `twins`.
 */
#ifndef DATAPATH_TWINS_H
#define DATAPATH_TWINS_H

#include "datapath/datapath.h"

/* -ENOENT: the client did nothing of late that would show it. */
int twins_lookup(struct datapath *dp, const struct mac *mac, struct gh_twin *ret_twin);

#define TWINS_SYSTEM 64
/* "ttl 64: mss 1460, sack, timestamps, scale 7", as a SYN says it. */
void twins_system_format(const struct gh_guise *guise, char buf[static TWINS_SYSTEM]);

#endif
