/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces and addresses by rtnetlink. Two sockets: one receives
 * notifications on the loop and never blocks; the other sends requests and
 * waits for the kernel's answer, which comes at once.
 *
 * The table is only ever what the kernel said last. Of messages of the bridge
 * family only what a port is set to is taken: which bridge it is in, and
 * whether it is gone, comes in a message of the interface as well.
 */
#include "net/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "net/netlink.h"

#define DUMP_BUFFER   (64 * 1024)
#define DUMP_TRIES    8
#define CHANGE_BYTES  128
#define RECEIVE_BYTES (1024 * 1024) /* room for a storm of messages */
#define PARENT_ELSEWHERE (-1) /* in another namespace */

struct links {
	struct loop *loop;
	struct link_handlers handlers;
	struct mnl_socket *watch;   /* notifications */
	struct mnl_socket *request; /* ours, and their answers */
	struct loop_fd on_watch;
	struct link *link; /* in order of ifindex */
	size_t link_count, link_size;
	struct link_address *address;
	size_t address_count, address_size;
	bool is_quiet;		/* reading the table: no callbacks yet */
	bool addresses_changed; /* notify once, after the batch */
};

/* The table. */

static size_t position_of(const struct links *links, int ifindex)
{
	size_t low = 0, high = links->link_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (links->link[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct link *find_link(const struct links *links, int ifindex)
{
	size_t i = position_of(links, ifindex);

	return i < links->link_count && links->link[i].ifindex == ifindex
		       ? &links->link[i]
		       : NULL;
}

static void notify(
	struct links *links, enum link_event event, const struct link *link)
{
	if (!links->is_quiet && links->handlers.link)
		links->handlers.link(links->handlers.data, event, link);
}

/* Handlers may look into the table, so they get a copy after it was changed. */
static void put_link(struct links *links, const struct link *link)
{
	struct link *old = find_link(links, link->ifindex);
	size_t i;

	if (old) {
		bool same = memcmp(old, link, sizeof(*link)) == 0;

		*old = *link;
		if (!same)
			notify(links, LINK_EVENT_CHANGED, link);
		return;
	}
	ARRAY_GROW(links->link, links->link_count, links->link_size);
	i = position_of(links, link->ifindex);
	memmove(&links->link[i + 1], &links->link[i],
		(links->link_count - i) * sizeof(links->link[0]));
	links->link[i] = *link;
	links->link_count++;
	notify(links, LINK_EVENT_NEW, link);
}

static void drop_link(struct links *links, int ifindex)
{
	size_t i = position_of(links, ifindex);
	struct link gone;

	if (i == links->link_count || links->link[i].ifindex != ifindex)
		return;
	gone = links->link[i];
	links->link_count--;
	memmove(&links->link[i], &links->link[i + 1],
		(links->link_count - i) * sizeof(links->link[0]));
	notify(links, LINK_EVENT_GONE, &gone);
}

static size_t address_position(
	const struct links *links, const struct link_address *address)
{
	size_t i;

	for (i = 0; i < links->address_count; i++) {
		const struct link_address *have = &links->address[i];

		if (have->ifindex == address->ifindex &&
			have->prefix.len == address->prefix.len &&
			ip_equal(&have->prefix.addr, &address->prefix.addr))
			break;
	}
	return i;
}

static void put_address(struct links *links, const struct link_address *address)
{
	/* Lifetimes of an address are renewed all the time: no change. */
	if (address_position(links, address) < links->address_count)
		return;
	ARRAY_GROW(links->address, links->address_count, links->address_size);
	links->address[links->address_count++] = *address;
	links->addresses_changed = true;
}

static void drop_address(struct links *links, const struct link_address *address)
{
	size_t i = address_position(links, address);

	if (i == links->address_count)
		return;
	links->address[i] = links->address[--links->address_count];
	links->addresses_changed = true;
}

/* Messages. */

/* What a bridge says of its port. */
static int parse_port(const struct nlattr *attr, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_BRPORT_ISOLATED &&
		mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
		link->is_isolated = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

struct link_info {
	struct link *link;
	const struct nlattr *port; /* of a bridge's port */
	bool is_bridges;
};

static int parse_info(const struct nlattr *attr, void *data)
{
	struct link_info *parsed = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_INFO_KIND:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			snprintf(parsed->link->kind, sizeof(parsed->link->kind),
				"%s", mnl_attr_get_str(attr));
		break;
	case IFLA_INFO_SLAVE_KIND:
		parsed->is_bridges =
			mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 &&
			strcmp(mnl_attr_get_str(attr), "bridge") == 0;
		break;
	case IFLA_INFO_SLAVE_DATA:
		parsed->port = attr;
		break;
	}
	return MNL_CB_OK;
}

static void parse_linkinfo(const struct nlattr *attr, struct link *link)
{
	struct link_info parsed = {.link = link};

	mnl_attr_parse_nested(attr, parse_info, &parsed);
	if (parsed.is_bridges && parsed.port)
		mnl_attr_parse_nested(parsed.port, parse_port, link);
}

static int parse_xdp(const struct nlattr *attr, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_XDP_HW_PROG_ID &&
		mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		link->card_xdp = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int parse_link(const struct nlattr *attr, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			return MNL_CB_ERROR;
		snprintf(link->name, sizeof(link->name), "%s",
			mnl_attr_get_str(attr));
		break;
	case IFLA_MASTER:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			link->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0 && !link->parent)
			link->parent = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		link->parent = PARENT_ELSEWHERE;
		break;
	case IFLA_GROUP:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			link->group = mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac.addr))
			memcpy(link->mac.addr, mnl_attr_get_payload(attr),
				sizeof(link->mac.addr));
		break;
	case IFLA_PHYS_SWITCH_ID:
		link->switch_len = MIN(mnl_attr_get_payload_len(attr),
			sizeof(link->switch_id));
		memcpy(link->switch_id, mnl_attr_get_payload(attr),
			link->switch_len);
		break;
	case IFLA_XDP:
		mnl_attr_parse_nested(attr, parse_xdp, link);
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(attr, link);
		break;
	}
	return MNL_CB_OK;
}

