/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that nobody thought of: random bytes, and good frames with random
 * faults, from a client that has no access. Whatever comes, at either hook:
 * nothing of it is forwarded, what passes is for the box, and the programs
 * return and count only what they know (lib/gate.c fails otherwise). And what
 * is for the box does pass; DNS for others is for the box when it leaves.
 *
 * What may pass is told here by another reading of the frame than the gate's
 * own, from the RFCs, so that a fault of its parser cannot excuse itself.
 * The seed is printed; `test_random SEED` runs it again. Bounded by time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/mutate.h"

#define SECONDS_EACH 3
/* What a kernel takes as one linear buffer in a test run; more is in pieces,
 * which only XDP gets. */
#define SKB_MAX 3000

static const enum datapath_program hooks[] = {
	PROGRAM_UPLOAD_XDP, PROGRAM_UPLOAD_TC, PROGRAM_CHECK_UP};

static uint8_t left[FRAME_MAX]; /* what a program left of the frame */
static uint64_t seed = 20261121;

static bool is_any_of(uint32_t x, const uint16_t *list, size_t n)
{
	while (n--)
		if (x == list[n])
			return true;
	return false;
}

struct view {
	uint8_t proto;
	const uint8_t *src; /* IPv4 */
	bool from_link, at_home; /* or from no address yet */
	bool to_box, to_group, to_link; /* ff02::/16; that and fe80::/10 */
	bool to_all, to_servers; /* 255.255.255.255; ff02::1:2 */
	bool to_neighbour;	 /* whom the box is not before */
	const uint8_t *above; /* header above IP */
	size_t left;	      /* bytes of it and behind it */
	uint8_t ttl;
};

static bool is_on_link(const uint8_t *ip4)
{
	static const uint8_t box[] = {10, 77, 0, 1};

	return !memcmp(ip4, box, 3) && memcmp(ip4, box, 4);
}

/* Plain IPv4: no options, whole. */
static bool view_ipv4(struct view *v, const uint8_t *ip, size_t len)
{
	static const uint8_t box[] = {10, 77, 0, 1}, all[] = {255, 255, 255, 255};
	size_t total;

	if (len < 20 || ip[0] != 0x45 || (ip[6] & 0x3f) || ip[7])
		return false;
	total = ip[2] << 8 | ip[3];
	if (total < 20 || total > len)
		return false;
	*v = (struct view){.proto = ip[9], .above = ip + 20, .left = total - 20,
		.src = ip + 12};
	v->to_box = !memcmp(ip + 16, box, 4);
	v->to_all = !memcmp(ip + 16, all, 4);
	v->to_group = ip[16] >> 4 == 0xe;
	v->to_neighbour = is_on_link(ip + 16);
	v->from_link = is_on_link(ip + 12);
	return true;
}

/* Plain IPv6; one hop-by-hop header of 8 bytes is plain for MLD. */
static bool view_ipv6(struct view *v, const uint8_t *ip, size_t len)
{
	struct in6_addr box, link, servers;
	size_t total, header = 40;

	inet_pton(AF_INET6, GATE_BOX6, &box);
	inet_pton(AF_INET6, "fe80::1", &link);
	inet_pton(AF_INET6, "ff02::1:2", &servers);
	if (len < 40 || ip[0] >> 4 != 6)
		return false;
	total = 40 + (ip[4] << 8 | ip[5]);
	if (total == 40 || total > len)
		return false;
	*v = (struct view){.proto = ip[6], .ttl = ip[7]};
	if (v->proto == 0) {
		if (total < 49 || ip[40] != IPPROTO_ICMPV6 || ip[41])
			return false;
		if (ip[48] != 143 && (ip[48] < 130 || ip[48] > 132))
			return false;
		v->proto = ip[40];
		header = 48;
	}
	v->to_box = !memcmp(ip + 24, &box, 16) || !memcmp(ip + 24, &link, 16);
	v->to_group = ip[24] == 0xff && ip[25] == 0x02;
	v->to_link = v->to_group || (ip[24] == 0xfe && (ip[25] & 0xc0) == 0x80);
	v->to_neighbour = !memcmp(ip + 24, &box, 8) || v->to_link || ip[24] == 0xff;
	v->to_servers = !memcmp(ip + 24, &servers, 16);
	v->from_link = (!memcmp(ip + 8, &box, 8) && memcmp(ip + 8, &box, 16)) ||
		       (ip[8] == 0xfe && (ip[9] & 0xc0) == 0x80);
	v->at_home = v->from_link || !memcmp(ip + 8, &in6addr_any, 16);
	v->above = ip + header;
	v->left = total - header;
	return true;
}

