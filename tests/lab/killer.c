/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into a program under test: sees its calls that change pins, hooks
 * or maps, and kills it (SIGKILL) before one: the one with number KILL_AT, or
 * the first whose description has KILL_BEFORE in it. A run of map updates
 * counts as one step for each 100.
 */
#include <dlfcn.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RUN 100

static int steps, updates;

static void step(const char *name, const char *what)
{
	const char *at = getenv("KILL_AT"), *before = getenv("KILL_BEFORE");
	char line[256];

	updates = 0;
	steps++;
	snprintf(line, sizeof(line), "%s %s", name, what);
	if ((at && strtol(at, NULL, 10) == steps) ||
		(before && strstr(line, before)))
		kill(getpid(), SIGKILL);
}

static void bpf_step(long command, const union bpf_attr *attr)
{
	switch (command) {
	case BPF_MAP_UPDATE_ELEM:
		if (updates++ % RUN == 0) {
			int run = updates;

			step("update", "");
			updates = run;
		}
		break;
	case BPF_OBJ_PIN:
		step("pin", (const char *)(unsigned long)attr->pathname);
		break;
	case BPF_PROG_TEST_RUN:
		step("run", "");
		break;
	case BPF_LINK_UPDATE:
		step("switch", "");
		break;
	default:
		break;
	}
}

/* libbpf has no wrapper of its own for bpf(2). */
long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long a[6];
	va_list args;
	size_t i;

	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	va_start(args, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf)
		bpf_step(a[0], (const union bpf_attr *)a[1]);
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* How libbpf replaces a filter of clsact. */
ssize_t send(int fd, const void *data, size_t len, int flags)
{
	ssize_t (*next)(int, const void *, size_t, int) =
		dlsym(RTLD_NEXT, "send");
	const struct nlmsghdr *header = data;

	if (len >= sizeof(*header) && header->nlmsg_type == RTM_NEWTFILTER)
		step("switch", "");
	return next(fd, data, len, flags);
}

int rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

	step("rename", to);
	return next(from, to);
}

int unlink(const char *path)
{
	int (*next)(const char *) = dlsym(RTLD_NEXT, "unlink");

	step("unlink", path);
	return next(path);
}

int rmdir(const char *path)
{
	int (*next)(const char *) = dlsym(RTLD_NEXT, "rmdir");

	step("rmdir", path);
	return next(path);
}

int mkdir(const char *path, mode_t mode)
{
	int (*next)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");

	step("mkdir", path);
	return next(path, mode);
}
