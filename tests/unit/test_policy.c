/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules and the parser of the BPF programs on the host. Rules: which one
 * comes first when several apply, and where each begins and ends; the frames
 * themselves are in tests/bpf/test_verdict.c. Parser: it reads nothing beyond
 * the frame's end, at any length (SAN=1 watches), with tags in the frame or
 * beside it.
 */
#include <setjmp.h>
#include <stdarg.h>

/* clang-format off: in this order */
#include <arpa/inet.h>
#include "../host_bpf.h"
#include "../../bpf/parse.h"
#include "../../bpf/policy.h"
/* clang-format on */

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define BOX_MAC 0xfe0000000002ULL
#define GUEST   0x010000001002ULL
#define OUTSIDE "198.51.100.7"
#define BOX     "10.77.0.1"

static struct gh_network network;
static struct gh_pkt pkt;

static __be32 ip4(const char *text)
{
	return inet_addr(text);
}

static void ip6(const char *text, __be64 ret[2])
{
	assert_int_equal(inet_pton(AF_INET6, text, ret), 1);
}

/* A SYN to a web server, and a network whose box is 10.77.0.1. */
static int setup(void **state)
{
	memset(&network, 0, sizeof(network));
	network.flags = GH_NETWORK_ACTIVE;
	network.portal_ports[0] = htons(80);
	network.n4 = 2;
	network.prefix4[0] = (struct gh_prefix4){
		.net = ip4(BOX), .mask = ~0U, .place = GH_PLACE_BOX};
	network.prefix4[1] = (struct gh_prefix4){
		.net = ip4("10.77.0.0"), .mask = htonl(0xffffff00),
		.place = GH_PLACE_LINK};
	pkt = (struct gh_pkt){
		.src = GUEST,
		.dst = BOX_MAC,
		.src4 = ip4("10.77.0.50"),
		.dst4 = ip4(OUTSIDE),
		.ip_len = 40,
		.l3 = 14,
		.l4 = 34,
		.l4_len = 20,
		.ethertype = ETH_P_IP,
		.dport = htons(80),
		.family = 4,
		.proto = IPPROTO_TCP,
		.ttl = 64,
	};
	return 0;
}

static enum gh_reason up(int fault, int refusal)
{
	return gh_decide_up(&pkt, fault, &network, BOX_MAC, GH_STATE_RUNNING,
		refusal)
		.reason;
}

static enum gh_reason down(int fault, enum gh_maker maker, int refusal)
{
	return gh_decide_down(&pkt, fault, &network, maker, GH_STATE_RUNNING,
		refusal)
		.reason;
}

/* Everything is wrong at once; one fault less with each step. */
static void test_upload_asks_in_this_order(void **state)
{
	pkt.src = BOX_MAC;
	pkt.ethertype = ETH_P_ARP;
	pkt.dst4 = ip4(BOX);
	pkt.flags = GH_PKT_FRAGMENT | GH_PKT_OPTIONS | GH_PKT_GROUP |
		    GH_PKT_FORGED;
	pkt.src4 = ip4(OUTSIDE);
	assert_int_equal(up(GH_DROP_MALFORMED, GH_DROP_BLOCKED), GH_DROP_SOURCE);
	pkt.src = GUEST;
	assert_int_equal(up(GH_DROP_MALFORMED, GH_DROP_BLOCKED), GH_DROP_BLOCKED);
	assert_int_equal(up(GH_DROP_MALFORMED, GH_DROP_EXPIRED), GH_DROP_MALFORMED);
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_ROGUE);
	pkt.flags &= ~GH_PKT_FORGED;
	pkt.family = 0;
	pkt.arp_ip = ip4(OUTSIDE);
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_ADDRESS);
	pkt.arp_ip = ip4("10.77.0.50");
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_PASS_ARP);
	pkt.family = 4;
	pkt.src4 = ip4(OUTSIDE);
	pkt.ethertype = ETH_P_IP;
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_FRAGMENT);
	pkt.flags &= ~GH_PKT_FRAGMENT;
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_EXTENSION);
	pkt.flags &= ~GH_PKT_OPTIONS;
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_ADDRESS);
	pkt.src4 = ip4("10.77.0.50");
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_PASS_PORTAL);
	pkt.dport = htons(81);
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_DROP_EXPIRED);
	pkt.flags = 0;
	assert_int_equal(up(0, GH_DROP_CLOSED), GH_DROP_CLOSED);
	assert_int_equal(up(0, GH_DROP_EXPIRED), GH_ANSWER_RESET);
	assert_int_equal(up(0, 0), GH_ANSWER_RESET);
	pkt.dst4 = ip4(OUTSIDE);
	assert_int_equal(up(0, 0), GH_PASS_CHARGED);
	pkt.family = 0;
	assert_int_equal(up(0, 0), GH_DROP_ETHERTYPE);
}

