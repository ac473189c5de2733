/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up root's powers. The uid stays 0, because the pins, the store and
 * the key belong to root; what goes is the power to overrule file modes, load
 * modules, trace, or become anyone else. capset(2) is called directly: three
 * fixed bits need no library.
 *
 *   CAP_NET_ADMIN  netlink, attaching hooks
 *   CAP_BPF        reading and writing maps, where unprivileged bpf is off
 *   CAP_PERFMON    running the edit program: it may read kernel pointers
 */
#include "daemon/privilege.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/util.h"

static const int kept[] = {CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON};

static bool is_kept(int cap)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] == cap)
			return true;
	return false;
}

int privilege_drop(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	size_t i;
	int cap;

	/* Until the kernel says that there is no such number. */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!is_kept(cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -errno;
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		data[kept[i] / 32].permitted |= 1U << (kept[i] % 32);
	for (i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &header, data))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}