/* An address of the link, or none yet. */
static bool is_home4(const uint8_t *ip4)
{
	static const uint8_t none[4];

	return !memcmp(ip4, none, 4) || is_on_link(ip4);
}

/* BOOTP that speaks for nobody but `mac`, and is no relay's. */
static bool is_own_dhcp(const struct view *v, const uint8_t *mac)
{
	static const uint8_t none[4];
	const uint8_t *bootp = v->above + 8;

	return v->left >= 8 + 34 && is_home4(v->src) && is_home4(bootp + 12) &&
	       !memcmp(bootp + 24, none, 4) && !memcmp(bootp + 28, mac, 6);
}

/* RS, NS or NA: at most four options, and those with a MAC name `mac`. */
static bool is_own(const struct view *v, const uint8_t *mac)
{
	size_t at = v->above[0] == 133 ? 8 : 24;
	int options = 0;

	for (; at < v->left; at += v->above[at + 1] * 8) {
		const uint8_t *option = v->above + at;

		if (at + 8 > v->left || !option[1] ||
			at + option[1] * 8 > v->left || ++options > 4)
			return false;
		if ((option[0] == 1 || option[0] == 2) && memcmp(option + 2, mac, 6))
			return false;
	}
	return true;
}

/* DNS for a server elsewhere, which the box answers. */
static bool is_steered(const struct view *v, const uint8_t *frame)
{
	const uint8_t *udp = v->above;

	return v->proto == IPPROTO_UDP && udp[2] == 0 && udp[3] == 53 &&
	       v->left >= 8 + 12 && v->from_link && !v->to_box && !v->to_all &&
	       !v->to_group && !v->to_neighbour && !(frame[0] & 1);
}

/* Whether a guest without access may have this frame reach the box, as it is or
 * (`steered`) as the gate makes it. */
static bool may_pass(const uint8_t *frame, size_t len, bool steered)
{
	static const uint16_t tcp_ports[] = {53, 80, 443};
	const uint8_t *at = frame + 12;
	struct view v;
	uint32_t type, sport, port;

	for (int tags = 0; tags < 2 && (size_t)(at - frame) + 6 <= len; tags++)
		if ((at[0] == 0x81 && at[1] == 0) ||
			(at[0] == 0x88 && at[1] == 0xa8))
			at += 4;
	type = at[0] << 8 | at[1];
	at += 2;
	if (type == 0x0806)
		return (size_t)(at - frame) + 28 <= len && at[4] == 6 &&
		       at[5] == 4 && !memcmp(at + 8, frame + 6, 6) &&
		       is_home4(at + 14);
	if (type == 0x0800 ? !view_ipv4(&v, at, len - (at - frame))
			   : type != 0x86dd ||
				     !view_ipv6(&v, at, len - (at - frame)))
		return false;
	if (v.left < 8)
		return false;
	if (steered && is_steered(&v, frame))
		return true;
	sport = v.above[0] << 8 | v.above[1];
	port = v.above[2] << 8 | v.above[3];
	switch (v.proto) {
	case IPPROTO_TCP:
		return v.left >= 20 && v.above[12] >> 4 >= 5 &&
		       v.left >= (v.above[12] >> 4) * 4U && v.to_box &&
		       v.from_link && is_any_of(port, tcp_ports, ARRAY_SIZE(tcp_ports));
	case IPPROTO_UDP:
		if (type == 0x0800 && sport == 68 && port == 67)
			return (v.to_box || v.to_all) && is_own_dhcp(&v, frame + 6);
		if (type == 0x86dd && sport == 546 && port == 547)
			return (v.to_box || v.to_servers) && v.from_link &&
			       v.left >= 9 && v.above[8] < 12;
		return v.to_box && v.from_link && port == 53;
	case IPPROTO_ICMP:
		return type == 0x0800 && v.to_box && v.from_link &&
		       v.above[0] == 8;
	case IPPROTO_ICMPV6:
		if (type != 0x86dd)
			return false;
		if (v.above[0] == 128)
			return v.to_box && v.from_link;
		if (v.above[0] == 133 || v.above[0] == 135 || v.above[0] == 136)
			return v.ttl == 255 && (v.to_link || v.to_box) && v.at_home &&
			       is_own(&v, frame + 6);
		return v.to_group && (v.above[0] == 143 ||
					    (v.above[0] >= 130 && v.above[0] <= 132));
	}
	return false;
}