static void test_download_asks_in_this_order(void **state)
{
	const int broken = GH_DROP_MALFORMED;

	pkt.src4 = ip4(BOX);
	pkt.dst = 0xffffffffffff;
	assert_int_equal(
		down(broken, GH_MAKER_BOX, GH_DROP_BLOCKED), GH_PASS_MULTICAST);
	pkt.dst = GUEST;
	assert_int_equal(
		down(broken, GH_MAKER_BOX, GH_DROP_BLOCKED), GH_DROP_BLOCKED);
	assert_int_equal(
		down(broken, GH_MAKER_BOX, GH_DROP_EXPIRED), GH_PASS_BOX_MADE);
	assert_int_equal(
		down(broken, GH_MAKER_OTHER, GH_DROP_EXPIRED), broken);
	assert_int_equal(down(0, GH_MAKER_OTHER, GH_DROP_EXPIRED), GH_DROP_EXPIRED);
	assert_int_equal(down(0, GH_MAKER_OTHER, 0), GH_PASS_CHARGED);
	pkt.family = 0;
	assert_int_equal(down(0, GH_MAKER_OTHER, 0), GH_DROP_ETHERTYPE);
}

/* Came in by no interface, and yet not the box's. */
static void test_who_made_it(void **state)
{
	pkt.src4 = ip4(OUTSIDE);
	assert_int_equal(down(0, GH_MAKER_BOX, 0), GH_PASS_CHARGED);
	assert_int_equal(down(0, GH_MAKER_GATE, 0), GH_PASS_BOX_MADE);
	pkt.flags = GH_PKT_FRAGMENT;
	assert_int_equal(
		down(0, GH_MAKER_BOX, GH_DROP_CAPTIVE), GH_DROP_CAPTIVE);
	pkt.src4 = ip4(BOX);
	assert_int_equal(
		down(0, GH_MAKER_BOX, GH_DROP_CAPTIVE), GH_PASS_BOX_MADE);
}

/* A group MAC is nobody's, so no packet to one address goes there. */
static void test_one_address_behind_a_group_mac(void **state)
{
	pkt.dst = 0xddccbbaa3333;
	assert_int_equal(
		down(0, GH_MAKER_OTHER, GH_DROP_CAPTIVE), GH_DROP_CAPTIVE);
	pkt.flags = GH_PKT_GROUP;
	assert_int_equal(
		down(0, GH_MAKER_OTHER, GH_DROP_CAPTIVE), GH_PASS_MULTICAST);
	assert_int_equal(down(GH_DROP_MALFORMED, GH_MAKER_OTHER, GH_DROP_CAPTIVE),
		GH_DROP_MALFORMED);
}

static void test_only_what_goes_on_is_charged(void **state)
{
	struct gh_verdict v;

	v = gh_decide_up(&pkt, 0, &network, BOX_MAC, GH_STATE_EXEMPT, 0);
	assert_int_equal(v.reason, GH_PASS_EXEMPT);
	assert_true(v.charge);
	assert_int_equal(v.meter, GH_METER_NONE);
	v = gh_decide_up(
		&pkt, 0, &network, BOX_MAC, GH_STATE_CLOSED, GH_DROP_CAPTIVE);
	assert_false(v.charge);
	pkt.dst4 = ip4(BOX);
	v = gh_decide_up(&pkt, 0, &network, BOX_MAC, GH_STATE_RUNNING, 0);
	assert_int_equal(v.reason, GH_PASS_PORTAL);
	assert_false(v.charge);
}

