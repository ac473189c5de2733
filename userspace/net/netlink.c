/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests are numbered over all sockets. What an earlier request has left in
 * its socket, because its answer was late or not read to its end, has another
 * number and is passed over.
 */
#include "net/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/util.h"

/* More than the kernel puts into one part of a dump (NLMSG_GOODSIZE to 32 KiB). */
#define ANSWER_BYTES (64 * 1024)

int netlink_open(int bus, int flags, struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC | flags);
	int ret;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		mnl_socket_close(socket);
		return ret;
	}
	*ret_socket = socket;
	return 0;
}

int netlink_ask(struct mnl_socket *socket, struct nlmsghdr *message,
	mnl_cb_t fn, void *data)
{
	static unsigned int last;
	/* Not malloc(): for a block of this size, once for each guest's
	 * request, it tidies up all the small ones first. */
	char buf[ANSWER_BYTES];
	unsigned int port = mnl_socket_get_portid(socket);
	int ret = MNL_CB_OK;

	message->nlmsg_seq = ++last;
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	while (ret > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		ret = mnl_cb_run(
			buf, (size_t)n, message->nlmsg_seq, port, fn, data);
		if (ret < 0 && errno == EPROTO)
			ret = MNL_CB_OK;
	}
	return ret < 0 ? -errno : 0;
}
