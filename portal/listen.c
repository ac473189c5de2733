/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening sockets. TCP_SAVE_SYN is set before listen(), so there is no
 * connection without its SYN but those made by SYN cookies; the value 2 keeps
 * the Ethernet header too, which says whose connection it is. The portal never
 * reads a saved SYN: it can be read once, and that is the daemon's.
 *
 * Half-open connections whose other end stays silent must not fill the queue,
 * for then come the cookies: our answer to a SYN is repeated once, not five
 * times, so they are gone after 3 s instead of a minute. A guest who has lost
 * both answers sends another SYN.
 */
#include "listen.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/util.h"

/* Long, so that SYN cookies begin late; the kernel caps it at somaxconn. */
#define BACKLOG		       4096
#define SAVE_SYN_WITH_ETHERNET 2
#define SYN_ANSWER_REPEATS     1
/* Who acknowledges nothing for so long is gone; the default is minutes, which
 * closed connections would stay in the kernel. */
#define UNHEARD_MS	       8000

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int prepare(int fd, bool is_v4)
{
	int ret = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!ret)
		ret = is_v4 ? set(fd, IPPROTO_IP, IP_FREEBIND, 1)
			    : set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (!ret && !is_v4)
		ret = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!ret)
		ret = set(fd, IPPROTO_TCP, TCP_SAVE_SYN, SAVE_SYN_WITH_ETHERNET);
	/* Of a listening socket it is about its answers. */
	if (!ret)
		ret = set(fd, IPPROTO_TCP, TCP_SYNCNT, SYN_ANSWER_REPEATS);
	/* What is accepted inherits it. */
	if (!ret)
		ret = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNHEARD_MS);
	if (!ret)
		ret = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return ret;
}

int listen_open(const struct ipaddr *addr, int port, int *ret_fd)
{
	bool is_v4 = ip_is_v4(addr);
	struct sockaddr_storage sa;
	socklen_t len = ip_to_sockaddr(addr, port, &sa);
	_cleanup_fd_ int fd = socket(is_v4 ? AF_INET : AF_INET6,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return -errno;
	ret = prepare(fd, is_v4);
	if (ret)
		return ret;
	if (bind(fd, (struct sockaddr *)&sa, len) || listen(fd, BACKLOG))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
