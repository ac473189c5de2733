/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump over ctnetlink, and a request to delete for each connection that has
 * the status bit, sent while the dump is read: the kernel allows it, and one
 * that was gone by then is no error. Its tuple and id are sent back as they
 * came, so that no newer connection with the same tuple is meant.
 */
#include "net/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/netlink.h"

#define DELETE_BYTES 1024

struct dump {
	struct mnl_socket *request; /* for the deletions */
	size_t count;
};

struct connection {
	const struct nlattr *tuple, *id, *zone;
	uint32_t status;
};

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct connection *connection = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		connection->tuple = attr;
		break;
	case CTA_ID:
		connection->id = attr;
		break;
	case CTA_ZONE:
		connection->zone = attr;
		break;
	case CTA_STATUS:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			connection->status = ntohl(mnl_attr_get_u32(attr));
		break;
	}
	return MNL_CB_OK;
}

static void put(struct nlmsghdr *message, const struct nlattr *attr)
{
	if (attr)
		mnl_attr_put_check(message, DELETE_BYTES, attr->nla_type,
			mnl_attr_get_payload_len(attr),
			mnl_attr_get_payload(attr));
}

/* Answers are not asked for: the dump's own socket is busy, and the next look
 * sees whether it is gone. */
static int request_delete(struct mnl_socket *socket, uint8_t family,
	const struct connection *connection)
{
	char buf[DELETE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO))) = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *info;

	message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE;
	message->nlmsg_flags = NLM_F_REQUEST;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->nfgen_family = family;
	put(message, connection->tuple);
	put(message, connection->zone);
	put(message, connection->id);
	return mnl_socket_sendto(socket, message, message->nlmsg_len) < 0
		       ? -errno
		       : 0;
}

static int parse_connection(const struct nlmsghdr *message, void *data)
{
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(message);
	struct connection connection = {0};
	struct dump *dump = data;

	mnl_attr_parse(message, sizeof(*info), parse_attr, &connection);
	if (!(connection.status & (IPS_OFFLOAD | IPS_HW_OFFLOAD)) ||
		!connection.tuple)
		return MNL_CB_OK;
	if (request_delete(dump->request, info->nfgen_family, &connection) == 0)
		dump->count++;
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *socket, struct dump *dump)
{
	char buf[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);

	message->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	return netlink_ask(socket, message, parse_connection, dump);
}

int conntrack_end_offloaded(size_t *ret_count)
{
	struct mnl_socket *socket;
	struct dump ended = {0};
	int ret;

	ret = netlink_open(NETLINK_NETFILTER, 0, &socket);
	if (ret)
		return ret;
	ret = netlink_open(NETLINK_NETFILTER, 0, &ended.request);
	if (!ret) {
		ret = dump(socket, &ended);
		mnl_socket_close(ended.request);
	}
	mnl_socket_close(socket);
	*ret_count = ended.count;
	return ret;
}
