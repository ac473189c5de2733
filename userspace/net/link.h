/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The box's interfaces and addresses: a table that follows rtnetlink. One
 * socket on the loop gets the kernel's notifications; when it had to drop some,
 * all is read again and the differences are reported like changes.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>
#include <stddef.h>

#include "base/ip.h"
#include "base/loop.h"
#include "gatehouse/types.h"

struct link {
	int ifindex;
	int master; /* ifindex of the bridge or bond it is in, 0: none */
	int parent; /* of the device that a VLAN's is made on, 0: none */
	uint32_t group;
	uint32_t mtu;
	bool is_up;
	bool is_isolated; /* a bridge's port that reaches no other such port */
	struct mac mac;
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "bridge", "vlan"; "" for hardware */
	/* The switch chip that it is a port of; without one switch_len is 0. */
	uint8_t switch_id[32];
	uint8_t switch_len;
	uint32_t card_xdp; /* id of an XDP program in the card; 0: none */
};

struct link_address {
	int ifindex;
	struct prefix prefix; /* host bits set: the box's address there */
};

struct links;

enum link_event {
	LINK_EVENT_NEW,	    /* came, or was there at links_open() */
	LINK_EVENT_CHANGED, /* name, master, group, MAC, MTU, up, isolated */
	LINK_EVENT_GONE,
};

struct link_handlers {
	/* `link` is what it is now (GONE: what it was); valid for the call. */
	void (*link)(void *data, enum link_event event, const struct link *link);
	/* Addresses of the box changed, once for many. */
	void (*addresses)(void *data);
	/* The kernel's messages could not be followed; the table is old. */
	void (*lost)(void *data, int err);
	void *data;
};

/*
 * Reads all interfaces and addresses, without calling back, and starts to
 * watch. `handlers` is copied.
 */
int links_open(struct loop *loop, const struct link_handlers *handlers,
	struct links **ret_links);
/* NULL is fine. */
void links_close(struct links *links);

/* Valid until the loop runs again. NULL when there is none. */
const struct link *links_by_name(const struct links *links, const char *name);
const struct link *links_by_index(const struct links *links, int ifindex);
/* The table in order of ifindex. `fn` must not change it. */
void links_each(const struct links *links,
	void (*fn)(void *data, const struct link *link), void *data);
/* All addresses of the box; valid until the loop runs again. */
size_t links_addresses(
	const struct links *links, const struct link_address **ret_addresses);
/* Is it one of them? */
bool links_has_address(const struct links *links, const struct ipaddr *addr);

/* -ENODEV when it is gone. The table follows with the kernel's notification. */
int links_set_group(struct links *links, int ifindex, uint32_t group);
/* Of a port of a bridge; -ENODEV, or -EOPNOTSUPP for other interfaces. */
int links_set_isolated(struct links *links, int ifindex, bool is_isolated);

#endif