static int parse_bridge(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == IFLA_PROTINFO)
		mnl_attr_parse_nested(attr, parse_port, data);
	return MNL_CB_OK;
}

/* Changes of a bridge's ports come in messages of the bridge's family. */
static void parse_port_message(struct links *links, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct link *old = find_link(links, info->ifi_index);
	struct link link;

	if (!old || message->nlmsg_type != RTM_NEWLINK)
		return;
	link = *old;
	mnl_attr_parse(message, sizeof(*info), parse_bridge, &link);
	put_link(links, &link);
}

static int parse_link_message(struct links *links, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link link;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return MNL_CB_OK;
	if (info->ifi_family == AF_BRIDGE)
		parse_port_message(links, message);
	if (info->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	if (message->nlmsg_type == RTM_DELLINK) {
		drop_link(links, info->ifi_index);
		return MNL_CB_OK;
	}
	memset(&link, 0, sizeof(link)); /* padding is compared, too */
	link.ifindex = info->ifi_index;
	link.is_up = info->ifi_flags & IFF_UP;
	if (mnl_attr_parse(message, sizeof(*info), parse_link, &link) < 0)
		return MNL_CB_OK;
	/* A veth's "link" is its other end. */
	if (link.parent == PARENT_ELSEWHERE || strcmp(link.kind, "veth") == 0)
		link.parent = 0;
	put_link(links, &link);
	return MNL_CB_OK;
}

struct parsed_address {
	unsigned char family;
	bool has_local;
	struct ipaddr addr;
};

static int parse_address(const struct nlattr *attr, void *data)
{
	struct parsed_address *parsed = data;
	unsigned int type = mnl_attr_get_type(attr);
	unsigned int len = mnl_attr_get_payload_len(attr);
	uint32_t v4;

	/* IFA_ADDRESS is the peer's on a point-to-point link; IFA_LOCAL,
	 * when there, is ours. */
	if (type != IFA_LOCAL && (type != IFA_ADDRESS || parsed->has_local))
		return MNL_CB_OK;
	if (parsed->family == AF_INET && len == sizeof(v4)) {
		memcpy(&v4, mnl_attr_get_payload(attr), sizeof(v4));
		parsed->addr = ip_from_v4(v4);
	} else if (parsed->family == AF_INET6 && len == 16) {
		memcpy(parsed->addr.addr, mnl_attr_get_payload(attr), 16);
	} else {
		return MNL_CB_OK;
	}
	parsed->has_local = type == IFA_LOCAL;
	return MNL_CB_OK;
}

static int parse_address_message(
	struct links *links, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct parsed_address parsed = {0};
	struct link_address address;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return MNL_CB_OK;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return MNL_CB_OK;
	parsed.family = info->ifa_family;
	mnl_attr_parse(message, sizeof(*info), parse_address, &parsed);
	if (ip_is_zero(&parsed.addr))
		return MNL_CB_OK;
	memset(&address, 0, sizeof(address));
	address.ifindex = (int)info->ifa_index;
	address.prefix.addr = parsed.addr;
	address.prefix.len =
		info->ifa_prefixlen + (info->ifa_family == AF_INET ? 96 : 0);
	if (message->nlmsg_type == RTM_NEWADDR)
		put_address(links, &address);
	else
		drop_address(links, &address);
	return MNL_CB_OK;
}

static int parse_message(const struct nlmsghdr *message, void *data)
{
	struct links *links = data;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link_message(links, message);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_address_message(links, message);
	}
	return MNL_CB_OK;
}

