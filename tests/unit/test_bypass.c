/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways past the gate that need hardware, which no test machine has: the
 * kernel's messages are built here as it sends them (netlink_ask() is replaced),
 * and bypass_find() says which gated interfaces they lead past.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "daemon/bypass.h"
#include "net/netlink.h"

enum { UP = 2, LAN, TRUNK, VLAN10, VLAN20, BRIDGE, PORT1, PORT2, MACVLAN };

/* The box: lan; a trunk with two guest VLANs; a bridge of two ports. */
static struct device {
	const char *name, *kind;
	int master, parent;
	const char *switch_id;
	uint32_t card_xdp;
} devices[] = {
	[UP] = {.name = "up0"},
	[LAN] = {.name = "lan"},
	[TRUNK] = {.name = "trunk"},
	[VLAN10] = {.name = "trunk.10", .kind = "vlan", .parent = TRUNK},
	[VLAN20] = {.name = "trunk.20", .kind = "vlan", .parent = TRUNK},
	[BRIDGE] = {.name = "br0", .kind = "bridge"},
	[PORT1] = {.name = "p1", .master = BRIDGE},
	[PORT2] = {.name = "p2", .master = BRIDGE},
	[MACVLAN] = {.name = "mv0", .kind = "macvlan", .parent = UP},
};
static struct device as_it_was[ARRAY_SIZE(devices)];

static struct {
	const char *kind;
	int ifindex, target;
	uint32_t flags;
} filter;
static const char *flowtable_device;
static bool is_routed;

static const int gated_ones[] = {LAN, VLAN10, VLAN20, BRIDGE, PORT1, PORT2};
static struct bypass gated[ARRAY_SIZE(gated_ones) + 1];
static size_t gated_n;

/* Messages. */

static char buf[4096];

static struct nlmsghdr *message(uint16_t type, size_t body, void *ret_body)
{
	struct nlmsghdr *m;

	memset(buf, 0, sizeof(buf));
	m = mnl_nlmsg_put_header(buf);
	m->nlmsg_type = type;
	*(void **)ret_body = mnl_nlmsg_put_extra_header(m, body);
	return m;
}

static void put_number(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	if (value)
		mnl_attr_put_u32(m, type, value);
}

static void send_links(mnl_cb_t fn, void *data)
{
	size_t i;

	for (i = UP; i < ARRAY_SIZE(devices); i++) {
		const struct device *device = &devices[i];
		struct ifinfomsg *info;
		struct nlmsghdr *m =
			message(RTM_NEWLINK, sizeof(*info), &info);
		struct nlattr *nest;

		info->ifi_index = (int)i;
		mnl_attr_put_strz(m, IFLA_IFNAME, device->name);
		put_number(m, IFLA_MASTER, device->master);
		put_number(m, IFLA_LINK, device->parent);
		if (device->switch_id)
			mnl_attr_put(m, IFLA_PHYS_SWITCH_ID,
				strlen(device->switch_id), device->switch_id);
		nest = mnl_attr_nest_start(m, IFLA_XDP);
		mnl_attr_put_u8(m, IFLA_XDP_ATTACHED,
			device->card_xdp ? XDP_ATTACHED_HW : XDP_ATTACHED_NONE);
		put_number(m, IFLA_XDP_HW_PROG_ID, device->card_xdp);
		mnl_attr_nest_end(m, nest);
		if (device->kind) {
			nest = mnl_attr_nest_start(m, IFLA_LINKINFO);
			mnl_attr_put_strz(m, IFLA_INFO_KIND, device->kind);
			mnl_attr_nest_end(m, nest);
		}
		fn(m, data);
	}
}

static void send_address(mnl_cb_t fn, void *data)
{
	struct ifaddrmsg *info;
	struct nlmsghdr *m = message(RTM_NEWADDR, sizeof(*info), &info);

	info->ifa_family = AF_INET;
	info->ifa_prefixlen = 24;
	info->ifa_index = BRIDGE;
	mnl_attr_put_u32(m, IFA_LOCAL, inet_addr("10.7.0.1"));
	fn(m, data);
}

