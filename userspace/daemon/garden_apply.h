/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the networks' `garden` settings to the garden in the kernel. */
#ifndef DAEMON_GARDEN_APPLY_H
#define DAEMON_GARDEN_APPLY_H

#include "base/config.h"
#include "datapath/datapath.h"

/* Logs what it cannot do. */
int garden_apply(struct datapath *dp, const struct config *config);

#endif
