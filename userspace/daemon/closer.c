/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread, and the pipe by which it is told. They share no memory: numbers
 * of descriptors go one way, and the end of the pipe ends the thread.
 */
#include "daemon/closer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

struct closer {
	int fd; /* numbers of descriptors go in here */
};

static void *run(void *data)
{
	int from = (int)(intptr_t)data, fd;

	while (read(from, &fd, sizeof(fd)) == sizeof(fd)) {
		/* Spares the next one most of the wait; the sender may still
		 * set it again, which then costs this thread, and only it. */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){0},
			sizeof(struct linger));
		close(fd);
	}
	close(from);
	return NULL;
}

static int start_thread(int from)
{
	sigset_t all, before;
	pthread_t thread;
	int ret;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, run, (void *)(intptr_t)from);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ret)
		pthread_detach(thread);
	return -ret;
}

int closer_new(struct closer **ret_closer)
{
	int pair[2], ret;

	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	ret = fcntl(pair[1], F_SETFL, O_NONBLOCK) ? -errno
						  : start_thread(pair[0]);
	if (ret) {
		close(pair[0]);
		close(pair[1]);
		return ret;
	}
	*ret_closer = xcalloc(1, sizeof(**ret_closer));
	(*ret_closer)->fd = pair[1];
	return 0;
}

void closer_free(struct closer *closer)
{
	if (!closer)
		return;
	close(closer->fd);
	free(closer);
}

void closer_close(struct closer *closer, int fd)
{
	if (fd < 0)
		return;
	/* A full pipe has more in it than a process may have open. */
	if (write(closer->fd, &fd, sizeof(fd)) != sizeof(fd))
		close(fd);
}