static void test_bad_sources(void **state)
{
	assert_true(gh_is_bad_source(0, BOX_MAC));
	assert_true(gh_is_bad_source(0xffffffffffff, BOX_MAC));
	assert_true(gh_is_bad_source(0x010000005e0001, BOX_MAC));
	assert_true(gh_is_bad_source(BOX_MAC, BOX_MAC));
	assert_false(gh_is_bad_source(GUEST, BOX_MAC));
	/* An interface whose own address is not known bars nobody else. */
	assert_false(gh_is_bad_source(GUEST, 0));
}

static void test_what_a_record_grants(void **state)
{
	static const struct {
		struct gh_grant grant;
		uint32_t network;
		uint64_t now;
		int refusal;
	} rows[] = {
		{{GH_STATE_RUNNING, 100, 0, 2, 0}, 1, 99, 0},
		{{GH_STATE_RUNNING, 100, 0, 2, 0}, 1, 100, GH_DROP_EXPIRED},
		{{GH_STATE_RUNNING, 100, 0, 2, 0}, 1, GH_NEVER, GH_DROP_EXPIRED},
		{{GH_STATE_RUNNING, GH_NEVER, 0, 2, 0}, 1, GH_NEVER - 1, 0},
		{{GH_STATE_RUNNING, 0, 0, 2, 0}, 1, 0, GH_DROP_EXPIRED},
		{{GH_STATE_EXEMPT, 100, 0, 2, 0}, 1, 100, GH_DROP_EXPIRED},
		{{GH_STATE_EXEMPT, 100, 0, 2, 0}, 1, 1, 0},
		{{GH_STATE_RUNNING, 100, 0, 2, 0}, 2, 1, GH_DROP_ELSEWHERE},
		{{GH_STATE_RUNNING, 100, 0, 0, 0}, 1, 100, GH_DROP_ELSEWHERE},
		{{GH_STATE_RUNNING, 100, 0, 1ULL << 63, 0}, 63, 1, 0},
		{{GH_STATE_RUNNING, 100, 0, 1ULL << 63, 0}, 62, 1, GH_DROP_ELSEWHERE},
		{{GH_STATE_CLOSED, GH_NEVER, 0, ~0ULL, 0}, 1, 1, GH_DROP_CLOSED},
		{{GH_STATE_PAUSED, GH_NEVER, 0, ~0ULL, 0}, 1, 1, GH_DROP_PAUSED},
		{{GH_STATE_HELD, GH_NEVER, 0, ~0ULL, 0}, 1, 1, GH_DROP_HELD},
		{{GH_STATE_BLOCKED, 0, 0, 0, 0}, 1, 1, GH_DROP_BLOCKED},
		{{77, GH_NEVER, 0, ~0ULL, 0}, 1, 1, GH_DROP_CLOSED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (gh_refusal(&rows[i].grant, rows[i].network, rows[i].now) !=
			rows[i].refusal)
			fail_msg("row %zu", i);
}

static void test_a_record_in_the_middle_of_an_edit_is_closed(void **state)
{
	struct gh_policy policy = {.seq = 4,
		.state = GH_STATE_RUNNING,
		.expires_ns = 7,
		.quota_bytes = 8,
		.networks = 9};
	struct gh_grant grant;

	gh_grant_read(&policy, &grant);
	assert_int_equal(grant.state, GH_STATE_RUNNING);
	assert_int_equal(grant.expires_ns, 7);
	assert_int_equal(grant.quota_bytes, 8);
	assert_int_equal(grant.networks, 9);
	policy.seq = 5;
	gh_grant_read(&policy, &grant);
	assert_int_equal(grant.state, GH_STATE_CLOSED);
}

static void test_the_first_place_that_matches(void **state)
{
	network.n4 = 3;
	network.prefix4[0] = (struct gh_prefix4){ip4("10.78.0.80"), ~0U,
		htons(80), IPPROTO_TCP, 0, GH_PLACE_REACH};
	network.prefix4[1] = (struct gh_prefix4){ip4("10.78.0.0"),
		ip4("255.255.0.0"), 0, 0, 0, GH_PLACE_INSIDE};
	network.prefix4[2] = (struct gh_prefix4){
		0, 0, htons(25), IPPROTO_TCP, 0, GH_PLACE_INSIDE};
	pkt.dst4 = ip4("10.78.0.80");
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_REACH);
	pkt.proto = IPPROTO_UDP;
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_INSIDE);
	pkt.proto = IPPROTO_TCP;
	pkt.dport = htons(81);
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_INSIDE);
	pkt.dst4 = ip4("10.79.0.1");
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_OUTSIDE);
	pkt.dport = htons(25);
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_INSIDE);
	/* A count beyond the table ends at the table. */
	network.n4 = ~0U;
	pkt.dport = htons(81);
	for (size_t i = 0; i < GH_PREFIXES_MAX; i++)
		network.prefix4[i].mask = network.prefix4[i].net = ~0U;
	assert_int_equal(gh_destination(&network, &pkt), GH_PLACE_OUTSIDE);
	assert_int_equal(gh_place4(NULL, 0, 0, 0), GH_PLACE_INSIDE);
}

