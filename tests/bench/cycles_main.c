/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cycles ADDRESS PORT PATH SECONDS THREADS
 *
 * What a captive phone's probe does, over and over: connect, GET, read the
 * answer to its end, close; with the machine's own TCP, from whatever network
 * namespace it runs in. Every answer must be a 302. Prints
 * "cycles N bad N seconds S".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define THREADS_MAX 16

struct target {
	struct sockaddr_in at;
	char request[512];
	int request_len;
	double end;
};

struct worker {
	pthread_t thread;
	const struct target *target;
	long cycles;
	long bad;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* One cycle; 0 when the answer was a whole 302. */
static int cycle(const struct target *t)
{
	struct timeval limit = {.tv_sec = 2};
	char buf[2048];
	int len = 0, n = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (const struct sockaddr *)&t->at, sizeof(t->at)) &&
		send(fd, t->request, t->request_len, MSG_NOSIGNAL) > 0)
		while (len < (int)sizeof(buf) - 1 &&
			(n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0)) > 0)
			len += n;
	close(fd);
	buf[len] = '\0';
	return !n && !strncmp(buf, "HTTP/1.", 7) && !strncmp(buf + 8, " 302", 4)
		? 0 : -EPROTO;
}

static void *work(void *data)
{
	struct worker *w = data;

	while (now() < w->target->end) {
		if (cycle(w->target))
			w->bad++;
		else
			w->cycles++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct target target = {.at = {.sin_family = AF_INET}};
	struct worker workers[THREADS_MAX] = {0};
	long cycles = 0, bad = 0;
	double start = now();
	int threads;

	if (argc != 6 || !inet_pton(AF_INET, argv[1], &target.at.sin_addr))
		die("usage: cycles ADDRESS PORT PATH SECONDS THREADS");
	target.at.sin_port = htons(strtoul(argv[2], NULL, 10));
	target.request_len = snprintf(target.request, sizeof(target.request),
		"GET %.256s HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n"
		"Connection: close\r\n\r\n", argv[3]);
	target.end = start + strtod(argv[4], NULL);
	threads = strtol(argv[5], NULL, 10);
	if (threads < 1 || threads > THREADS_MAX)
		die("1 to %d threads", THREADS_MAX);
	for (int i = 0; i < threads; i++) {
		workers[i].target = &target;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("no thread");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		cycles += workers[i].cycles;
		bad += workers[i].bad;
	}
	printf("cycles %ld bad %ld seconds %.6f\n", cycles, bad, now() - start);
	return 0;
}
