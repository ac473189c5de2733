/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay DEV FAR_NETNS FAR_DEV MS
 *
 * A long cable: makes the TAP devices DEV, here, and FAR_DEV, in FAR_NETNS, and
 * carries every frame from one to the other MS ms later, in order and without
 * loss, until it is killed; for kernels without netem. Says "ready" when both
 * are there. Frames may be large (GSO): their headers cross with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES (66000)
#define ROOM	    (64U << 20) /* on its way in one direction */

struct frame {
	struct frame *next;
	int64_t due_ns;
	size_t len;
	uint8_t bytes[];
};

/* One direction of the cable. */
struct lane {
	int from, to;
	size_t waiting; /* bytes */
	struct frame *first, *last;
};

static _Noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_tap(const char *name)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) ||
		ioctl(fd, TUNSETOFFLOAD,
			TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN))
		die("%s: %s", name, strerror(errno));
	return fd;
}

static int open_tap_in(const char *netns, const char *name)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char path[128];
	int there, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	fd = open_tap(name);
	if (setns(here, CLONE_NEWNET))
		die("cannot come back: %s", strerror(errno));
	close(here);
	close(there);
	return fd;
}

/* Takes what is there to take. */
static void take(struct lane *lane, int64_t delay_ns)
{
	static uint8_t bytes[FRAME_BYTES];

	while (lane->waiting < ROOM) {
		ssize_t len = read(lane->from, bytes, sizeof(bytes));
		struct frame *frame;

		if (len <= 0)
			return;
		frame = malloc(sizeof(*frame) + (size_t)len);
		if (!frame)
			die("out of memory");
		*frame = (struct frame){
			.due_ns = now() + delay_ns, .len = (size_t)len};
		memcpy(frame->bytes, bytes, frame->len);
		if (lane->first)
			lane->last->next = frame;
		else
			lane->first = frame;
		lane->last = frame;
		lane->waiting += frame->len;
	}
}

/* Hands over what is due. Of a device that is down nothing arrives. */
static void give(struct lane *lane)
{
	int64_t at = now();

	while (lane->first && lane->first->due_ns <= at) {
		struct frame *frame = lane->first;

		if (write(lane->to, frame->bytes, frame->len) < 0 &&
			errno == EAGAIN)
			return;
		lane->first = frame->next;
		lane->waiting -= frame->len;
		free(frame);
	}
}

/* Sleeps until a frame comes or one is due. */
static void rest(struct lane *lanes)
{
	struct pollfd fds[2];
	int64_t due_ns = INT64_MAX, wait_ns;
	struct timespec timeout;

	for (int i = 0; i < 2; i++) {
		bool has_room = lanes[i].waiting < ROOM;

		fds[i] = (struct pollfd){
			.fd = lanes[i].from, .events = has_room ? POLLIN : 0};
		if (lanes[i].first && lanes[i].first->due_ns < due_ns)
			due_ns = lanes[i].first->due_ns;
	}
	wait_ns = due_ns - now();
	if (wait_ns < 0)
		wait_ns = 0;
	timeout.tv_sec = wait_ns / 1000000000;
	timeout.tv_nsec = wait_ns % 1000000000;
	ppoll(fds, 2, due_ns == INT64_MAX ? NULL : &timeout, NULL);
}

int main(int argc, char **argv)
{
	struct lane lanes[2] = {0};
	int64_t delay_ns;
	int near, far;

	if (argc != 5)
		die("usage: delay DEV FAR_NETNS FAR_DEV MS");
	delay_ns = strtoll(argv[4], NULL, 10) * 1000000;
	near = open_tap(argv[1]);
	far = open_tap_in(argv[2], argv[3]);
	lanes[0].from = lanes[1].to = near;
	lanes[0].to = lanes[1].from = far;
	/* Before others: a delay that depends on the machine's load is none. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 10});
	puts("ready");
	fflush(stdout);
	for (;;) {
		rest(lanes);
		for (int i = 0; i < 2; i++) {
			take(&lanes[i], delay_ns);
			give(&lanes[i]);
		}
	}
}
