/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A single RTM_GETNEIGH, not a dump: the table of a busy venue is long. The
 * kernel answers before sending returns, so nothing here ever waits.
 */
#include "net/neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip.h"
#include "base/util.h"
#include "net/netlink.h"

/* The kernel sends to the entry's MAC; the others are about to be or failed. */
#define STATES_WITH_MAC                                                \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP | \
		NUD_PERMANENT)

struct neighbours {
	struct mnl_socket *request;
};

int neighbours_open(struct neighbours **ret_neighbours)
{
	struct neighbours *neighbours = xcalloc(1, sizeof(*neighbours));
	int ret;

	ret = netlink_open(NETLINK_ROUTE, SOCK_NONBLOCK, &neighbours->request);
	if (ret) {
		free(neighbours);
		return ret;
	}
	*ret_neighbours = neighbours;
	return 0;
}

void neighbours_close(struct neighbours *neighbours)
{
	if (!neighbours)
		return;
	mnl_socket_close(neighbours->request);
	free(neighbours);
}

static struct nlmsghdr *put_request(
	char *buf, int ifindex, const struct ipaddr *addr)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ndmsg *entry;
	uint32_t v4;

	message->nlmsg_type = RTM_GETNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST;
	entry = mnl_nlmsg_put_extra_header(message, sizeof(*entry));
	entry->ndm_ifindex = ifindex;
	if (ip_is_v4(addr)) {
		entry->ndm_family = AF_INET;
		v4 = ip_v4(addr);
		mnl_attr_put(message, NDA_DST, sizeof(v4), &v4);
	} else {
		entry->ndm_family = AF_INET6;
		mnl_attr_put(message, NDA_DST, sizeof(addr->addr), addr->addr);
	}
	return message;
}

struct answer {
	bool has_mac;
	struct mac mac;
};

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;

	if (mnl_attr_get_type(attr) == NDA_LLADDR &&
		mnl_attr_get_payload_len(attr) == sizeof(answer->mac.addr)) {
		memcpy(answer->mac.addr, mnl_attr_get_payload(attr),
			sizeof(answer->mac.addr));
		answer->has_mac = true;
	}
	return MNL_CB_OK;
}

static int parse_answer(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *entry = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWNEIGH &&
		mnl_nlmsg_get_payload_len(message) >= sizeof(*entry) &&
		entry->ndm_state & STATES_WITH_MAC)
		mnl_attr_parse(message, sizeof(*entry), parse_attr, data);
	return MNL_CB_STOP;
}

int neighbour_lookup(struct neighbours *neighbours, int ifindex,
	const struct ipaddr *addr, struct mac *ret_mac)
{
	struct answer answer = {0};
	char buf[128] = {0};
	int ret;

	ret = netlink_ask(neighbours->request, put_request(buf, ifindex, addr),
		parse_answer, &answer);
	if (ret)
		return ret;
	if (!answer.has_mac)
		return -ENOENT;
	*ret_mac = answer.mac;
	return 0;
}