static void test_places_of_ipv6(void **state)
{
	static const struct {
		const char *to;
		enum gh_place place;
	} rows[] = {
		{"fe80::1", GH_PLACE_BOX},
		{"fe80::2", GH_PLACE_INSIDE},
		{"febf:ffff::1", GH_PLACE_INSIDE},
		{"fec0::1", GH_PLACE_OUTSIDE},
		{"fd78:0:0:7::1", GH_PLACE_INSIDE},
		{"fd78:0:0:8::1", GH_PLACE_OUTSIDE},
		{"2001:db8::1", GH_PLACE_OUTSIDE},
	};

	network.n6 = 2;
	network.prefix6[0] = (struct gh_prefix6){
		.mask = {~0ULL, ~0ULL}, .place = GH_PLACE_BOX};
	ip6("fe80::1", network.prefix6[0].net);
	network.prefix6[1] = (struct gh_prefix6){
		.mask = {~0ULL, 0}, .place = GH_PLACE_INSIDE};
	ip6("fd78:0:0:7::", network.prefix6[1].net);
	pkt.family = 6;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ip6(rows[i].to, pkt.dst6);
		if (gh_destination(&network, &pkt) != rows[i].place)
			fail_msg("%s", rows[i].to);
	}
}

static void test_limits_of_what_the_box_made(void **state)
{
	assert_int_equal(gh_box_made_meter(&pkt), GH_METER_NONE);
	pkt.sport = htons(53);
	assert_int_equal(gh_box_made_meter(&pkt), GH_METER_REPLY);
	pkt.proto = IPPROTO_ICMP;
	assert_int_equal(gh_box_made_meter(&pkt), GH_METER_REPLY);
	pkt.family = 6;
	pkt.proto = IPPROTO_ICMPV6;
	pkt.sport = 0;
	pkt.icmp_type = 129;
	assert_int_equal(gh_box_made_meter(&pkt), GH_METER_REPLY);
	for (int type = 130; type <= 136; type++) {
		pkt.icmp_type = type;
		assert_int_equal(gh_box_made_meter(&pkt), GH_METER_NONE);
	}
	pkt.icmp_type = 137;
	assert_int_equal(gh_box_made_meter(&pkt), GH_METER_REPLY);
}

/* Frames as bytes; the parser gets each in a buffer of exactly its length. */
#define MACS 2, 0, 0, 0, 0, 0xfe, 2, 0x10, 0, 0, 0, 1
#define TAG  0x81, 0, 0, 100
#define IPV4(proto, len)                                                 \
	8, 0, 0x45, 0, 0, len, 0, 0, 0, 0, 64, proto, 0, 0, 10, 77, 0, 50, \
		198, 51, 100, 7
#define IPV6(next, len)                                                 \
	0x86, 0xdd, 0x60, 0, 0, 0, 0, len, next, 64, 0xfd, 0x77, 0, 0, 0, \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x20, 1, 0xd, 0xb8, 0, \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7
#define TCP_PORT80 0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0
#define UDP_PORT53 0x9c, 0x40, 0, 53, 0, 8, 0, 0

static const uint8_t tcp4[] = {MACS, IPV4(6, 40), TCP_PORT80};
static const uint8_t udp6[] = {MACS, IPV6(17, 8), UDP_PORT53};
static const uint8_t ext6[] = {MACS, IPV6(0, 40), 43, 0, 0, 0, 0, 0, 0, 0, 60, 1,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0,
	UDP_PORT53};
