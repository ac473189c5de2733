/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The portal's cage. It parses hostile bytes, so what a hole in it would be
 * worth is decided here: no other user, no file, no program, no network but
 * the connections that it accepted, no way to anyone but the daemon's socket.
 *
 * seccomp is a list of what is allowed; a system call that is not on it fails
 * with EPERM rather than killing, so that a library's optional call after an
 * update costs a feature and not the portal.
 */
#include "sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/util.h"

/* Identity. */

static int become(const char *user)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		return errno ? -errno : -ENOENT;
	/* No cage holds root. */
	if (!pw->pw_uid)
		return -EPERM;
	if (initgroups(user, pw->pw_gid) ||
		setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	/* An ambient set that is not empty would outlive this. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

int sandbox_drop(const char *user)
{
	int cap, ret;

	/* The bounding set needs CAP_SETPCAP, which goes with the uid. Until
	 * the kernel says that there is no such number. */
	if (geteuid() == 0) {
		for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
				return -errno;
		ret = become(user);
		if (ret)
			return ret;
	}
	ret = drop_capabilities();
	if (ret)
		return ret;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

/* Landlock; its system calls have no wrappers in the C library. */

/* Layout of the kernel's struct landlock_ruleset_attr, newest known form: the
 * build's header may be older than the running kernel. */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};

#define FS_ABI1	   ((1ULL << 13) - 1)
#define FS_REFER   (1ULL << 13) /* ABI 2 */
#define FS_TRUNC   (1ULL << 14) /* ABI 3 */
#define NET_TCP	   3ULL		/* ABI 4: bind, connect */
#define FS_IOCTL   (1ULL << 15) /* ABI 5 */
#define SCOPED_ALL 3ULL		/* ABI 6: abstract sockets, signals */

/* Reading, anywhere. */
static int allow_reading(int ruleset)
{
	_cleanup_fd_ int root = open("/", O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr reading = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = root};

	if (root < 0)
		return -errno;
	return syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &reading, 0)
		       ? -errno
		       : 0;
}

static int restrict_files(bool may_read, int *ret_abi)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset_attr attr = {.fs = FS_ABI1};
	size_t size = sizeof(attr.fs);
	_cleanup_fd_ int fd = -1;
	int ret;

	/* Not built in, or switched off at boot. */
	*ret_abi = (int)MAX(abi, 0L);
	if (abi < 1)
		return 0;
	if (abi >= 2)
		attr.fs |= FS_REFER;
	if (abi >= 3)
		attr.fs |= FS_TRUNC;
	if (abi >= 4) {
		attr.net = NET_TCP;
		size = 2 * sizeof(attr.fs);
	}
	if (abi >= 5)
		attr.fs |= FS_IOCTL;
	if (abi >= 6) {
		attr.scoped = SCOPED_ALL;
		size = sizeof(attr);
	}
	/* A ruleset without rules: what it handles is refused. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return -errno;
	ret = may_read ? allow_reading(fd) : 0;
	if (ret)
		return ret;
	return syscall(SYS_landlock_restrict_self, fd, 0) ? -errno : 0;
}

int sandbox_landlock(int *ret_abi)
{
	return restrict_files(false, ret_abi);
}

/* seccomp. */

/* clang-format off */
static const int allowed[] = {
	/* the loop */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_settime), SCMP_SYS(eventfd2),
	/* what is open */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(lseek),
	/* connections */
	SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, chance, waiting */
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
	/* itself */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* The keeper's, beside opening for reading. */
static const int keeper_allowed[] = {
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(close),
	SCMP_SYS(sendto), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(futex), SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
};
/* clang-format on */

/* Calls that are allowed with these arguments only. */
static int add_conditions(scmp_filter_ctx ctx)
{
	static const int dup[] = {
		F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
	static const int map[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	int ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dup) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)dup[i]));
	/* No new code. */
	for (i = 0; i < ARRAY_SIZE(map) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, map[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort(): a signal to itself. */
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return ret;
}

static int allow_opening(scmp_filter_ctx ctx)
{
	const int writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)writing, O_RDONLY));
}

static int allow_only(const int *calls, size_t count, bool may_read)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = 0;
	size_t i;

	if (!ctx)
		return -ENOMEM;
	for (i = 0; i < count && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	if (!ret)
		ret = add_conditions(ctx);
	if (!ret && may_read)
		ret = allow_opening(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	return ret;
}

int sandbox_seccomp(void)
{
	return allow_only(allowed, ARRAY_SIZE(allowed), false);
}

int sandbox_keeper(void)
{
	int abi, ret = restrict_files(true, &abi);

	return ret ?: allow_only(keeper_allowed, ARRAY_SIZE(keeper_allowed), true);
}
