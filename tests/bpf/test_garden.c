/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The garden beyond its verdicts (test_verdict.c): what is counted apart, the
 * limits of one client and of all, and that a change takes effect with the next
 * packet and touches nothing that stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "datapath/garden.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define QUIC UDP, .port = 443
#define PACKET 1000 /* bytes of IP */

static int open_gate(void **state)
{
	gate_open(&gate);
	gate_set_garden(&gate, 0, 0);
	return 0;
}

static struct gate_result send_to(const uint8_t mac[static 6], const char *to)
{
	struct frame_spec spec = {.to = to, QUIC, .payload = PACKET - 28};
	struct frame f;

	frame_build(&f, &spec);
	frame_set_source(&f, mac);
	return gate_run(&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, NULL);
}

static struct gate_result send_from(const uint8_t mac[static 6], const char *from)
{
	struct frame_spec spec = {.to = FRAME_HOST4, .from = from, QUIC,
		.payload = PACKET - 28};
	struct frame f;

	frame_build(&f, &spec);
	memcpy(f.bytes, mac, 6);
	return gate_run(&gate, PROGRAM_DOWNLOAD_TC, f.bytes, f.len, NULL);
}

static int count_sent(const uint8_t mac[static 6], int n)
{
	int passed = 0;

	while (n--) {
		struct gate_result got = send_to(mac, GATE_GARDEN);

		if (!got.passed)
			assert_int_equal(got.reason, GH_DROP_GARDEN);
		passed += got.passed;
	}
	return passed;
}

static void test_bytes_are_counted_apart(void **state)
{
	struct gh_garden_count before, after;
	struct gh_client record;
	uint8_t mac[6];

	assert_int_equal(garden_count(gate.dp, GATE_NETWORK, &before), 0);
	gate_mac(&gate, OVER_QUOTA, mac);
	record = gate_client(&gate, mac);
	for (int i = 0; i < 3; i++)
		assert_int_equal(send_to(mac, GATE_GARDEN).reason, GH_PASS_GARDEN);
	assert_int_equal(send_from(mac, GATE_GARDEN).reason, GH_PASS_GARDEN);
	assert_int_equal(send_from(mac, OUT).reason, GH_DROP_QUOTA);
	assert_int_equal(garden_count(gate.dp, GATE_NETWORK, &after), 0);
	assert_int_equal(after.up_packets - before.up_packets, 3);
	assert_int_equal(after.up_bytes - before.up_bytes, 3 * PACKET);
	assert_int_equal(after.down_packets - before.down_packets, 1);
	assert_int_equal(after.down_bytes - before.down_bytes, PACKET);
	assert_int_equal(gate_client(&gate, mac).up.bytes, record.up.bytes);
	assert_int_equal(gate_client(&gate, mac).down.bytes, record.down.bytes);

	/* Who runs pays for the garden as for the rest. */
	gate_mac(&gate, RUNNING, mac);
	before = after;
	record = gate_client(&gate, mac);
	assert_int_equal(send_to(mac, GATE_GARDEN).reason, GH_PASS_CHARGED);
	assert_int_equal(
		gate_client(&gate, mac).up.bytes - record.up.bytes, PACKET);
	assert_int_equal(garden_count(gate.dp, GATE_NETWORK, &after), 0);
	assert_memory_equal(&after, &before, sizeof(after));
}

/* A second's worth at once, and then no more: 5 packets of 1000 bytes, one more
 * that crosses the line, and what time brings to a slow machine. */
#define KBPS  40
#define LEAST 6
#define MOST  20

static void test_limit_of_a_client(void **state)
{
	static const enum standing who[] = {STRANGER, EXPIRED};

	gate_set_garden(&gate, KBPS, 0);
	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		uint8_t mac[6];
		int passed;

		gate_mac(&gate, who[i], mac);
		passed = count_sent(mac, 100);
		if (passed < LEAST || passed > MOST)
			fail_msg("%s: %d packets", standing_name(who[i]), passed);
		/* Down shares it with up, and DNS has its own. */
		assert_int_equal(
			send_from(mac, GATE_GARDEN).reason, GH_DROP_GARDEN);
	}
	gate_set_garden(&gate, 0, 0);
}

static void test_limit_of_all(void **state)
{
	int passed = 0;

	gate_set_garden(&gate, KBPS, KBPS);
	for (int i = 0; i < 10; i++) {
		uint8_t mac[6];

		gate_mac(&gate, STRANGER, mac);
		passed += count_sent(mac, 30);
	}
	if (passed < LEAST || passed > MOST)
		fail_msg("%d packets", passed);
	gate_set_garden(&gate, 0, 0);
}

static void set_prefixes(const char *const *texts, size_t n, uint32_t network)
{
	struct garden_entry entries[8] = {{0}};
	struct garden garden = {.entries = entries, .entry_count = n};

	for (size_t i = 0; i < n; i++) {
		entries[i].network = network;
		assert_int_equal(prefix_parse(texts[i], &entries[i].prefix), 0);
	}
	assert_int_equal(garden_set(gate.dp, &garden), 0);
}

static void test_changes_are_live(void **state)
{
	static const char *const first[] = {"203.0.113.0/24", "203.0.113.9",
		"198.51.100.0/25", "2001:db8:9::/48"};
	static const char *const second[] = {"203.0.113.9/32", "0.0.0.0/0"};
	uint8_t mac[6];

	gate_mac(&gate, CAPTIVE, mac);
	set_prefixes(first, 4, GATE_NETWORK);
	assert_true(send_to(mac, OUT).passed);
	assert_true(send_to(mac, "203.0.113.8").passed);
	assert_true(send_to(mac, GATE_GARDEN6).passed);
	assert_false(send_to(mac, GATE_GARDEN).passed);
	set_prefixes(first + 1, 2, GATE_NETWORK);
	assert_true(send_to(mac, "203.0.113.9").passed);
	assert_false(send_to(mac, "203.0.113.8").passed);
	assert_false(send_to(mac, GATE_GARDEN6).passed);
	/* All of IPv4, and nothing of IPv6. */
	set_prefixes(second, 2, GATE_NETWORK);
	assert_true(send_to(mac, GATE_GARDEN).passed);
	assert_false(send_to(mac, GATE_GARDEN6).passed);
	/* Another network's. */
	set_prefixes(second, 2, GATE_NETWORK + 1);
	assert_false(send_to(mac, "203.0.113.9").passed);
	set_prefixes(NULL, 0, 0);
	assert_false(send_to(mac, "203.0.113.9").passed);
	gate_set_garden(&gate, 0, 0);
	assert_true(send_to(mac, GATE_GARDEN).passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_counted_apart),
		cmocka_unit_test(test_limit_of_a_client),
		cmocka_unit_test(test_limit_of_all),
		cmocka_unit_test(test_changes_are_live),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
