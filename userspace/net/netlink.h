/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every netlink family needs of libmnl: a bound socket, and a request
 * with its whole answer. Errors are negative errno values. A unit test has
 * functions of its own in their place, which answer for hardware that no test
 * machine has (tests/unit/test_bypass.c).
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include <libmnl/libmnl.h>

/* `bus`: NETLINK_ROUTE, ...; `flags`: SOCK_NONBLOCK or 0. The caller closes. */
int netlink_open(int bus, int flags, struct mnl_socket **ret_socket);

/*
 * Sends `message`, whose number is set here, and gives each part of the answer
 * to `fn` (NULL: only an acknowledgement is awaited) until the kernel or `fn`
 * says that it was the last. Returns the error in the answer, or of `fn`.
 */
int netlink_ask(struct mnl_socket *socket, struct nlmsghdr *message,
	mnl_cb_t fn, void *data);

#endif
