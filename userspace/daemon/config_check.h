/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration without a fault against the box that it is for. */
#ifndef DAEMON_CONFIG_CHECK_H
#define DAEMON_CONFIG_CHECK_H

#include "base/config.h"

/* Tells, as "warning: ...", what this box lacks of what is named, by line. */
void config_warn(const struct config *config, const char *path,
	finding_fn *report, void *data);

#endif
