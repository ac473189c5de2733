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

#include <libmnl/libmnl.h>

#include "base/ip.h"
#include "base/util.h"

/* The kernel sends to the entry's MAC; the others are about to be or failed. */
#define STATES_WITH_MAC                                                \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_NOARP | \
		NUD_PERMANENT)
#define ANSWER_BYTES 4096

struct neighbours {
	struct mnl_socket *request;
	unsigned int seq;
};

int neighbours_open(struct neighbours **ret_neighbours)
{
	struct neighbours *neighbours = xcalloc(1, sizeof(*neighbours));

	neighbours->request = mnl_socket_open2(
		NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!neighbours->request ||
		mnl_socket_bind(neighbours->request, 0, MNL_SOCKET_AUTOPID) < 0) {
		int ret = -errno;

		neighbours_close(neighbours);
		return ret;
	}
	*ret_neighbours = neighbours;
	return 0;
}

void neighbours_close(struct neighbours *neighbours)
{
	if (!neighbours)
		return;
	if (neighbours->request)
		mnl_socket_close(neighbours->request);
	free(neighbours);
}

static int send_request(struct neighbours *neighbours, int ifindex,
	const struct ipaddr *addr)
{
	char buf[128] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ndmsg *entry;
	uint32_t v4;

	message->nlmsg_type = RTM_GETNEIGH;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++neighbours->seq;
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
	return mnl_socket_sendto(
		       neighbours->request, message, message->nlmsg_len) < 0
		       ? -errno
		       : 0;
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
	char buf[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned int port = mnl_socket_get_portid(neighbours->request);
	struct answer answer = {0};
	ssize_t n;
	int ret;

	ret = send_request(neighbours, ifindex, addr);
	if (ret)
		return ret;
	/* What an earlier request has left, whose answer was late, is passed
	 * over: it has another number. */
	do {
		n = mnl_socket_recvfrom(neighbours->request, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		ret = mnl_cb_run(buf, n, neighbours->seq, port, parse_answer,
			&answer);
	} while (ret < 0 && errno == EPROTO);
	if (ret < 0)
		return -errno;
	if (!answer.has_mac)
		return -ENOENT;
	*ret_mac = answer.mac;
	return 0;
}