/* Requests. */

static int dump(struct links *links, uint16_t type)
{
	char buf[128] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	size_t body = type == RTM_GETLINK ? sizeof(struct ifinfomsg)
					  : sizeof(struct ifaddrmsg);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	/* Family 0: both, and interfaces rather than ports. */
	mnl_nlmsg_put_extra_header(message, body);
	return netlink_ask(links->request, message, parse_message, links);
}

/* A request to change an interface, all zero behind it. */
static struct nlmsghdr *put_change(char *buf, int ifindex)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_index = ifindex;
	return message;
}

static int request_change(struct links *links, struct nlmsghdr *message)
{
	return netlink_ask(links->request, message, NULL, NULL);
}

int links_set_group(struct links *links, int ifindex, uint32_t group)
{
	char buf[CHANGE_BYTES] = {0};
	struct nlmsghdr *message = put_change(buf, ifindex);

	mnl_attr_put_u32(message, IFLA_GROUP, group);
	return request_change(links, message);
}

int links_set_isolated(struct links *links, int ifindex, bool is_isolated)
{
	char buf[CHANGE_BYTES] = {0};
	struct nlmsghdr *message = put_change(buf, ifindex);
	struct nlattr *info, *port;

	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_SLAVE_KIND, "bridge");
	port = mnl_attr_nest_start(message, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(message, IFLA_BRPORT_ISOLATED, is_isolated);
	mnl_attr_nest_end(message, port);
	mnl_attr_nest_end(message, info);
	return request_change(links, message);
}

/*
 * EINTR: the tables changed during the dump, and the rest of it is still in
 * the socket. A new socket starts anew; what was read already is read again.
 */
static int read_all(struct links *links)
{
	int tries, ret = -EINTR;

	for (tries = 0; ret == -EINTR && tries < DUMP_TRIES; tries++) {
		if (links->request)
			mnl_socket_close(links->request);
		links->request = NULL;
		ret = netlink_open(NETLINK_ROUTE, 0, &links->request);
		if (!ret)
			ret = dump(links, RTM_GETLINK);
		if (!ret)
			ret = dump(links, RTM_GETADDR);
	}
	return ret;
}

/*
 * The kernel dropped messages. Read all again into an empty table, then bring
 * the old one up to it, so that handlers get differences only.
 */
