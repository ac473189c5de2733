/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters in a clsact qdisc, for kernels without TCX (before 6.6). Ours is the
 * one BPF filter with our priority and handle, direct action; it is replaced
 * in one step by the kernel. The qdisc may be somebody else's: it goes only
 * when we made it (the caller knows) and nobody's filter is left in it.
 */
#include "datapath/handle.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>

#include "base/util.h"

/* First of all filters, and a handle that nobody gets by default. */
#define OUR_PRIORITY 1
#define OUR_HANDLE   0x6768

static struct bpf_tc_hook hook_of(int ifindex, int points)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = ifindex,
		.attach_point = points,
	};
}

static int point(bool is_ingress)
{
	return is_ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static struct bpf_tc_opts our_filter(void)
{
	return (struct bpf_tc_opts){
		.sz = sizeof(struct bpf_tc_opts),
		.handle = OUR_HANDLE,
		.priority = OUR_PRIORITY,
	};
}

int clsact_lookup(int ifindex, bool is_ingress, uint32_t *ret_program_id)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point(is_ingress));
	struct bpf_tc_opts opts = our_filter();
	int ret;

	ret = bpf_tc_query(&hook, &opts);
	if (ret)
		/* EINVAL: no such qdisc, and a priority of another kind. */
		return ret == -EINVAL ? -ENOENT : ret;
	*ret_program_id = opts.prog_id;
	return 0;
}

int clsact_attach(int ifindex, bool is_ingress, int program_fd, bool is_ours,
	bool *ret_made_qdisc)
{
	struct bpf_tc_hook both =
		hook_of(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct bpf_tc_hook hook = hook_of(ifindex, point(is_ingress));
	struct bpf_tc_opts opts = our_filter();
	uint32_t id;
	bool made;
	int ret;

	ret = bpf_tc_hook_create(&both);
	made = !ret;
	if (ret && ret != -EEXIST)
		return ret;
	if (!is_ours && clsact_lookup(ifindex, is_ingress, &id) == 0)
		return -EEXIST;
	opts.prog_fd = program_fd;
	opts.flags = BPF_TC_F_REPLACE;
	ret = bpf_tc_attach(&hook, &opts);
	if (!ret || made)
		*ret_made_qdisc = made;
	/* EINVAL: a filter of another kind sits at our priority. */
	return ret == -EINVAL ? -EEXIST : ret;
}

int clsact_detach(int ifindex, bool is_ingress)
{
	struct bpf_tc_hook hook = hook_of(ifindex, point(is_ingress));
	struct bpf_tc_opts opts = our_filter();
	uint32_t id;
	int ret;

	ret = clsact_lookup(ifindex, is_ingress, &id);
	if (!ret)
		ret = bpf_tc_detach(&hook, &opts);
	return ret == -ENOENT || ret == -ENODEV ? 0 : ret;
}

/* Reads the answers of a dump: 1 when there was any filter. */
static int any_filter(int fd)
{
	_Alignas(struct nlmsghdr) char buf[16384];
	bool found = false;

	for (;;) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *h;

		if (len < 0)
			return -errno;
		for (h = (struct nlmsghdr *)buf; NLMSG_OK(h, len);
			h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return found;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			found = true;
		}
	}
}

static int has_filters(int ifindex, uint32_t side)
{
	_cleanup_fd_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = RTM_GETTFILTER,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.tc.tcm_family = AF_UNSPEC,
		.tc.tcm_ifindex = ifindex,
		.tc.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side),
	};

	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	return any_filter(fd);
}

int clsact_remove_qdisc(int ifindex)
{
	struct bpf_tc_hook both =
		hook_of(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);
	int ret;

	ret = has_filters(ifindex, TC_H_MIN_INGRESS);
	if (!ret)
		ret = has_filters(ifindex, TC_H_MIN_EGRESS);
	if (!ret)
		ret = bpf_tc_hook_destroy(&both);
	return ret > 0 || ret == -ENODEV || ret == -ENOENT || ret == -EINVAL
		       ? 0
		       : ret;
}
