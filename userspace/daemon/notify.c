/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd_notify in one page: a datagram to the socket that NOTIFY_SOCKET names.
 * Never blocks and never fails the daemon: it runs without systemd as well.
 */
#include "daemon/notify.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/util.h"

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;
	size_t len;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	len = strlen(path);
	if (len >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	/* "@name" is the abstract socket "\0name". */
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		(struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

int64_t notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long value;

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	value = strtoll(usec, NULL, 10);
	/* Half of it, as sd_watchdog_enabled(3) advises. */
	return value > 0 && value < INT64_MAX / 1000 ? value * 1000 / 2 : 0;
}