static const uint8_t tagged[] = {MACS, TAG, TAG, IPV4(6, 40), TCP_PORT80};
static const uint8_t thrice[] = {MACS, TAG, TAG, TAG, IPV4(6, 40), TCP_PORT80};

static int parse(const uint8_t *frame, size_t len, uint32_t tags)
{
	_cleanup_free_ uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, frame, len);
	memset(&pkt, 0, sizeof(pkt));
	return gh_parse(copy, copy + len, &pkt, tags);
}

static void test_parser_stays_in_the_frame(void **state)
{
	static const struct {
		const uint8_t *frame;
		size_t len;
	} rows[] = {
		{tcp4, sizeof(tcp4)},
		{udp6, sizeof(udp6)},
		{ext6, sizeof(ext6)},
		{tagged, sizeof(tagged)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t len = 0; len < rows[i].len; len++) {
			if (parse(rows[i].frame, len, 0) != GH_DROP_MALFORMED)
				fail_msg("row %zu, %zu bytes", i, len);
			assert_int_equal(pkt.src, len < 14 ? 0 : GUEST);
		}
		assert_int_equal(parse(rows[i].frame, rows[i].len, 0), 0);
	}
}

static void test_parser_finds_the_fields(void **state)
{
	assert_int_equal(parse(tcp4, sizeof(tcp4), 0), 0);
	assert_int_equal(pkt.src, GUEST);
	assert_int_equal(pkt.dst, BOX_MAC);
	assert_int_equal(pkt.family, 4);
	assert_int_equal(pkt.proto, IPPROTO_TCP);
	assert_int_equal(pkt.ip_len, 40);
	assert_int_equal(pkt.l3, 14);
	assert_int_equal(pkt.l4, 34);
	assert_int_equal(pkt.l4_len, 20);
	assert_int_equal(pkt.dst4, ip4(OUTSIDE));
	assert_int_equal(pkt.dport, htons(80));
	assert_int_equal(pkt.tcp_flags, 2);
	assert_int_equal(pkt.flags, 0);
	assert_int_equal(parse(ext6, sizeof(ext6), 0), 0);
	assert_int_equal(pkt.proto, IPPROTO_UDP);
	assert_int_equal(pkt.l4, sizeof(ext6) - 8);
	assert_int_equal(pkt.dport, htons(53));
	assert_int_equal(pkt.flags, GH_PKT_HOPBYHOP | GH_PKT_EXTENSION);
}

/* Two at most, wherever they are. */
static void test_parser_counts_the_tags(void **state)
{
	assert_int_equal(parse(tagged, sizeof(tagged), 0), 0);
	assert_int_equal(pkt.family, 4);
	assert_int_equal(pkt.l3, 22);
	assert_int_equal(parse(tagged, sizeof(tagged), 1), 0);
	assert_int_equal(pkt.family, 0);
	assert_int_equal(pkt.ethertype, ETH_P_8021Q);
	assert_int_equal(parse(tcp4, sizeof(tcp4), 2), 0);
	assert_int_equal(pkt.family, 4);
	assert_int_equal(parse(thrice, sizeof(thrice), 0), 0);
	assert_int_equal(pkt.family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_upload_asks_in_this_order, setup),
		cmocka_unit_test_setup(test_download_asks_in_this_order, setup),
		cmocka_unit_test_setup(test_who_made_it, setup),
		cmocka_unit_test_setup(
			test_one_address_behind_a_group_mac, setup),
		cmocka_unit_test_setup(test_only_what_goes_on_is_charged, setup),
		cmocka_unit_test_setup(test_bad_sources, setup),
		cmocka_unit_test_setup(test_what_a_record_grants, setup),
		cmocka_unit_test_setup(
			test_a_record_in_the_middle_of_an_edit_is_closed, setup),
		cmocka_unit_test_setup(test_the_first_place_that_matches, setup),
		cmocka_unit_test_setup(test_places_of_ipv6, setup),
		cmocka_unit_test_setup(test_limits_of_what_the_box_made, setup),
		cmocka_unit_test(test_parser_stays_in_the_frame),
		cmocka_unit_test(test_parser_finds_the_fields),
		cmocka_unit_test(test_parser_counts_the_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
