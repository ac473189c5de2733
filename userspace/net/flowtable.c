/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump of flowtables over nfnetlink, on a socket of its own for the call.
 * A kernel without nf_tables has none: that is no error.
 */
#include "net/flowtable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"
#include "net/netlink.h"

#define ANSWER_BYTES (64 * 1024)
/* Of newer kernels than the headers of the reference system. */
#define DEVICE_PREFIX 2

struct dump {
	void (*fn)(void *data, const struct flowtable *table,
		const struct flowtable_device *device);
	void *data;
	struct flowtable table;
	const struct nlattr *devices;
	bool any;
};

static int parse_device(const struct nlattr *attr, void *data)
{
	struct flowtable_device device = {
		.is_prefix = mnl_attr_get_type(attr) == DEVICE_PREFIX};
	struct dump *dump = data;

	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_OK;
	device.name = mnl_attr_get_str(attr);
	dump->any = true;
	dump->fn(dump->data, &dump->table, &device);
	return MNL_CB_OK;
}

static int parse_hook(const struct nlattr *attr, void *data)
{
	struct dump *dump = data;

	if (mnl_attr_get_type(attr) == NFTA_FLOWTABLE_HOOK_DEVS)
		dump->devices = attr;
	return MNL_CB_OK;
}

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct dump *dump = data;

	switch (mnl_attr_get_type(attr)) {
	case NFTA_FLOWTABLE_TABLE:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			dump->table.table = mnl_attr_get_str(attr);
		break;
	case NFTA_FLOWTABLE_NAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			dump->table.name = mnl_attr_get_str(attr);
		break;
	case NFTA_FLOWTABLE_HOOK:
		mnl_attr_parse_nested(attr, parse_hook, dump);
		break;
	case NFTA_FLOWTABLE_FLAGS:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			dump->table.is_hardware =
				ntohl(mnl_attr_get_u32(attr)) &
				NFT_FLOWTABLE_HW_OFFLOAD;
		break;
	}
	return MNL_CB_OK;
}

static int parse_flowtable(const struct nlmsghdr *message, void *data)
{
	struct dump *dump = data;

	dump->table = (struct flowtable){"", "", false};
	dump->devices = NULL;
	dump->any = false;
	mnl_attr_parse(message, sizeof(struct nfgenmsg), parse_attr, dump);
	if (dump->devices)
		mnl_attr_parse_nested(dump->devices, parse_device, dump);
	if (!dump->any)
		dump->fn(dump->data, &dump->table, NULL);
	return MNL_CB_OK;
}

static int dump_all(struct mnl_socket *socket, struct dump *dump)
{
	char buf[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	int ret;

	message->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETFLOWTABLE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	ret = netlink_ask(socket, message, parse_flowtable, dump);
	/* A kernel without nftables, or without flowtables. */
	return ret == -EINVAL || ret == -EOPNOTSUPP ? 0 : ret;
}

int flowtables_each(void (*fn)(void *data, const struct flowtable *table,
			    const struct flowtable_device *device),
	void *data)
{
	struct dump dump = {.fn = fn, .data = data};
	struct mnl_socket *socket;
	int ret;

	ret = netlink_open(NETLINK_NETFILTER, 0, &socket);
	if (ret)
		return ret;
	ret = dump_all(socket, &dump);
	mnl_socket_close(socket);
	return ret;
}
