/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network whose guests may meet (isolate = no), row by row: what one sends
 * to others at a port of a bridge, at an interface that is no port, and at the
 * bridge itself; and what comes to one from another. What is in no row here is
 * as in test_verdict.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define OTHER "10.77.0.9"
#define OTHER6 "fd77::9"

#define NEIGHBOUR  GH_PASS_NEIGHBOUR
#define MULTICAST  GH_PASS_MULTICAST
#define CHARGED    GH_PASS_CHARGED
#define ND         GH_PASS_ND
#define INSIDE     GH_DROP_INSIDE
#define ROGUE      GH_DROP_ROGUE
#define ADDRESS    GH_DROP_ADDRESS
#define CAPTIVE_IS GH_DROP_CAPTIVE
#define EXTENSION  GH_DROP_EXTENSION
#define FRAGMENT   GH_DROP_FRAGMENT
#define EXT(...)   .exts = sizeof((uint8_t[]){__VA_ARGS__}), .ext = {__VA_ARGS__}

struct up_row {
	const char *name;
	struct frame_spec frame;
	enum gh_reason port;	/* a running client's, at a bridge's port */
	enum gh_reason plain;	/* the same at the bridge or a plain interface */
	enum gh_reason captive; /* without a session, at either */
};

/* clang-format off */
static const struct up_row up_rows[] = {
	{"TCP",               {.to = OTHER, TCP, .port = 445}, NEIGHBOUR, NEIGHBOUR, GH_ANSWER_RESET},
	{"web",               {.to = OTHER6, TCP, .port = 80}, NEIGHBOUR, NEIGHBOUR, GH_ANSWER_SYN},
	{"ping",              {.to = OTHER, ICMP, .type = 8}, NEIGHBOUR, NEIGHBOUR, GH_ANSWER_PROHIBITED},
	{"link-local",        {.to = "fe80::9", .from = "fe80::50", UDP, .port = 5353}, NEIGHBOUR, NEIGHBOUR, GH_ANSWER_PROHIBITED},
	{"fragment",          {.to = OTHER, UDP, .offset = 0x2000, .payload = 64}, NEIGHBOUR, NEIGHBOUR, GH_DROP_FRAGMENT},
	{"tagged",            {.tags = 1, .to = OTHER6, UDP, .port = 9}, NEIGHBOUR, NEIGHBOUR, GH_ANSWER_PROHIBITED},
	{"NS to one",         {.to = OTHER6, ICMP6, .type = 135, .ttl = 255, .payload = 16}, ND, ND, ND},
	{"NA to one",         {.to = OTHER6, ICMP6, .type = 136, .ttl = 255, .payload = 16}, ND, ND, ND},
	{"NS outside",        {.to = "2001:db8::7", ICMP6, .type = 135, .ttl = 255, .payload = 16}, GH_DROP_ND, GH_DROP_ND, GH_DROP_ND},
	{"RA to one",         {.to = OTHER6, ICMP6, .type = 134, .ttl = 255}, ROGUE, ROGUE, ROGUE},
	{"DHCP to one",       {.to = OTHER, UDP, .sport = 67, .port = 68, .payload = 240}, ROGUE, ROGUE, ROGUE},
	{"mDNS",              {.to = "224.0.0.251", UDP, .port = 5353, .dst_mac = "01:00:5e:00:00:fb"}, MULTICAST, INSIDE, CAPTIVE_IS},
	{"mDNS, IPv6",        {.to = "ff02::fb", .from = "fe80::50", UDP, .port = 5353, .dst_mac = "33:33:00:00:00:fb"}, MULTICAST, INSIDE, CAPTIVE_IS},
	{"broadcast",         {.to = ALL, UDP, .port = 137, .dst_mac = GROUP_MAC}, MULTICAST, INSIDE, CAPTIVE_IS},
	{"link's broadcast",  {.to = "10.77.0.255", UDP, .port = 137, .dst_mac = GROUP_MAC}, MULTICAST, INSIDE, CAPTIVE_IS},
	{"the same, one MAC", {.to = "10.77.0.255", UDP, .port = 137}, INSIDE, INSIDE, GH_ANSWER_PROHIBITED},
	{"RA to all",         {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255}, ROGUE, ROGUE, ROGUE},
	{"RA, options",       {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255, EXT(60)}, ROGUE, ROGUE, ROGUE},
	{"RA, long hop-by-hop", {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255, EXT(0), .ext_words = 1}, ROGUE, ROGUE, ROGUE},
	{"RA, four headers",  {.to = "fe80::9", ICMP6, .type = 134, .ttl = 255, EXT(0, 60, 43, 60)}, ROGUE, ROGUE, ROGUE},
	{"RA, five headers",  {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255, EXT(0, 60, 43, 60, 60)}, EXTENSION, EXTENSION, EXTENSION},
	{"RA, authenticated", {.to = "fe80::9", ICMP6, .type = 134, .ttl = 255, EXT(51)}, EXTENSION, EXTENSION, EXTENSION},
	{"RA in a fragment",  {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255, EXT(60, 44)}, FRAGMENT, FRAGMENT, FRAGMENT},
	{"NA of another, options", {.to = OTHER6, ICMP6, .type = 136, .ttl = 255, .payload = 16, .nd_option = 2, .forged = 1, EXT(60)}, ROGUE, ROGUE, ROGUE},
	{"NS, options",       {.to = OTHER6, ICMP6, .type = 135, .ttl = 255, .payload = 16, EXT(60)}, NEIGHBOUR, NEIGHBOUR, EXTENSION},
	{"DHCP, options",     {.to = ALL, UDP, .sport = 67, .port = 68, .payload = 240, .options = 4, .dst_mac = GROUP_MAC}, ROGUE, ROGUE, ROGUE},
	{"DHCP in a fragment", {.to = ALL, UDP, .sport = 67, .port = 68, .payload = 240, .offset = 0x2000, .dst_mac = GROUP_MAC}, ROGUE, ROGUE, ROGUE},
	{"DHCPv6, options",   {.to = "fe80::9", UDP, .sport = 547, .port = 546, .payload = 16, EXT(60)}, ROGUE, ROGUE, ROGUE},
	{"DHCPv6 in a fragment", {.to = "fe80::9", UDP, .sport = 547, .port = 546, .payload = 16, EXT(44)}, FRAGMENT, FRAGMENT, FRAGMENT},
	{"fragment, IPv6",    {.to = OTHER6, UDP, .port = 9, .payload = 64, EXT(44)}, NEIGHBOUR, NEIGHBOUR, FRAGMENT},
	{"extension",         {.to = "fe80::9", UDP, .port = 9, EXT(60)}, NEIGHBOUR, NEIGHBOUR, EXTENSION},
	{"IGMP",              {.to = "224.0.0.22", .proto = 2, .options = 4, .payload = 16, .ttl = 1, .dst_mac = "01:00:5e:00:00:16"}, MULTICAST, INSIDE, EXTENSION},
	{"from elsewhere",    {.to = OTHER, .from = OUT, UDP, .port = 9}, ADDRESS, ADDRESS, GH_ANSWER_PROHIBITED},
	{"as the box",        {.to = OTHER, .from = BOX, UDP, .port = 9}, ROGUE, ROGUE, GH_ANSWER_PROHIBITED},
	{"as the box, to all", {.to = ALL, .from = BOX, UDP, .port = 9, .dst_mac = GROUP_MAC}, ROGUE, ROGUE, CAPTIVE_IS},
	{"box",               {.to = BOX, TCP, .port = 22}, GH_ANSWER_RESET, GH_ANSWER_RESET, GH_ANSWER_RESET},
	{"box, link-local",   {.to = "fe80::1", .from = "fe80::50", UDP, .port = 9}, INSIDE, INSIDE, GH_ANSWER_PROHIBITED},
	{"office",            {.to = "10.78.0.1", TCP, .port = 22}, INSIDE, INSIDE, GH_ANSWER_RESET},
	{"outside",           {.to = OUT, UDP, .port = 9}, CHARGED, CHARGED, GH_ANSWER_PROHIBITED},
};

