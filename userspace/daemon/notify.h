/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service manager's notification socket (sd_notify(3)), if there is one. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "STATUS=...", "WATCHDOG=1". Without a service
 * manager nothing happens; errors are nobody's business. */
void notify_send(const char *state);
/* How often the service manager wants a sign of life, in ns; 0: not at all. */
int64_t notify_watchdog_ns(void);

#endif
