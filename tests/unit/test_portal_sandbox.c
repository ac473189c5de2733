/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * T3: from inside the portal's cage each forbidden thing is tried and fails,
 * and what a request needs still works. Each row runs in a child of its own;
 * seccomp alone and Landlock alone are tried too, so that neither hides that
 * the other is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/util.h"
#include "sandbox.h"

/* Each returns 0 when it could do it. The raw calls are made by syscall(), so
 * that no library stands between. */

static long try_exec(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};

	syscall(SYS_execve, "/bin/true", argv, envp);
	return -1;
}

static long try_execveat(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};

	syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, envp, 0);
	return -1;
}

static long try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid < 0;
}

static long try_ptrace(void)
{
	return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static long try_vm_read(void)
{
	char buf[8], data[8] = "";
	struct iovec to = {buf, 8}, from = {data, 8};

	return syscall(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0) < 0;
}

static long open_fails(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600) < 0;
}

static long try_open_write(void)
{
	return open_fails("/dev/null", O_WRONLY);
}

static long try_create(void)
{
	return open_fails("/tmp/gatehouse-sandbox-test", O_RDWR | O_CREAT);
}

static long try_tmpfile(void)
{
	return open_fails("/tmp", O_RDWR | O_TMPFILE);
}

static long try_open_read(void)
{
	return open_fails("/etc/passwd", O_RDONLY);
}

static long try_unlink(void)
{
	return syscall(SYS_unlinkat, AT_FDCWD, "/tmp/gatehouse-none", 0) < 0 &&
	       errno != ENOENT;
}

static long try_rename(void)
{
	return syscall(SYS_renameat2, AT_FDCWD, "/tmp/gatehouse-none", AT_FDCWD,
		       "/tmp/gatehouse-other", 0) < 0 &&
	       errno != ENOENT;
}

static long try_inet(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) < 0;
}

static long try_inet6(void)
{
	return syscall(SYS_socket, AF_INET6, SOCK_DGRAM, 0) < 0;
}

static long try_netlink(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0) < 0;
}

static long try_packet(void)
{
	return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0) < 0;
}

static long try_bpf(void)
{
	char attr[128] = {0};

	return syscall(SYS_bpf, 0, attr, sizeof(attr)) < 0;
}

static long try_setuid(void)
{
	return syscall(SYS_setuid, 0) < 0;
}

static long try_kill(void)
{
	return syscall(SYS_kill, getppid(), 0) < 0;
}

static long try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static long try_unshare(void)
{
	return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) < 0;
}

static long try_io_uring(void)
{
	char params[120] = {0};

	return syscall(SYS_io_uring_setup, 1, params) < 0;
}

static long try_seccomp_off(void)
{
	return syscall(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 0, 0, 0, 0) < 0;
}

/* What a request needs. */
static long try_unix(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0) < 0;
}

static long try_memory(void)
{
	char *big = malloc(8 << 20);

	if (!big)
		return -1;
	memset(big, 1, 8 << 20);
	free(big);
	return 0;
}

static long try_time(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now);
}

static long try_dup(void)
{
	return fcntl(2, F_DUPFD_CLOEXEC, 0) < 0;
}

enum layer { LAYER_LANDLOCK = 1, LAYER_SECCOMP = 2, LAYER_KEEPER = 4 };
#define ALL (LAYER_LANDLOCK | LAYER_SECCOMP | LAYER_KEEPER)

