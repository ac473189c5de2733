/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What captive clients may have of the box, of each service and in figures
 * (docs/design.md 4.8): one client, and all of a network together, whatever
 * MACs they make up; at both upload hooks, and what the box sends them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

/* kbit/s; the first is had for 4 s at once, the others for 1 s. */
#define CAPTIVE_KBPS 8
#define NETWORK_KBPS 256
#define BOX_KBPS     64

struct service {
	const char *name;
	struct frame_spec frame;
	enum gh_reason within;
	int cost; /* bytes against the limit; 0: what the gate counts */
};

/* clang-format off */
static const struct service services[] = {
	{"DNS",               {.to = GATE_BOX, UDP, .port = 53, .payload = 72}, GH_PASS_DNS, 0},
	{"DNS, IPv6",         {.to = GATE_BOX6, UDP, .port = 53, .payload = 72}, GH_PASS_DNS, 0},
	{"DNS, TCP",          {.to = GATE_BOX, TCP, .port = 53}, GH_PASS_DNS, 0},
	{"DNS, steered",      {.to = OUT, UDP, .port = 53, .payload = 72}, GH_PASS_STEERED, 0},
	{"DNS, steered, IPv6", {.to = OUT6, UDP, .port = 53, .payload = 72}, GH_PASS_STEERED, 0},
	{"ping",              {.to = GATE_BOX, ICMP, .type = 8, .payload = 72}, GH_PASS_ECHO, 0},
	{"ping, IPv6",        {.to = GATE_BOX6, ICMP6, .type = 128, .payload = 72}, GH_PASS_ECHO, 0},
	{"ARP",               {.ethertype = 0x0806, .payload = 28, .dst_mac = GROUP_MAC}, GH_PASS_ARP, 0},
	{"NS",                {.to = "ff02::1:ff00:1", ICMP6, .type = 135, .ttl = 255, .payload = 16}, GH_PASS_ND, 0},
	{"RS",                {.to = "ff02::2", ICMP6, .type = 133, .ttl = 255}, GH_PASS_ND, 0},
	{"MLD",               {.to = "ff02::16", ICMP6, .type = 143, .ttl = 1, .exts = 1, .ext = {0}}, GH_PASS_MLD, 0},
	{"DHCP",              {.to = "255.255.255.255", .from = "0.0.0.0", UDP, .sport = 68, .port = 67, .payload = 240}, GH_PASS_DHCP, 0},
	{"DHCPv6",            {.to = "ff02::1:2", UDP, .sport = 546, .port = 547, .payload = 40}, GH_PASS_DHCP, 0},
	{"portal",            {.to = GATE_BOX, TCP, .port = 80}, GH_PASS_PORTAL, 128},
	{"ICMP of the gate",  {.to = OUT, UDP, .port = 443, .payload = 72}, GH_ANSWER_PROHIBITED, 64},
	{"ICMPv6 of the gate", {.to = OUT6, UDP, .port = 443, .payload = 72}, GH_ANSWER_PROHIBITED, 64},
};
/* clang-format on */

static int meters_fd;

static int open_gate(void **state)
{
	char path[96];

	gate_open(&gate);
	gate.network.captive_price = datapath_price(CAPTIVE_KBPS);
	gate.network.network_price = datapath_price(NETWORK_KBPS);
	gate.network.box_price = datapath_price(BOX_KBPS);
	gate_set_network(&gate);
	snprintf(path, sizeof(path), "%s/network_meters", gate.pin_dir);
	meters_fd = bpf_obj_get(path);
	assert_true(meters_fd >= 0);
	return 0;
}

static int close_gate(void **state)
{
	close(meters_fd);
	gate_close(&gate);
	return 0;
}

