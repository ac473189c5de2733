/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The portal's listening sockets. */
#ifndef PORTAL_LISTEN_H
#define PORTAL_LISTEN_H

#include "gatehouse/types.h"

/*
 * Listens on `addr`, which need not be there yet (IP_FREEBIND), and keeps the
 * SYN of each connection for the daemon to look at. 0, or the errno of the
 * call that failed.
 */
int listen_open(const struct ipaddr *addr, int port, int *ret_fd);

#endif