static const struct {
	const char *name;
	long (*try)(void);
	int refused_by; /* layers; 0: allowed */
} rows[] = {
	{"execve", try_exec, ALL},
	{"execveat", try_execveat, ALL},
	{"fork", try_fork, LAYER_SECCOMP | LAYER_KEEPER},
	{"ptrace", try_ptrace, LAYER_SECCOMP | LAYER_KEEPER},
	{"process_vm_readv", try_vm_read, LAYER_SECCOMP | LAYER_KEEPER},
	{"open for writing", try_open_write, ALL},
	{"create a file", try_create, ALL},
	{"unnamed file", try_tmpfile, ALL},
	{"open for reading", try_open_read, LAYER_SECCOMP | LAYER_LANDLOCK},
	{"unlink", try_unlink, LAYER_SECCOMP | LAYER_KEEPER},
	{"rename", try_rename, LAYER_SECCOMP | LAYER_KEEPER},
	{"socket AF_INET", try_inet, LAYER_SECCOMP | LAYER_KEEPER},
	{"socket AF_INET6", try_inet6, LAYER_SECCOMP | LAYER_KEEPER},
	{"socket AF_NETLINK", try_netlink, LAYER_SECCOMP | LAYER_KEEPER},
	{"socket AF_PACKET", try_packet, LAYER_SECCOMP | LAYER_KEEPER},
	{"bpf", try_bpf, LAYER_SECCOMP | LAYER_KEEPER},
	{"setuid", try_setuid, LAYER_SECCOMP | LAYER_KEEPER},
	{"kill", try_kill, LAYER_SECCOMP | LAYER_KEEPER},
	{"executable memory", try_executable_memory, LAYER_SECCOMP | LAYER_KEEPER},
	{"unshare", try_unshare, LAYER_SECCOMP | LAYER_KEEPER},
	{"io_uring", try_io_uring, LAYER_SECCOMP | LAYER_KEEPER},
	{"prctl", try_seccomp_off, LAYER_SECCOMP | LAYER_KEEPER},
	{"socket AF_UNIX", try_unix, 0},
	{"memory", try_memory, 0},
	{"time", try_time, 0},
	{"duplicate", try_dup, 0},
};

/* 0: it could; 1: it could not; 2: the cage itself failed. */
static int run_in_cage(long (*try)(void), int layers)
{
	pid_t pid = fork();
	int status = 0, abi;

	if (pid == 0) {
		/* Root stays root here: the layers must hold by themselves. */
		if (syscall(SYS_prctl, 38, 1, 0, 0, 0) ||
			((layers & LAYER_LANDLOCK) && sandbox_landlock(&abi)) ||
			((layers & LAYER_SECCOMP) && sandbox_seccomp()) ||
			((layers & LAYER_KEEPER) && sandbox_keeper()))
			_exit(2);
		_exit(try() ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void try_all(int layers)
{
	int failures = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int got = run_in_cage(rows[i].try, layers);
		bool refused = rows[i].refused_by & layers;

		/* A single layer says nothing about what it does not cover. */
		if (rows[i].refused_by && !refused)
			continue;
		if (got != refused) {
			print_error("%s: expected %d, got %d\n", rows[i].name,
				refused, got);
			failures++;
		}
	}
	assert_int_equal(failures, 0);
}

static void test_the_cage(void **state)
{
	try_all(LAYER_LANDLOCK | LAYER_SECCOMP);
}

static void test_seccomp_alone(void **state)
{
	try_all(LAYER_SECCOMP);
}

static void test_landlock_alone(void **state)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < 1) {
		print_message("# skip: this kernel has no Landlock\n");
		skip();
	}
	try_all(LAYER_LANDLOCK);
}

/* It may read files, and nothing else that the portal may not. */
static void test_the_keeper(void **state)
{
	try_all(LAYER_KEEPER);
}

/* Root becomes nobody, for good and without a capability. */
static long try_drop(void)
{
	int fd;

	if (sandbox_drop("nobody") || geteuid() == 0 || getegid() == 0)
		return -1;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return -2;
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	return fd >= 0 ? -3 : 0;
}

static void test_drop(void **state)
{
	if (geteuid()) {
		print_message("# skip: needs root\n");
		skip();
	}
	assert_int_equal(run_in_cage(try_drop, 0), 0);
}

static long try_unknown_user(void)
{
	return sandbox_drop("no-such-user-here") == -ENOENT ? 0 : -1;
}

static void test_unknown_user(void **state)
{
	if (geteuid()) {
		print_message("# skip: needs root\n");
		skip();
	}
	assert_int_equal(run_in_cage(try_unknown_user, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_cage),
		cmocka_unit_test(test_seccomp_alone),
		cmocka_unit_test(test_landlock_alone),
		cmocka_unit_test(test_the_keeper),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_unknown_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