struct down_row {
	const char *name;
	struct frame_spec frame;
	enum gh_reason running;
	enum gh_reason captive;
	enum gh_reason forwarded; /* to a running one, but from another network */
};

static const struct down_row down_rows[] = {
	{"TCP",             {.to = FRAME_HOST4, .from = OTHER, TCP, .port = 445}, NEIGHBOUR, CAPTIVE_IS, CHARGED},
	{"UDP, IPv6",       {.to = FRAME_HOST6, .from = OTHER6, UDP, .port = 9}, NEIGHBOUR, CAPTIVE_IS, CHARGED},
	{"link-local",      {.to = "fe80::50", .from = "fe80::9", UDP, .port = 9}, NEIGHBOUR, CAPTIVE_IS, CHARGED},
	{"ARP",             {.ethertype = 0x0806, .payload = 28}, NEIGHBOUR, GH_DROP_ETHERTYPE, GH_DROP_ETHERTYPE},
	{"LLC",             {.ethertype = 0x0027, .payload = 46}, GH_DROP_ETHERTYPE, GH_DROP_ETHERTYPE, GH_DROP_ETHERTYPE},
	{"broken",          {.to = FRAME_HOST4, .from = OTHER, UDP, .claim = 1}, GH_DROP_MALFORMED, GH_DROP_MALFORMED, GH_DROP_MALFORMED},
	{"routed by a guest", {.to = FRAME_HOST4, .from = OUT, UDP, .port = 9}, CHARGED, CAPTIVE_IS, CHARGED},
	{"to all",          {.src_mac = GROUP_MAC, .to = ALL, .from = OTHER, UDP, .port = 9}, MULTICAST, MULTICAST, MULTICAST},
	{"link's broadcast", {.src_mac = GROUP_MAC, .to = "10.77.0.255", .from = OTHER, UDP, .port = 9}, MULTICAST, MULTICAST, CAPTIVE_IS},
	{"broken, to all",  {.src_mac = GROUP_MAC, .to = ALL, .from = OTHER, UDP, .claim = 1}, GH_DROP_MALFORMED, GH_DROP_MALFORMED, GH_DROP_MALFORMED},
};
/* clang-format on */

