/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A socket says itself where it listens, so all have one name. Those that the
 * configuration does not want any more are taken back by that name, and with
 * them the others, which are then kept again.
 */
#include "handover.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/util.h"

#define FIRST_FD   3 /* sd_listen_fds(3) */
#define KEPT_MAX   256
#define NAME_SOCKETS "listener"
#define NAME_KEY     "form-key"

static int kept[KEPT_MAX]; /* -1: taken */
static int kept_count;

/* The service manager. */

/* Never blocks and never fails us: at worst the next run begins anew. */
static void tell(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(char *)text, strlen(text)};
	struct msghdr msg = {.msg_name = &addr, .msg_iov = &iov, .msg_iovlen = 1};
	_cleanup_fd_ int sock = -1;
	size_t len = path ? strlen(path) : 0;

	if (!len || len >= sizeof(addr.sun_path) ||
		(*path != '/' && *path != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0';
	msg.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock >= 0)
		sendmsg(sock, &msg, MSG_NOSIGNAL);
}

void handover_begin(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int i;

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return;
	kept_count = (int)MIN(MAX(strtol(count, NULL, 10), 0L), (long)KEPT_MAX);
	for (i = 0; i < kept_count; i++) {
		kept[i] = FIRST_FD + i;
		if (fcntl(kept[i], F_SETFD, FD_CLOEXEC))
			kept[i] = -1;
	}
}

void handover_end(void)
{
	bool forget = false;
	int i;

	for (i = 0; i < kept_count; i++) {
		forget = forget || kept[i] >= 0;
		fd_close(&kept[i]);
	}
	kept_count = 0;
	if (forget)
		tell("FDSTOREREMOVE=1\nFDNAME=" NAME_SOCKETS, -1);
}

/* Sockets. */

static bool is_listener(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
	struct sockaddr_storage own = {0};
	socklen_t own_len = sizeof(own), size = sizeof(int);
	int listens = 0;

	return fd >= 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
	       listens &&
	       getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
	       own_len == len && memcmp(&own, sa, len) == 0;
}

int handover_listener(const struct ipaddr *addr, int port)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = ip_to_sockaddr(addr, port, &sa);
	int i;

	for (i = 0; i < kept_count; i++)
		if (is_listener(kept[i], &sa, len))
			return TAKE_FD(kept[i]);
	return -1;
}

void handover_keep_listener(int fd)
{
	tell("FDSTORE=1\nFDNAME=" NAME_SOCKETS, fd);
}

/* The key. */

/* Only a sealed file of ours is of exactly this size. */
static bool read_key(int fd, uint8_t key[static CRYPTO_KEY])
{
	return fd >= 0 && fcntl(fd, F_GET_SEALS) > 0 &&
	       lseek(fd, 0, SEEK_END) == CRYPTO_KEY &&
	       pread(fd, key, CRYPTO_KEY, 0) == CRYPTO_KEY;
}

void handover_form_key(uint8_t key[static CRYPTO_KEY])
{
	_cleanup_fd_ int fd = -1;
	int i;

	for (i = 0; i < kept_count; i++)
		if (read_key(kept[i], key)) {
			fd_close(&kept[i]);
			return;
		}
	crypto_random(key, CRYPTO_KEY);
	fd = memfd_create(NAME_KEY, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && write(fd, key, CRYPTO_KEY) == CRYPTO_KEY &&
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		tell("FDSTORE=1\nFDNAME=" NAME_KEY, fd);
}
