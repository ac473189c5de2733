/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two processes and a socket between them. The keeper looks at the files every
 * few seconds and waits in poll() meanwhile, so that it sees when the portal is
 * gone. A renewal writes two files, one after the other: they are read once
 * nothing has changed for the time between two looks.
 */
#include "keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "sandbox.h"

#define LOOK_MS 2000

int keeper_read(const char *path, char **ret_text)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t used = 0;
	ssize_t len;

	if (fd < 0)
		return -errno;
	text = xcalloc(1, KEEPER_PEM_MAX + 1);
	while ((len = read(fd, text + used, KEEPER_PEM_MAX - used)) > 0)
		used += (size_t)len;
	if (len < 0)
		return -errno;
	if (used == KEEPER_PEM_MAX)
		return -EFBIG;
	*ret_text = TAKE_PTR(text);
	return 0;
}

/* The keeper. */

/* What a file is known by; all zero when it cannot be seen. */
struct sight {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

static struct sight see(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct sight sight;
	struct stat st;

	memset(&sight, 0, sizeof(sight)); /* padding is compared, too */
	if (fd >= 0 && fstat(fd, &st) == 0) {
		sight.inode = st.st_ino;
		sight.size = st.st_size;
		sight.changed = st.st_mtim;
	}
	return sight;
}

struct pair {
	struct sight chain, key;
};

static void see_both(
	const char *chain_path, const char *key_path, struct pair *ret_pair)
{
	memset(ret_pair, 0, sizeof(*ret_pair));
	ret_pair->chain = see(chain_path);
	ret_pair->key = see(key_path);
}

/* Both texts, each with its zero. */
static void send_both(int fd, const char *chain_path, const char *key_path)
{
	_cleanup_free_ char *chain = NULL, *key = NULL, *both = NULL;
	size_t chain_size, key_size;
	int ret = keeper_read(chain_path, &chain);
	const char *path = ret ? chain_path : key_path;

	if (!ret)
		ret = keeper_read(key_path, &key);
	if (ret) {
		log_warning("%s was changed and cannot be read: %s; the old "
			    "certificate stays in use",
			path, strerror(-ret));
		return;
	}
	chain_size = strlen(chain) + 1;
	key_size = strlen(key) + 1;
	both = xcalloc(1, chain_size + key_size);
	memcpy(both, chain, chain_size);
	memcpy(both + chain_size, key, key_size);
	if (send(fd, both, chain_size + key_size, MSG_NOSIGNAL) < 0)
		log_warning("cannot hand the new certificate on: %s",
			strerror(errno));
}

static void look(int fd, const char *chain_path, const char *key_path)
{
	struct pollfd portal = {.fd = fd};
	struct pair sent, last, now;

	see_both(chain_path, key_path, &sent);
	last = sent;
	while (poll(&portal, 1, LOOK_MS) == 0) {
		see_both(chain_path, key_path, &now);
		if (memcmp(&now, &last, sizeof(now)) == 0 &&
			memcmp(&now, &sent, sizeof(now)) != 0) {
			send_both(fd, chain_path, key_path);
			sent = now;
		}
		last = now;
	}
}

static void be_keeper(int fd, const char *user, const char *chain_path,
	const char *key_path)
{
	int ret;

	prctl(PR_SET_NAME, "gatehouse-keep", 0, 0, 0);
	/* Who stops both, by a terminal or a service, means the portal. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	/* The log is 2; nothing else of the portal's is to be held here. */
	if (dup2(fd, STDERR_FILENO + 1) < 0 ||
		close_range(STDERR_FILENO + 2, ~0U, 0))
		_exit(1);
	ret = sandbox_drop(user);
	if (!ret)
		ret = sandbox_keeper();
	if (!ret)
		look(STDERR_FILENO + 1, chain_path, key_path);
	else
		log_error("cannot confine the certificate's keeper: %s",
			strerror(-ret));
	_exit(ret ? 1 : 0);
}

/* The portal. */

static void on_message(void *data, int fd, int events)
{
	struct keeper *keeper = data;
	_cleanup_free_ char *both = xcalloc(1, 2 * (KEEPER_PEM_MAX + 1) + 1);
	ssize_t len = recv(
		fd, both, 2 * (KEEPER_PEM_MAX + 1), MSG_DONTWAIT);
	size_t chain_size;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		log_warning("the certificate's keeper is gone: restart to read "
			    "a new certificate");
		keeper_stop(keeper);
		return;
	}
	chain_size = strlen(both) + 1;
	if (chain_size < (size_t)len)
		keeper->fn(keeper->data, both, both + chain_size);
}

int keeper_start(struct keeper *keeper, struct loop *loop, const char *user,
	const char *chain_path, const char *key_path, keeper_fn fn, void *data)
{
	int bytes = 4 * KEEPER_PEM_MAX, ends[2];
	pid_t pid;

	*keeper = (struct keeper){
		.loop = loop, .fd = -1, .fn = fn, .data = data};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	/* Nobody asks how it ended: the socket says that it did. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid < 0) {
		int ret = -errno;

		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return ret;
	}
	if (pid == 0)
		be_keeper(ends[1], user, chain_path, key_path);
	fd_close(&ends[1]);
	keeper->fd = ends[0];
	loop_fd_start(loop, &keeper->watch, keeper->fd, LOOP_READ, on_message,
		keeper);
	return 0;
}

void keeper_stop(struct keeper *keeper)
{
	if (!keeper->loop || keeper->fd < 0)
		return;
	loop_fd_stop(keeper->loop, &keeper->watch);
	fd_close(&keeper->fd);
}
