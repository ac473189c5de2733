/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters and routes by rtnetlink. Each kind of filter says in an attribute of
 * its own that it is in hardware, and in another what is to be done.
 */
#include "net/offload.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "net/described.h"
#include "net/netlink.h"

#define REQUEST_BYTES 256

struct classifier {
	const char *name;
	unsigned int flags, actions; /* attributes */
};

/* All that any driver takes (TC_SETUP_CLS...). */
static const struct classifier classifiers[] = {
	{"flower", TCA_FLOWER_FLAGS, TCA_FLOWER_ACT},
	{"u32", TCA_U32_FLAGS, TCA_U32_ACT},
	{"matchall", TCA_MATCHALL_FLAGS, TCA_MATCHALL_ACT},
	{"bpf", TCA_BPF_FLAGS_GEN, TCA_BPF_ACT},
};

struct search {
	struct mnl_socket *socket;
	void (*fn)(void *data, const struct offload_filter *filter);
	void *data;
	int *ifindex; /* with clsact or ingress */
	size_t count, size;
	struct offload_filter filter; /* that is looked at */
};

/* Actions. */

static int parse_mirred(const struct nlattr *attr, void *data)
{
	struct tc_mirred mirred;
	struct search *search = data;

	if (mnl_attr_get_type(attr) != TCA_MIRRED_PARMS ||
		mnl_attr_get_payload_len(attr) < sizeof(mirred))
		return MNL_CB_OK;
	memcpy(&mirred, mnl_attr_get_payload(attr), sizeof(mirred));
	search->filter.target = (int)mirred.ifindex;
	search->fn(search->data, &search->filter);
	return MNL_CB_OK;
}

/* Its attributes have the numbers of a filter's: TCA_ACT_KIND is TCA_KIND. */
static int parse_action(const struct nlattr *attr, void *data)
{
	struct described is = {.kind = ""};

	mnl_attr_parse_nested(attr, parse_described, &is);
	if (is.options && strcmp(is.kind, "mirred") == 0)
		mnl_attr_parse_nested(is.options, parse_mirred, data);
	return MNL_CB_OK;
}

/* Filters. */

struct options {
	const struct classifier *of;
	const struct nlattr *actions;
	bool in_hardware;
};

static int parse_options(const struct nlattr *attr, void *data)
{
	struct options *options = data;

	if (mnl_attr_get_type(attr) == options->of->actions)
		options->actions = attr;
	if (mnl_attr_get_type(attr) == options->of->flags &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		options->in_hardware =
			mnl_attr_get_u32(attr) & TCA_CLS_FLAGS_IN_HW;
	return MNL_CB_OK;
}

static int parse_filter(const struct nlmsghdr *message, void *data)
{
	struct search *search = data;
	struct described is = {.kind = ""};
	struct options options = {0};
	size_t i;

	if (message->nlmsg_type != RTM_NEWTFILTER)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(struct tcmsg), parse_described, &is);
	for (i = 0; i < ARRAY_SIZE(classifiers); i++)
		if (strcmp(classifiers[i].name, is.kind) == 0)
			options.of = &classifiers[i];
	if (!options.of || !is.options)
		return MNL_CB_OK;
	mnl_attr_parse_nested(is.options, parse_options, &options);
	if (!options.in_hardware)
		return MNL_CB_OK;
	search->filter.kind = options.of->name;
	search->filter.target = 0;
	if (strcmp(options.of->name, "bpf") == 0)
		search->fn(search->data, &search->filter);
	if (options.actions)
		mnl_attr_parse_nested(options.actions, parse_action, search);
	return MNL_CB_OK;
}

static int ask_filters(struct search *search, int ifindex, uint32_t hook)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc;

	request->nlmsg_type = RTM_GETTFILTER;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook);
	/* A filter of a block that interfaces share names none of them. */
	search->filter = (struct offload_filter){.ifindex = ifindex};
	return netlink_ask(search->socket, request, parse_filter, search);
}

static int parse_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	struct search *search = data;
	struct described is = {.kind = ""};

	if (message->nlmsg_type != RTM_NEWQDISC)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*tc), parse_described, &is);
	if (strcmp(is.kind, "clsact") != 0 && strcmp(is.kind, "ingress") != 0)
		return MNL_CB_OK;
	ARRAY_GROW(search->ifindex, search->count, search->size);
	search->ifindex[search->count++] = tc->tcm_ifindex;
	return MNL_CB_OK;
}

static int ask_qdiscs(struct search *search)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);

	request->nlmsg_type = RTM_GETQDISC;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(request, sizeof(struct tcmsg));
	return netlink_ask(search->socket, request, parse_qdisc, search);
}

int offload_filters_each(
	void (*fn)(void *data, const struct offload_filter *filter), void *data)
{
	struct search search = {.fn = fn, .data = data};
	int ret = netlink_open(NETLINK_ROUTE, 0, &search.socket);
	size_t i;

	if (ret)
		return ret;
	ret = ask_qdiscs(&search);
	for (i = 0; !ret && i < search.count; i++) {
		ret = ask_filters(&search, search.ifindex[i], TC_H_MIN_INGRESS);
		if (!ret)
			ret = ask_filters(
				&search, search.ifindex[i], TC_H_MIN_EGRESS);
	}
	mnl_socket_close(search.socket);
	free(search.ifindex);
	return ret;
}

/* Routes. */

static int parse_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	bool *is_routed = data;

	if (message->nlmsg_type == RTM_NEWROUTE &&
		mnl_nlmsg_get_payload_len(message) >= sizeof(*route))
		*is_routed = route->rtm_flags & RTM_F_OFFLOAD;
	return MNL_CB_OK;
}

bool offload_is_routed(const struct ipaddr *addr)
{
	char buf[REQUEST_BYTES] = {0};
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	bool is_v4 = ip_is_v4(addr), is_routed = false;
	struct mnl_socket *socket;
	struct rtmsg *route;
	int ret;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = is_v4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = is_v4 ? 32 : 128;
	/* The entry of the table that matches, and what is marked on it. */
	route->rtm_flags = RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH;
	if (is_v4)
		mnl_attr_put(request, RTA_DST, 4, addr->addr + 12);
	else
		mnl_attr_put(request, RTA_DST, 16, addr->addr);
	ret = netlink_open(NETLINK_ROUTE, 0, &socket);
	if (ret)
		return false;
	ret = netlink_ask(socket, request, parse_route, &is_routed);
	mnl_socket_close(socket);
	return !ret && is_routed;
}
