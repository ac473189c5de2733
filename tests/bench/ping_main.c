/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping FAR_NETNS FAR_ADDR SECONDS
 *
 * How long a client's packet takes through the gateway and its answer back: one
 * thread sends a datagram from here, reads it in the namespace FAR_NETNS, and
 * answers. It never sleeps, so nothing is measured but the kernel's way from
 * send() to the other socket, in the sender's context unless the gateway is busy
 * with others. One round every PACE_NS, so that it is no load of its own.
 * Prints "rounds N lost N p50 NS p99 NS max NS".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define PORT 7007
#define PACE_NS 50000
#define LOST_NS 20000000
#define ROUNDS_MAX 1000000

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

/* A socket that listens in another network namespace. */
static int far_socket(const char *netns)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char path[128];
	int there, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	fd = udp_socket();
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("port %d: %s", PORT, strerror(errno));
	if (setns(here, CLONE_NEWNET))
		die("cannot come back: %s", strerror(errno));
	close(here);
	close(there);
	return fd;
}

/* Waits for datagram `round`, and whom it is from; false: it is lost. */
static bool take(int fd, int64_t round, struct sockaddr_in *ret_from)
{
	int64_t end = now() + LOST_NS, got;
	socklen_t len = sizeof(*ret_from);

	do {
		if (recvfrom(fd, &got, sizeof(got), 0,
			    (struct sockaddr *)ret_from, &len) == sizeof(got) &&
			got == round)
			return true;
	} while (now() < end);
	return false;
}

static bool go(int fd, int64_t round, const struct sockaddr_in *to)
{
	return sendto(fd, &round, sizeof(round), 0, (const struct sockaddr *)to,
		       sizeof(*to)) == sizeof(round);
}

/* ns there and back, or -1. */
static int64_t round_trip(int near, int far, int64_t round,
	const struct sockaddr_in *far_at)
{
	struct sockaddr_in from;
	int64_t start = now();

	if (!go(near, round, far_at) || !take(far, round, &from) ||
		!go(far, round, &from) || !take(near, round, &from))
		return -1;
	return now() - start;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	static int64_t took[ROUNDS_MAX];
	size_t rounds = 0, lost = 0;
	int64_t end, next, ns;
	int near, far;

	if (argc != 4 || !inet_pton(AF_INET, argv[2], &at.sin_addr))
		die("usage: ping FAR_NETNS FAR_ADDR SECONDS");
	near = udp_socket();
	far = far_socket(argv[1]);
	next = now();
	end = next + strtod(argv[3], NULL) * 1e9;
	while (next < end && rounds < ROUNDS_MAX) {
		ns = round_trip(near, far, next, &at);
		if (ns < 0)
			lost++;
		else
			took[rounds++] = ns;
		next += PACE_NS;
		while (now() < next)
			;
		next = now();
	}
	if (!rounds)
		die("nothing came back");
	qsort(took, rounds, sizeof(*took), by_value);
	printf("rounds %zu lost %zu p50 %lld p99 %lld max %lld\n", rounds, lost,
		(long long)took[rounds / 2], (long long)took[rounds * 99 / 100],
		(long long)took[rounds - 1]);
	return 0;
}