static int read_again(struct links *links)
{
	struct links fresh = {.request = links->request};
	size_t i;
	int ret;

	fresh.is_quiet = true;
	ret = read_all(&fresh);
	links->request = fresh.request;
	if (!ret) {
		for (i = links->link_count; i-- > 0;) {
			int ifindex = links->link[i].ifindex;

			if (!find_link(&fresh, ifindex))
				drop_link(links, ifindex);
		}
		for (i = 0; i < fresh.link_count; i++)
			put_link(links, &fresh.link[i]);
		free(links->address);
		links->address = TAKE_PTR(fresh.address);
		links->address_count = fresh.address_count;
		links->address_size = fresh.address_size;
		links->addresses_changed = true;
	}
	free(fresh.link);
	free(fresh.address);
	return ret;
}

/* Watching. */

static int receive_notifications(struct links *links)
{
	_cleanup_free_ char *buf = malloc(DUMP_BUFFER);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	while ((n = mnl_socket_recvfrom(links->watch, buf, DUMP_BUFFER)) > 0)
		mnl_cb_run(buf, n, 0, 0, parse_message, links);
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

static void on_watch(void *data, int fd, int events)
{
	struct links *links = data;
	int ret;

	ret = receive_notifications(links);
	if (ret == -ENOBUFS)
		ret = read_again(links);
	if (links->addresses_changed) {
		links->addresses_changed = false;
		if (links->handlers.addresses)
			links->handlers.addresses(links->handlers.data);
	}
	if (ret && links->handlers.lost)
		links->handlers.lost(links->handlers.data, ret);
}

static int open_watch(struct links *links)
{
	static const int groups[] = {
		RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
	int bytes = RECEIVE_BYTES;
	size_t i;
	int ret;

	ret = netlink_open(NETLINK_ROUTE, SOCK_NONBLOCK, &links->watch);
	if (ret)
		return ret;
	/* May fail without the capability; the default is smaller, no more. */
	setsockopt(mnl_socket_get_fd(links->watch), SOL_SOCKET, SO_RCVBUFFORCE,
		&bytes, sizeof(bytes));
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(links->watch, NETLINK_ADD_MEMBERSHIP,
			    &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

int links_open(struct loop *loop, const struct link_handlers *handlers,
	struct links **ret_links)
{
	struct links *links = xcalloc(1, sizeof(*links));
	int ret;

	links->loop = loop;
	links->handlers = *handlers;
	links->is_quiet = true;
	/* Watch before reading: a change in between comes twice and is not lost. */
	ret = open_watch(links);
	if (!ret)
		ret = read_all(links);
	if (ret) {
		links_close(links);
		return ret;
	}
	links->is_quiet = false;
	links->addresses_changed = false;
	loop_fd_start(loop, &links->on_watch, mnl_socket_get_fd(links->watch),
		LOOP_READ, on_watch, links);
	*ret_links = links;
	return 0;
}

void links_close(struct links *links)
{
	if (!links)
		return;
	if (!links->is_quiet)
		loop_fd_stop(links->loop, &links->on_watch);
	if (links->watch)
		mnl_socket_close(links->watch);
	if (links->request)
		mnl_socket_close(links->request);
	free(links->link);
	free(links->address);
	free(links);
}

const struct link *links_by_name(const struct links *links, const char *name)
{
	size_t i;

	for (i = 0; i < links->link_count; i++)
		if (strcmp(links->link[i].name, name) == 0)
			return &links->link[i];
	return NULL;
}

const struct link *links_by_index(const struct links *links, int ifindex)
{
	return find_link(links, ifindex);
}

void links_each(const struct links *links,
	void (*fn)(void *data, const struct link *link), void *data)
{
	size_t i;

	for (i = 0; i < links->link_count; i++)
		fn(data, &links->link[i]);
}

size_t links_addresses(
	const struct links *links, const struct link_address **ret_addresses)
{
	*ret_addresses = links->address;
	return links->address_count;
}

bool links_has_address(const struct links *links, const struct ipaddr *addr)
{
	size_t i;

	for (i = 0; i < links->address_count; i++)
		if (ip_equal(&links->address[i].prefix.addr, addr))
			return true;
	return false;
}