/* As after a quiet second. */
static void rest(void)
{
	struct gh_network_meter none = {0};
	uint32_t network = GATE_NETWORK;

	assert_int_equal(bpf_map_update_elem(meters_fd, &network, &none, 0), 0);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* How many bytes' worth of `n` frames from this client are within the limit. */
static uint64_t spend(const struct service *s, const uint8_t mac[static 6], int n,
	enum datapath_program program)
{
	uint64_t sum = 0;
	struct frame f;

	frame_build(&f, &s->frame);
	frame_set_source(&f, mac);
	while (n--) {
		struct gate_result got =
			gate_run(&gate, program, f.bytes, f.len, NULL);

		if (got.reason == s->within)
			sum += s->cost ? (uint64_t)s->cost : got.bytes;
		else if (got.reason != GH_DROP_BOX_LIMIT &&
			 got.reason != GH_DROP_CAPTIVE)
			fail_msg("%s: %s", s->name, reason_name(got.reason));
	}
	return sum;
}

/* All that there was at once was had, and no more than time brought since, but
 * for one frame that crosses the line. */
static void expect(const char *name, uint64_t bytes, int kbps, int at_once,
	double since)
{
	double limit = kbps * 1000 / 8., allowed = limit * (at_once + now() - since);

	if (bytes < limit * at_once || bytes > allowed + 400)
		fail_msg("%s: %llu bytes, not %.0f to %.0f", name,
			(unsigned long long)bytes, limit * at_once, allowed);
}

static enum datapath_program hook_number(size_t i)
{
	return i % 2 ? PROGRAM_UPLOAD_XDP : PROGRAM_UPLOAD_TC;
}

static void test_one_client(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(services); i++) {
		const struct service *s = &services[i / 2];
		double start = now();
		uint8_t mac[6];

		rest();
		gate_mac(&gate, STRANGER, mac);
		expect(s->name, spend(s, mac, 200, hook_number(i)), CAPTIVE_KBPS,
			4, start);
	}
}

/* A MAC is free to make up: another one is no other allowance. */
static void test_all_of_a_network(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		const struct service *s = &services[i];
		double start;
		uint64_t sum = 0;
		uint8_t mac[6];

		rest();
		start = now();
		for (int n = 0; n < 20; n++) {
			gate_mac(&gate, STRANGER, mac);
			sum += spend(s, mac, 70, hook_number(i));
		}
		expect(s->name, sum, NETWORK_KBPS, 1, start);
		/* Who pays has an allowance of his own. */
		gate_mac(&gate, RUNNING, mac);
		if (s->within < GH_ANSWERS && s->within != GH_PASS_STEERED)
			assert_true(spend(s, mac, 1, hook_number(i)) > 0);
	}
}

/* What the box sends: answers of DNS and ICMP. */
static void test_what_the_box_sends(void **state)
{
	static const struct frame_spec answers[] = {
		{.to = FRAME_HOST4, .from = GATE_BOX, UDP, .sport = 53,
			.port = 4000, .payload = 272},
		{.to = FRAME_HOST6, .from = GATE_BOX6, UDP, .sport = 53,
			.port = 4000, .payload = 252},
		{.to = FRAME_HOST4, .from = GATE_BOX, ICMP, .type = 3,
			.payload = 272},
	};
	struct gate_shape shape = {.from = FROM_BOX};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct frame f, hello;
		uint64_t sum = 0;
		double start;

		rest();
		/* It was heard once, so it has meters of its own. */
		frame_build(&hello, &services[0].frame);
		gate_mac(&gate, STRANGER, hello.bytes + 6);
		assert_true(gate_run(&gate, PROGRAM_UPLOAD_TC, hello.bytes,
			hello.len, NULL).passed);
		frame_build(&f, &answers[i]);
		memcpy(f.bytes, hello.bytes + 6, 6);
		start = now();
		for (int n = 0; n < 100; n++)
			sum += gate_run(&gate, PROGRAM_DOWNLOAD_TC, f.bytes,
				f.len, &shape).passed ? f.ip_len : 0;
		expect("to a client", sum, CAPTIVE_KBPS, 4, start);
	}
}

/* What the box refuses a client that runs is told within the same limit as what
 * it does for it, and then silently. */
static void test_refused_at_the_box(void **state)
{
	struct frame_spec spec = {
		.to = GATE_BOX, UDP, .port = 853, .payload = 72};
	struct frame f;

	frame_build(&f, &spec);
	for (size_t i = 0; i < 2; i++) {
		int count[GH_REASONS] = {0};

		gate_mac(&gate, i ? EXEMPT : RUNNING, f.bytes + 6);
		for (int n = 0; n < 400; n++)
			count[gate_run(&gate, hook_number(i), f.bytes, f.len,
				NULL).reason]++;
		/* 64 bytes each, of 8,000 a second. */
		assert_in_range(count[GH_ANSWER_PROHIBITED], 125, 399);
		assert_int_equal(
			count[GH_ANSWER_PROHIBITED] + count[GH_DROP_INSIDE], 400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_at_the_box),
		cmocka_unit_test(test_one_client),
		cmocka_unit_test(test_all_of_a_network),
		cmocka_unit_test(test_what_the_box_sends),
	};

	return cmocka_run_group_tests(tests, open_gate, close_gate);
}