static void send_qdiscs(mnl_cb_t fn, void *data)
{
	static const struct {
		int ifindex;
		const char *kind;
	} qdiscs[] = {{UP, "fq"}, {UP, "clsact"}, {LAN, "ingress"},
		{TRUNK, "clsact"}, {VLAN10, "clsact"}, {PORT2, "clsact"}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(qdiscs); i++) {
		struct tcmsg *tc;
		struct nlmsghdr *m = message(RTM_NEWQDISC, sizeof(*tc), &tc);

		tc->tcm_ifindex = qdiscs[i].ifindex;
		mnl_attr_put_strz(m, TCA_KIND, qdiscs[i].kind);
		fn(m, data);
	}
}

static const struct {
	const char *kind;
	uint16_t flags, actions;
} attributes[] = {
	{"flower", TCA_FLOWER_FLAGS, TCA_FLOWER_ACT},
	{"u32", TCA_U32_FLAGS, TCA_U32_ACT},
	{"matchall", TCA_MATCHALL_FLAGS, TCA_MATCHALL_ACT},
	{"bpf", TCA_BPF_FLAGS_GEN, TCA_BPF_ACT},
};

static void put_action(struct nlmsghdr *m, const char *kind, uint16_t type,
	const void *data, size_t size)
{
	static uint16_t order;
	struct nlattr *action = mnl_attr_nest_start(m, ++order);
	struct nlattr *options;

	mnl_attr_put_strz(m, TCA_ACT_KIND, kind);
	options = mnl_attr_nest_start(m, TCA_ACT_OPTIONS);
	mnl_attr_put(m, type, size, data);
	mnl_attr_nest_end(m, options);
	mnl_attr_nest_end(m, action);
}

static void put_options(struct nlmsghdr *m)
{
	struct tc_mirred mirred = {.eaction = TCA_EGRESS_REDIR,
		.ifindex = (uint32_t)filter.target};
	uint32_t other[8] = {0};
	struct nlattr *actions;
	size_t i = 0;

	while (strcmp(attributes[i].kind, filter.kind) != 0)
		i++;
	put_number(m, attributes[i].flags, filter.flags);
	actions = mnl_attr_nest_start(m, attributes[i].actions);
	put_action(m, "gact", TCA_MIRRED_PARMS, other, sizeof(other));
	if (filter.target)
		put_action(m, "mirred", TCA_MIRRED_PARMS, &mirred,
			sizeof(mirred));
	mnl_attr_nest_end(m, actions);
}

static void send_filter(const struct tcmsg *asked, mnl_cb_t fn, void *data)
{
	struct tcmsg *tc;
	struct nlmsghdr *m;
	struct nlattr *options;

	if (!filter.kind || asked->tcm_ifindex != filter.ifindex ||
		TC_H_MIN(asked->tcm_parent) != TC_H_MIN_INGRESS)
		return;
	m = message(RTM_NEWTFILTER, sizeof(*tc), &tc);
	tc->tcm_ifindex = (int)TCM_IFINDEX_MAGIC_BLOCK;
	mnl_attr_put_strz(m, TCA_KIND, filter.kind);
	options = mnl_attr_nest_start(m, TCA_OPTIONS);
	put_options(m);
	mnl_attr_nest_end(m, options);
	fn(m, data);
}

static void send_route(mnl_cb_t fn, void *data)
{
	struct rtmsg *route;
	struct nlmsghdr *m = message(RTM_NEWROUTE, sizeof(*route), &route);

	route->rtm_flags = is_routed ? RTM_F_OFFLOAD : RTM_F_LOOKUP_TABLE;
	fn(m, data);
}

