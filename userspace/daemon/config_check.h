/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gatehoused wants of a configuration beyond what config_load() checks. */
#ifndef DAEMON_CONFIG_CHECK_H
#define DAEMON_CONFIG_CHECK_H

#include "base/config.h"

typedef void config_report_fn(
	void *data, const char *path, int line, const char *text);

/* Reports each fault; 0, or -EINVAL after one. */
int config_check(const struct config *config, const char *path,
	config_report_fn *report, void *data);
/* Tells, as "warning: ...", what this box lacks of what is named. */
void config_warn(const struct config *config, const char *path,
	config_report_fn *report, void *data);

#endif
