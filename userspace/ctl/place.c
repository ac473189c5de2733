/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespace belongs to a child and ends with it, and the pair of interfaces
 * with the namespace; the child dies with us. So there is nothing to clean up,
 * and nothing that a crash could leave behind.
 */
#include "ctl/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

extern char **environ;

/* Not by /sys, which may be of another namespace. */
bool place_is_bridge(const char *interface)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (void *)&info};
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request) &&
	       !strcmp(info.driver, "bridge");
}

/*
 * What an XDP program sends back to a veth arrives only where one runs, too: one
 * that lets everything pass, for as long as this process lives. Where there is
 * no XDP none is needed.
 */
static void take_xdp(const char *name)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)pass,
		.insn_cnt = ARRAY_SIZE(pass),
		.license = (uintptr_t)"GPL"};
	union bpf_attr link = {0};
	long prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));

	if (prog < 0)
		return;
	link.link_create.prog_fd = (uint32_t)prog;
	link.link_create.target_ifindex = if_nametoindex(name);
	link.link_create.attach_type = BPF_XDP;
	/* Ours until the end. */
	(void)syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
}

int place_command(const char *const *words)
{
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)words,
		    environ))
		return -EIO;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* One byte says "go on"; the end of the pipe says that there is nobody. */
static int wait_for(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : -EIO;
}

static int tell(int fd)
{
	return write(fd, "", 1) == 1 ? 0 : -EIO;
}

static void set(const char *path, const char *value)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return;
	fputs(value, file);
	fclose(file);
}

static int settle(void)
{
	const char *const lo[] = {"ip", "link", "set", "lo", "up", NULL};
	const char *const up[] = {"ip", "link", "set", "eth0", "up", NULL};
	int ret;

	take_xdp("eth0");
	/* Of the box itself it has inherited what a router wants. */
	set("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	set("/proc/sys/net/ipv4/conf/eth0/rp_filter", "0");
	set("/proc/sys/net/ipv6/conf/all/forwarding", "0");
	/* A person waits: routers are asked at once, and the address is made up
	 * so that nobody else has it. */
	set("/proc/sys/net/ipv6/conf/eth0/accept_dad", "0");
	set("/proc/sys/net/ipv6/conf/eth0/router_solicitation_delay", "0");
	ret = place_command(lo);
	return ret ?: place_command(up);
}

static void live(int from, int to, json_t *(*fn)(void *data), void *data)
{
	json_t *result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || tell(to) || wait_for(from) || settle())
		_exit(1);
	result = fn(data);
	_exit(json_dumpfd(result, to, JSON_COMPACT) ? 1 : 0);
}

static int plug_in(const char *bridge, pid_t pid)
{
	char name[IFNAMSIZ], where[16];
	const char *const add[] = {"ip", "link", "add", name, "type", "veth",
		"peer", "name", "eth0", "netns", where, NULL};
	const char *const up[] = {
		"ip", "link", "set", name, "master", bridge, "up", NULL};
	int ret;

	snprintf(name, sizeof(name), "ght%d", (int)pid);
	snprintf(where, sizeof(where), "%d", (int)pid);
	ret = place_command(add);
	return ret ?: place_command(up);
}

static json_t *receive(int from)
{
	FILE *file = fdopen(from, "r");
	json_t *result;

	if (!file) {
		close(from);
		return NULL;
	}
	result = json_loadf(file, 0, NULL);
	fclose(file);
	return result;
}

int place_run(const char *bridge, json_t *(*fn)(void *data), void *data,
	json_t **ret_result)
{
	_cleanup_fd_ int to_child = -1, from_child = -1;
	int down[2], up[2];
	json_t *result = NULL;
	pid_t pid;
	int ret;

	if (geteuid() != 0)
		return -EPERM;
	if (pipe2(down, O_CLOEXEC))
		return -errno;
	to_child = down[1];
	from_child = pipe2(up, O_CLOEXEC) ? -1 : up[0];
	pid = from_child < 0 ? -1 : fork();
	if (pid == 0) {
		close(down[1]);
		close(up[0]);
		live(down[0], up[1], fn, data);
	}
	close(down[0]);
	if (from_child >= 0)
		close(up[1]);
	if (pid < 0)
		return -EAGAIN;
	ret = wait_for(from_child);
	ret = ret ?: plug_in(bridge, pid);
	ret = ret ?: tell(to_child);
	if (!ret)
		result = receive(TAKE_FD(from_child));
	/* If it waits, this is its end. */
	fd_close(&to_child);
	to_child = -1;
	waitpid(pid, NULL, 0);
	if (!result)
		return ret ?: -EIO;
	*ret_result = result;
	return 0;
}