static void send_flowtable(mnl_cb_t fn, void *data)
{
	struct nfgenmsg *nfgen;
	struct nlmsghdr *m;
	struct nlattr *hook, *names;

	if (!flowtable_device)
		return;
	m = message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWFLOWTABLE,
		sizeof(*nfgen), &nfgen);
	mnl_attr_put_strz(m, NFTA_FLOWTABLE_TABLE, "filter");
	mnl_attr_put_strz(m, NFTA_FLOWTABLE_NAME, "fast");
	hook = mnl_attr_nest_start(m, NFTA_FLOWTABLE_HOOK);
	names = mnl_attr_nest_start(m, NFTA_FLOWTABLE_HOOK_DEVS);
	mnl_attr_put_strz(m, NFTA_DEVICE_NAME, flowtable_device);
	mnl_attr_nest_end(m, names);
	mnl_attr_nest_end(m, hook);
	fn(m, data);
}

/* In place of those of net/netlink.c. */
int netlink_open(int bus, int flags, struct mnl_socket **ret_socket)
{
	*ret_socket = mnl_socket_open2(bus, SOCK_CLOEXEC | flags);
	return *ret_socket ? 0 : -errno;
}

int netlink_ask(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t fn,
	void *data)
{
	switch (request->nlmsg_type) {
	case (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETFLOWTABLE:
		send_flowtable(fn, data);
		break;
	case RTM_GETLINK:
		send_links(fn, data);
		break;
	case RTM_GETADDR:
		send_address(fn, data);
		break;
	case RTM_GETQDISC:
		send_qdiscs(fn, data);
		break;
	case RTM_GETTFILTER:
		send_filter(mnl_nlmsg_get_payload(request), fn, data);
		break;
	case RTM_GETROUTE:
		send_route(fn, data);
		break;
	}
	return 0;
}

/* Cases. */

static int set_up(void **state)
{
	size_t i;

	if (!as_it_was[UP].name)
		memcpy(as_it_was, devices, sizeof(devices));
	memcpy(devices, as_it_was, sizeof(devices));
	memset(&filter, 0, sizeof(filter));
	memset(gated, 0, sizeof(gated));
	flowtable_device = NULL;
	is_routed = false;
	gated_n = ARRAY_SIZE(gated_ones);
	for (i = 0; i < gated_n; i++)
		gated[i].ifindex = gated_ones[i];
	return 0;
}

static void find(void)
{
	static const struct link_handlers none;
	struct loop *loop = loop_new();
	struct links *links;

	assert_int_equal(links_open(loop, &none, &links), 0);
	assert_int_equal(bypass_find(links, gated, gated_n), 0);
	links_close(links);
	loop_free(loop);
}

static const struct bypass *of(int ifindex)
{
	size_t i;

	for (i = 0; i < gated_n; i++)
		if (gated[i].ifindex == ifindex)
			return &gated[i];
	fail();
	return NULL;
}

/* Exactly these have a way past them. */
static void assert_passed_by(const int *ifindex, size_t n)
{
	size_t i, k, count = 0;

	find();
	for (i = 0; i < gated_n; i++)
		count += gated[i].text[0] != '\0';
	assert_int_equal(count, n);
	for (k = 0; k < n; k++)
		assert_true(of(ifindex[k])->text[0]);
}
#define assert_passed(...)                                             \
	assert_passed_by((const int[]){__VA_ARGS__},                   \
		sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void put_filter(const char *kind, int ifindex, int target)
{
	filter.kind = kind;
	filter.ifindex = ifindex;
	filter.target = target;
	filter.flags = TCA_CLS_FLAGS_IN_HW | TCA_CLS_FLAGS_SKIP_SW;
}

static void test_a_plain_box_has_none(void **state)
{
	assert_passed_by(NULL, 0);
}

static void test_filters_of_each_kind(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		put_filter(attributes[i].kind, LAN, UP);
		assert_passed(LAN);
		assert_non_null(strstr(of(LAN)->text, attributes[i].kind));
		assert_non_null(strstr(of(LAN)->text, "past the gate"));
		assert_true(of(LAN)->by_flow);
	}
}

static void test_filters_that_lead_to_guests(void **state)
{
	put_filter("flower", UP, PORT2);
	assert_passed(PORT2);
	assert_non_null(strstr(of(PORT2)->text, "of up0 is in hardware"));
	assert_non_null(strstr(of(PORT2)->text, "packets to p2 past"));
	/* From the trunk every VLAN on it is passed by. */
	put_filter("flower", TRUNK, UP);
	assert_passed(VLAN10, VLAN20);
	put_filter("flower", UP, TRUNK);
	assert_passed(VLAN10, VLAN20);
	put_filter("flower", VLAN10, VLAN20);
	assert_passed(VLAN10, VLAN20);
}

static void test_filters_that_do_no_harm(void **state)
{
	/* In software it meets the hooks; dropping passes nobody. */
	put_filter("flower", LAN, UP);
	filter.flags = TCA_CLS_FLAGS_NOT_IN_HW;
	assert_passed_by(NULL, 0);
	put_filter("flower", LAN, 0);
	assert_passed_by(NULL, 0);
	put_filter("flower", UP, UP);
	assert_passed_by(NULL, 0);
}

static void test_a_program_as_a_filter(void **state)
{
	put_filter("bpf", LAN, 0);
	assert_passed(LAN);
	assert_non_null(strstr(of(LAN)->text, "sends packets on past"));
	filter.flags = 0;
	assert_passed_by(NULL, 0);
}

static void test_flowtable_below_two(void **state)
{
	flowtable_device = "trunk";
	assert_passed(VLAN10, VLAN20);
	flowtable_device = "lan";
	assert_passed_by(NULL, 0);
}

static void test_a_switch_that_routes(void **state)
{
	devices[PORT1].switch_id = devices[PORT2].switch_id = "\x01\x02\x03\x04";
	devices[BRIDGE].switch_id = devices[UP].switch_id = "\x01\x02\x03\x04";
	assert_passed_by(NULL, 0);
	is_routed = true;
	assert_passed(BRIDGE);
	/* Without a switch nobody asks. */
	devices[BRIDGE].switch_id = NULL;
	assert_passed_by(NULL, 0);
}

static void test_ports_of_one_switch(void **state)
{
	devices[PORT1].switch_id = devices[PORT2].switch_id = "\x01\x02\x03\x04";
	devices[UP].switch_id = "\x01\x02\x03\x04";
	assert_passed_by(NULL, 0);
	assert_non_null(strstr(of(PORT1)->note, "one switch with p2"));
	assert_non_null(strstr(of(PORT2)->note, "one switch with p1"));
	assert_string_equal(of(LAN)->note, "");
	devices[PORT2].switch_id = "\x01\x02\x03\x05";
	find();
	assert_string_equal(of(PORT1)->note, "");
	assert_string_equal(of(PORT2)->note, "");
}

static void test_a_program_in_the_card(void **state)
{
	devices[LAN].card_xdp = 42;
	assert_passed(LAN);
	assert_non_null(strstr(of(LAN)->text, "XDP program 42 in the card"));
}

static void test_a_network_on_a_macvlan_device(void **state)
{
	gated[gated_n++].ifindex = MACVLAN;
	assert_passed(MACVLAN);
	assert_non_null(strstr(of(MACVLAN)->text, "name up0 instead"));
	/* Made on a device of another namespace: this box is only on it. */
	devices[MACVLAN].parent = 0;
	assert_passed_by(NULL, 0);
	/* Above a gated one it is the box's own affair. */
	gated_n--;
	devices[MACVLAN].parent = LAN;
	assert_passed_by(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_plain_box_has_none, set_up),
		cmocka_unit_test_setup(test_filters_of_each_kind, set_up),
		cmocka_unit_test_setup(test_filters_that_lead_to_guests, set_up),
		cmocka_unit_test_setup(test_filters_that_do_no_harm, set_up),
		cmocka_unit_test_setup(test_a_program_as_a_filter, set_up),
		cmocka_unit_test_setup(test_flowtable_below_two, set_up),
		cmocka_unit_test_setup(test_a_switch_that_routes, set_up),
		cmocka_unit_test_setup(test_ports_of_one_switch, set_up),
		cmocka_unit_test_setup(test_a_program_in_the_card, set_up),
		cmocka_unit_test_setup(
			test_a_network_on_a_macvlan_device, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