static void set_interface(enum gh_interface_flag flags)
{
	struct gh_interface interface = {.network = GATE_NETWORK,
		.flags = flags,
		.mac = {2, 0, 0, 0, 0, 0xfe}};

	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &interface), 0);
}

static void expect(enum datapath_program program, const struct frame *f,
	const struct gate_shape *shape, const char *name, enum gh_reason want)
{
	struct gate_result got = gate_run(&gate, program, f->bytes, f->len, shape);
	bool is_check = program == PROGRAM_CHECK_UP ||
			program == PROGRAM_CHECK_DOWN;

	if (is_check && want < GH_ANSWERS)
		want = GH_NO_REASON;
	else if (is_check && want < GH_DROPS)
		want = CAPTIVE_IS;
	if (got.error || got.reason != want)
		fail_msg("%s, program %d: %s, not %s (error %d)", name, program,
			reason_name(got.reason), reason_name(want), got.error);
}

static void send_up(const struct up_row *row, enum standing from,
	const enum datapath_program *programs, size_t n, enum gh_reason want)
{
	struct frame f;
	uint8_t mac[6];
	size_t i;

	for (i = 0; i < n; i++) {
		frame_build(&f, &row->frame);
		gate_mac(&gate, from, mac);
		frame_set_source(&f, mac);
		expect(programs[i], &f, NULL, row->name, want);
	}
}

static void test_what_guests_send_to_each_other(void **state)
{
	static const enum datapath_program all[] = {PROGRAM_UPLOAD_XDP,
		PROGRAM_UPLOAD_TC, PROGRAM_CHECK_UP};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(up_rows); i++) {
		const struct up_row *row = &up_rows[i];

		set_interface(GH_INTERFACE_MEET);
		send_up(row, RUNNING, all, 2, row->port);
		send_up(row, CAPTIVE, all, 2, row->captive);
		set_interface(0);
		send_up(row, RUNNING, all, 3, row->plain);
		send_up(row, CAPTIVE, all, 3, row->captive);
	}
}

static void send_down(const struct down_row *row, enum standing to,
	int from, enum gh_reason want)
{
	struct gate_shape shape = {.from = from};
	struct frame f;
	uint8_t mac[6];

	frame_build(&f, &row->frame);
	if (!row->frame.src_mac)
		gate_mac(&gate, to, f.bytes + 6);
	/* Turned round. */
	memcpy(mac, f.bytes, 6);
	memcpy(f.bytes, f.bytes + 6, 6);
	memcpy(f.bytes + 6, mac, 6);
	expect(PROGRAM_DOWNLOAD_TC, &f, &shape, row->name, want);
	expect(PROGRAM_CHECK_DOWN, &f, &shape, row->name, want);
}

static void test_what_comes_to_a_guest(void **state)
{
	size_t i;

	set_interface(GH_INTERFACE_MEET);
	for (i = 0; i < ARRAY_SIZE(down_rows); i++) {
		send_down(&down_rows[i], RUNNING, FROM_HERE, down_rows[i].running);
		send_down(&down_rows[i], CAPTIVE, FROM_HERE, down_rows[i].captive);
		send_down(&down_rows[i], RUNNING, FROM_UPLINK,
			down_rows[i].forwarded);
	}
}

static void test_nobody_is_charged_for_it(void **state)
{
	uint8_t mac[6];
	struct gh_client before, after;
	size_t i;

	gate_mac(&gate, RUNNING, mac);
	before = gate_client(&gate, mac);
	for (i = 0; i < 3; i++) {
		send_down(&down_rows[i], RUNNING, FROM_HERE, NEIGHBOUR);
		send_up(&up_rows[i], RUNNING,
			(enum datapath_program[]){PROGRAM_UPLOAD_TC}, 1, NEIGHBOUR);
	}
	after = gate_client(&gate, mac);
	assert_int_equal(after.up.bytes, before.up.bytes);
	assert_int_equal(after.down.bytes, before.down.bytes);
}

static int open_gate(void **state)
{
	gate_open(&gate);
	gate.network.flags |= GH_NETWORK_MEET;
	/* The link's broadcast address, which the box takes for itself. */
	memmove(&gate.network.prefix4[1], &gate.network.prefix4[0],
		(GH_PREFIXES_MAX - 1) * sizeof(gate.network.prefix4[0]));
	gate.network.prefix4[0].net = htonl(0x0a4d00ff);
	gate.network.n4++;
	gate_set_network(&gate);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_guests_send_to_each_other),
		cmocka_unit_test(test_what_comes_to_a_guest),
		cmocka_unit_test(test_nobody_is_charged_for_it),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
