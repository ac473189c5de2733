/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread and the loop share no memory: a pair of sockets carries the work
 * one way and what came of it the other. The end of the loop's socket ends the
 * thread. It has the program's few capabilities and uses none.
 */
#include "daemon/passwords.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

struct work {
	int slot;
	bool make;
	char password[PASSWORDS_TEXT];
	char stored[CRYPTO_PASSWORD];
};

struct done {
	int slot;
	int ret;
	char stored[CRYPTO_PASSWORD];
};

struct thread {
	int fd;
	uint8_t key[CRYPTO_KEY];
};

struct waiting {
	passwords_fn *fn; /* NULL: free */
	void *data;
};

struct passwords {
	struct loop *loop;
	struct loop_fd watch;
	int fd;
	int count;
	struct waiting waiting[PASSWORDS_WAITING];
};

static void do_work(const uint8_t *key, struct work *work, struct done *done)
{
	memset(done, 0, sizeof(*done));
	done->slot = work->slot;
	done->ret = work->make ? crypto_password_make(
					 key, work->password, done->stored)
			       : crypto_password_check(
					 key, work->password, work->stored);
	crypto_wipe(work, sizeof(*work));
}

static void *run(void *data)
{
	struct thread *thread = data;
	struct work work;
	struct done done;

	while (recv(thread->fd, &work, sizeof(work), 0) == sizeof(work)) {
		do_work(thread->key, &work, &done);
		if (send(thread->fd, &done, sizeof(done), MSG_NOSIGNAL) < 0)
			break;
	}
	close(thread->fd);
	crypto_wipe(thread, sizeof(*thread));
	free(thread);
	return NULL;
}

static int start_thread(struct thread *data)
{
	sigset_t all, before;
	pthread_t thread;
	int ret;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&thread, NULL, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ret)
		pthread_detach(thread);
	return -ret;
}

static void on_done(void *data, int fd, int events)
{
	struct passwords *passwords = data;
	struct waiting waiting;
	struct done done;

	while (recv(fd, &done, sizeof(done), MSG_DONTWAIT) == sizeof(done)) {
		waiting = passwords->waiting[done.slot];
		passwords->waiting[done.slot].fn = NULL;
		passwords->count--;
		waiting.fn(waiting.data, done.ret, done.stored);
	}
}

int passwords_new(struct loop *loop, const uint8_t key[static CRYPTO_KEY],
	struct passwords **ret_passwords)
{
	struct passwords *passwords;
	struct thread *thread;
	int pair[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	thread = xcalloc(1, sizeof(*thread));
	thread->fd = pair[1];
	memcpy(thread->key, key, sizeof(thread->key));
	ret = start_thread(thread);
	if (ret) {
		close(pair[0]);
		close(pair[1]);
		free(thread);
		return ret;
	}
	passwords = xcalloc(1, sizeof(*passwords));
	passwords->loop = loop;
	passwords->fd = pair[0];
	loop_fd_start(loop, &passwords->watch, passwords->fd, LOOP_READ, on_done,
		passwords);
	*ret_passwords = passwords;
	return 0;
}

void passwords_free(struct passwords *passwords)
{
	int i;

	if (!passwords)
		return;
	for (i = 0; i < PASSWORDS_WAITING; i++)
		if (passwords->waiting[i].fn)
			passwords->waiting[i].fn(
				passwords->waiting[i].data, -ECANCELED, NULL);
	loop_fd_stop(passwords->loop, &passwords->watch);
	fd_close(&passwords->fd);
	free(passwords);
}

int passwords_waiting(const struct passwords *passwords)
{
	return passwords->count;
}

static int send_work(struct passwords *passwords, struct work *work,
	passwords_fn *fn, void *data)
{
	int slot = 0, ret = 0;

	while (slot < PASSWORDS_WAITING && passwords->waiting[slot].fn)
		slot++;
	if (slot == PASSWORDS_WAITING)
		return -EBUSY;
	work->slot = slot;
	if (send(passwords->fd, work, sizeof(*work),
		    MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		ret = -errno;
	crypto_wipe(work, sizeof(*work));
	if (ret)
		return ret;
	passwords->waiting[slot] = (struct waiting){fn, data};
	passwords->count++;
	return 0;
}

int passwords_check(struct passwords *passwords, const char *password,
	const char *stored, passwords_fn *fn, void *data)
{
	struct work work = {.make = false};

	snprintf(work.password, sizeof(work.password), "%s", password);
	snprintf(work.stored, sizeof(work.stored), "%s", stored);
	return send_work(passwords, &work, fn, data);
}

int passwords_make(struct passwords *passwords, const char *password,
	passwords_fn *fn, void *data)
{
	struct work work = {.make = true};

	snprintf(work.password, sizeof(work.password), "%s", password);
	return send_work(passwords, &work, fn, data);
}