static void show(const uint8_t *frame, size_t len)
{
	for (size_t i = 0; i < MIN(len, 128); i++)
		print_error("%02x%s", frame[i], i % 16 == 15 ? "\n" : " ");
	print_error("(%zu bytes, seed %llu)\n", len, (unsigned long long)seed);
}

/* Sends a frame through every hook that takes its length. */
static void send_frame(const struct frame *f)
{
	for (size_t h = 0; h < ARRAY_SIZE(hooks); h++) {
		bool is_xdp = hooks[h] == PROGRAM_UPLOAD_XDP;
		bool is_check = hooks[h] == PROGRAM_CHECK_UP;
		struct gate_shape shape = {.from = FROM_HERE, .answer = left};
		struct gate_result got;

		if (!is_xdp && f->len > SKB_MAX)
			continue;
		got = gate_run(&gate, hooks[h], f->bytes, f->len, &shape);
		if (got.error == -EINVAL && (!is_xdp || f->len < 14))
			continue;
		if (got.error) {
			show(f->bytes, f->len);
			fail_msg("test run: %d", got.error);
		}
		if (got.reason == GH_PASS_CHARGED ||
			got.reason == GH_PASS_EXEMPT ||
			got.passed != may_pass(f->bytes, f->len, !is_check) ||
			(got.passed && !may_pass(left, got.answer_len, false))) {
			show(f->bytes, f->len);
			fail_msg("hook %zu, code %d: %s", h, got.code,
				reason_name(got.reason));
		}
	}
}

static void choose_source(uint8_t ret_mac[static 6])
{
	static const enum standing who[] = {CAPTIVE, OVER_QUOTA, EXPIRED, PAUSED};

	gate_mac(&gate, PICK(who), ret_mac);
}

static bool is_time_over(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec >= SECONDS_EACH;
}

static void test_spoilt_frames(void **state)
{
	struct timespec start;
	size_t n = 0, good = 0;

	mutate_seed(seed);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!is_time_over(&start)) {
		struct frame_spec spec;
		struct frame f;
		uint8_t mac[6];

		mutate_draw(&spec);
		frame_build(&f, &spec);
		choose_source(mac);
		frame_set_source(&f, mac);
		mutate_spoil(&f);
		memcpy(f.bytes + 6, mac, 6);
		send_frame(&f);
		good += may_pass(f.bytes, f.len, false);
		n++;
	}
	print_message("%zu frames, %zu of them for the box\n", n, good);
	assert_true(good > 0);
}

static void test_random_bytes(void **state)
{
	struct timespec start;
	size_t n = 0;

	mutate_seed(seed);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!is_time_over(&start)) {
		static struct frame f;

		mutate_bytes(&f, 9000);
		choose_source(f.bytes + 6);
		send_frame(&f);
		n++;
	}
	print_message("%zu frames\n", n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoilt_frames),
		cmocka_unit_test(test_random_bytes),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, gate_setup, gate_teardown);
}
