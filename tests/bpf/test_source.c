/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source check (docs/design.md 4.14) on two networks: an address of the
 * box's prefixes has one owner wherever he is; a link-local one may be on each
 * network, and is somebody else's there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "datapath/bindings.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define OTHER_NETWORK 2

static const uint8_t first[6] = {2, 0, 0, 0, 9, 1};
static const uint8_t second[6] = {2, 0, 0, 0, 9, 2};

/* Where the frames come from. */
static void set_network(uint32_t network)
{
	struct gh_interface interface = {
		.network = network, .mac = {2, 0, 0, 0, 0, 0xfe}};

	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &interface), 0);
}

static int open_gate(void **state)
{
	struct gh_policy policy = gate_policy(900);

	gate_open(&gate);
	gate.network.flags |= GH_NETWORK_CHECK_SOURCE | GH_NETWORK_DROP_SPOOFED;
	gate_set_network(&gate);
	assert_int_equal(
		datapath_network_set(gate.dp, OTHER_NETWORK, &gate.network), 0);
	policy.networks = ~0ULL;
	gate_set_client(&gate, first, &policy);
	policy.record_id++;
	gate_set_client(&gate, second, &policy);
	return 0;
}

static int close_gate(void **state)
{
	gate_close(&gate);
	return 0;
}

static void expect(const uint8_t mac[static 6], const struct frame_spec *spec,
	enum gh_reason want)
{
	static const enum datapath_program hooks[] = {
		PROGRAM_UPLOAD_XDP, PROGRAM_UPLOAD_TC};
	struct frame f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct gate_result got;

		frame_build(&f, spec);
		frame_set_source(&f, mac);
		got = gate_run(&gate, hooks[i], f.bytes, f.len, NULL);
		if (got.reason != want)
			fail_msg("%s: %s, not %s", spec->from,
				reason_name(got.reason), reason_name(want));
	}
}

struct sought {
	struct ipaddr ip;
	int networks[8], count;
};

static int note(void *data, const struct binding *binding)
{
	struct sought *sought = data;

	if (memcmp(binding->ip.addr, sought->ip.addr, 16) == 0)
		sought->networks[sought->count++ % 8] = (int)binding->network;
	return 0;
}

static void test_link_local_on_two_networks(void **state)
{
	const struct frame_spec ns = {.to = "ff02::1:ff00:1",
		.from = "fe80::50", ICMP6, .type = 135, .ttl = 255,
		.payload = 16};
	struct sought sought = {.count = 0};

	set_network(GATE_NETWORK);
	expect(first, &ns, GH_PASS_ND);
	expect(second, &ns, GH_DROP_SPOOFED);
	set_network(OTHER_NETWORK);
	expect(second, &ns, GH_PASS_ND);
	expect(first, &ns, GH_DROP_SPOOFED);
	set_network(GATE_NETWORK);
	expect(first, &ns, GH_PASS_ND);
	/* It is listed as it is. */
	inet_pton(AF_INET6, "fe80::50", sought.ip.addr);
	assert_int_equal(bindings_each(gate.dp, note, &sought), 0);
	assert_int_equal(sought.count, 2);
	assert_int_equal(sought.networks[0] + sought.networks[1],
		GATE_NETWORK + OTHER_NETWORK);
}

static void test_others_have_one_owner(void **state)
{
	const struct frame_spec both[] = {
		{.to = OUT, .from = "10.77.0.60", UDP, .port = 9},
		{.to = OUT6, .from = "fd77::60", UDP, .port = 9},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		set_network(GATE_NETWORK);
		expect(first, &both[i], GH_PASS_CHARGED);
		set_network(OTHER_NETWORK);
		expect(second, &both[i], GH_DROP_SPOOFED);
		expect(first, &both[i], GH_PASS_CHARGED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_local_on_two_networks),
		cmocka_unit_test(test_others_have_one_owner),
	};

	return cmocka_run_group_tests(tests, open_gate, close_gate);
}
