/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread, and the pipe by which it is told. They share no memory: numbers
 * of descriptors go one way, and the end of the pipe ends the thread. Several at
 * once, as it takes the thread longer to wake than to close one.
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
	int count;
	int waiting[CLOSER_WAITING];
};

static void *run(void *data)
{
	int from = (int)(intptr_t)data, fds[CLOSER_WAITING];
	ssize_t len, i;

	/* Whole numbers: a write of so few is not split. */
	while ((len = read(from, fds, sizeof(fds))) > 0)
		for (i = 0; i < len / (ssize_t)sizeof(fds[0]); i++) {
			/* Spares the next one most of the wait; the sender may
			 * still set it again, which then costs this thread, and
			 * only it. */
			setsockopt(fds[i], SOL_SOCKET, SO_LINGER,
				&(struct linger){0}, sizeof(struct linger));
			close(fds[i]);
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
	closer_flush(closer);
	close(closer->fd);
	free(closer);
}

void closer_close(struct closer *closer, int fd)
{
	if (fd < 0)
		return;
	closer->waiting[closer->count++] = fd;
	if (closer->count == CLOSER_WAITING)
		closer_flush(closer);
}

void closer_flush(struct closer *closer)
{
	ssize_t size = closer->count * (ssize_t)sizeof(closer->waiting[0]);

	/* A full pipe has more in it than a process may have open. */
	if (size && write(closer->fd, closer->waiting, (size_t)size) != size)
		for (int i = 0; i < closer->count; i++)
			close(closer->waiting[i]);
	closer->count = 0;
}
