/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One socket for requests; the kernel answers while it is asked, so nothing
 * here waits. Ours is known by its handle, which outlives the process.
 */
#include "net/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "net/described.h"
#include "net/netlink.h"

#define OURS	     (0x6768U << 16) /* "gh" */
#define REQUEST_BYTES 256
/* 240 ms of 500 Mbit/s wait in one flow: more than fq's own limits. */
#define PACKETS	     40000
#define FLOW_PACKETS 10500

struct root {
	int ifindex;
	uint32_t handle;
	char kind[16];
	int queues, fq_queues; /* below mq */
	uint32_t flow_packets; /* of fq, the least of its queues */
};

struct qdiscs {
	struct mnl_socket *socket;
	struct root *roots;
	size_t count, size;
	int way; /* answer to qdiscs_way_to() */
};

int qdiscs_open(struct qdiscs **ret_qdiscs)
{
	struct qdiscs *q = xcalloc(1, sizeof(*q));
	int ret;

	ret = netlink_open(NETLINK_ROUTE, 0, &q->socket);
	if (ret)
		free(q);
	else
		*ret_qdiscs = q;
	return ret;
}

void qdiscs_close(struct qdiscs *q)
{
	if (!q)
		return;
	mnl_socket_close(q->socket);
	free(q->roots);
	free(q);
}

/* Reading. */

static struct root *root_of(const struct qdiscs *q, int ifindex)
{
	size_t i;

	for (i = 0; i < q->count; i++)
		if (q->roots[i].ifindex == ifindex)
			return &q->roots[i];
	return NULL;
}

static struct root *root_get(struct qdiscs *q, int ifindex)
{
	struct root *root = root_of(q, ifindex);

	if (root)
		return root;
	ARRAY_GROW(q->roots, q->count, q->size);
	root = &q->roots[q->count++];
	*root = (struct root){.ifindex = ifindex, .flow_packets = UINT32_MAX};
	return root;
}

static int parse_fq(const struct nlattr *attr, void *data)
{
	struct root *root = data;

	if (mnl_attr_get_type(attr) == TCA_FQ_FLOW_PLIMIT &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		root->flow_packets =
			MIN(root->flow_packets, mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static int parse_qdisc(const struct nlmsghdr *message, void *data)
{
	struct qdiscs *q = data;
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	struct described is = {.kind = ""};
	struct root *root;

	if (message->nlmsg_type != RTM_NEWQDISC)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*tc), parse_described, &is);
	root = root_get(q, tc->tcm_ifindex);
	if (tc->tcm_parent == TC_H_ROOT) {
		root->handle = tc->tcm_handle;
		snprintf(root->kind, sizeof(root->kind), "%s", is.kind);
	} else if (tc->tcm_parent != TC_H_CLSACT) {
		root->queues++;
		root->fq_queues += !strcmp(is.kind, "fq");
	}
	if (!strcmp(is.kind, "fq") && is.options)
		mnl_attr_parse_nested(is.options, parse_fq, root);
	return MNL_CB_OK;
}

int qdiscs_read(struct qdiscs *q)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);

	message->nlmsg_type = RTM_GETQDISC;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct tcmsg));
	q->count = 0;
	return netlink_ask(q->socket, message, parse_qdisc, q);
}

static enum qdisc_root judge(const struct root *root)
{
	if (!strcmp(root->kind, "fq"))
		return root->handle == OURS ? QDISC_ROOT_OURS : QDISC_ROOT_FQ;
	if (!strcmp(root->kind, "mq"))
		return root->queues && root->queues == root->fq_queues
			       ? QDISC_ROOT_FQ
			       : QDISC_ROOT_OTHER;
	/* Without a queue it is a virtual device or has its own. */
	if (root->handle || !root->kind[0] || !strcmp(root->kind, "noqueue"))
		return QDISC_ROOT_OTHER;
	return QDISC_ROOT_DEFAULT;
}

enum qdisc_root qdiscs_root(const struct qdiscs *q, int ifindex)
{
	const struct root *root = root_of(q, ifindex);

	return root ? judge(root) : QDISC_ROOT_OTHER;
}

unsigned int qdiscs_flow_packets(const struct qdiscs *q, int ifindex)
{
	const struct root *root = root_of(q, ifindex);

	if (!root || root->flow_packets == UINT32_MAX)
		return 0;
	return root->flow_packets;
}

void qdiscs_each(const struct qdiscs *q,
	void (*fn)(void *data, int ifindex, enum qdisc_root root), void *data)
{
	size_t i;

	for (i = 0; i < q->count; i++)
		fn(data, q->roots[i].ifindex, judge(&q->roots[i]));
}

/* Changing. */

static struct nlmsghdr *put_root(char *buf, uint16_t type, uint16_t flags,
	int ifindex)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	tc = mnl_nlmsg_put_extra_header(message, sizeof(*tc));
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = TC_H_ROOT;
	tc->tcm_handle = OURS;
	return message;
}

int qdiscs_install(struct qdiscs *q, int ifindex)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *message = put_root(
		buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex);
	struct nlattr *options;

	mnl_attr_put_strz(message, TCA_KIND, "fq");
	options = mnl_attr_nest_start(message, TCA_OPTIONS);
	mnl_attr_put_u32(message, TCA_FQ_PLIMIT, PACKETS);
	mnl_attr_put_u32(message, TCA_FQ_FLOW_PLIMIT, FLOW_PACKETS);
	mnl_attr_nest_end(message, options);
	return netlink_ask(q->socket, message, NULL, q);
}

int qdiscs_remove(struct qdiscs *q, int ifindex)
{
	char buf[REQUEST_BYTES] = {0};

	/* The kernel compares the handle. */
	return netlink_ask(q->socket, put_root(buf, RTM_DELQDISC, 0, ifindex), NULL, q);
}

/* The way out. */

static int parse_route(const struct nlattr *attr, void *data)
{
	struct qdiscs *q = data;

	if (mnl_attr_get_type(attr) == RTA_OIF &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		q->way = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int parse_route_message(const struct nlmsghdr *message, void *data)
{
	if (message->nlmsg_type == RTM_NEWROUTE)
		mnl_attr_parse(message, sizeof(struct rtmsg), parse_route, data);
	return MNL_CB_OK;
}

int qdiscs_way_to(struct qdiscs *q, const struct ipaddr *addr)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	bool is_v4 = ip_is_v4(addr);
	struct rtmsg *route;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
	route->rtm_family = is_v4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = is_v4 ? 32 : 128;
	if (is_v4)
		mnl_attr_put(message, RTA_DST, 4, addr->addr + 12);
	else
		mnl_attr_put(message, RTA_DST, 16, addr->addr);
	q->way = 0;
	return netlink_ask(q->socket, message, parse_route_message, q) ? 0 : q->way;
}
