/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two devices with one MAC, through both upload programs: two systems by their
 * SYNs, IPv4 and IPv6, with tags and without; and two networks. What is told,
 * who is dropped, and what tells nothing. tests/unit/test_twin.c has the rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/events.h"
#include "datapath/twins.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define OPTIONS	 20
#define ELSEWHERE_NUMBER 2 /* another network */

struct os {
	uint8_t ttl;
	const char *options; /* OPTIONS bytes; NULL: none */
	const char *text;
};
static const struct os linux_system = {64,
	"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07",
	"ttl 64: mss 1460, sack, timestamps, scale 7"};
static const struct os windows_system = {128,
	"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02\0\0\0\0\0\0\0\0",
	"ttl 128: mss 1460, scale 8, sack"};
/* Options that are none: it has 20 bytes, and the first says 200. */
static const struct os broken_system = {64,
	"\x02\xc8\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07", ""};
static const struct os bare_system = {64, NULL, ""};

static const enum datapath_program hooks[] = {PROGRAM_UPLOAD_XDP, PROGRAM_UPLOAD_TC};

static struct mac mac = {{0x02, 0x30, 0, 0, 0, 0}};
static int told[GH_EVENT_TYPES];

static void on_event(void *data, const struct gh_event *event)
{
	assert_memory_equal(event->mac.addr, mac.addr, sizeof(mac.addr));
	told[event->type]++;
}

/* What was told since the last time. */
static int events_of(enum gh_event_type type)
{
	struct events *events;

	memset(told, 0, sizeof(told));
	assert_int_equal(events_open(gate.dp, on_event, NULL, &events), 0);
	while (events_dispatch(events) > 0)
		;
	events_close(events);
	return told[type];
}

/* A client that nobody has heard yet. */
static void begin(bool drop)
{
	struct gh_policy policy;

	mac.addr[5]++;
	policy = gate_policy(9000 + mac.addr[5]);
	policy.networks = ~0ULL;
	gate.network.flags &= ~(unsigned int)GH_NETWORK_DROP_TWINS;
	if (drop)
		gate.network.flags |= GH_NETWORK_DROP_TWINS;
	gate_set_network(&gate);
	assert_int_equal(datapath_network_set(gate.dp, ELSEWHERE_NUMBER, &gate.network), 0);
	gate_set_client(&gate, mac.addr, &policy);
	events_of(0);
}

static enum gh_reason send_syn(enum datapath_program hook, const char *to,
	uint8_t tags, const struct os *os)
{
	struct frame_spec spec = {.to = to, .proto = IPPROTO_TCP, .port = 443,
		.ttl = os->ttl, .tags = tags,
		.payload = os->options ? OPTIONS : 0,
		.doff = os->options ? 5 + OPTIONS / 4 : 0};
	struct frame f;

	frame_build(&f, &spec);
	if (os->options)
		memcpy(f.bytes + f.len - OPTIONS, os->options, OPTIONS);
	frame_set_source(&f, mac.addr);
	return gate_run(&gate, hook, f.bytes, f.len, NULL).reason;
}

static void assert_systems(bool is_v6)
{
	char first[TWINS_SYSTEM], second[TWINS_SYSTEM];
	struct gh_twin twin;

	assert_int_equal(twins_lookup(gate.dp, &mac, &twin), 0);
	twins_system_format(&twin.systems[is_v6].first, first);
	twins_system_format(&twin.systems[is_v6].last, second);
	assert_string_equal(first, linux_system.text);
	assert_string_equal(second, windows_system.text);
}

static void run_two_systems(enum datapath_program hook, const char *to, uint8_t tags)
{
	bool is_v6 = strchr(to, ':') != NULL;

	begin(true);
	assert_int_equal(send_syn(hook, to, tags, &linux_system), GH_PASS_CHARGED);
	assert_int_equal(send_syn(hook, to, tags, &windows_system), GH_PASS_CHARGED);
	assert_int_equal(send_syn(hook, to, tags, &linux_system), GH_PASS_CHARGED);
	assert_int_equal(events_of(GH_EVENT_TWO_SYSTEMS), 0);
	/* The second return: now it is told, and the second one kept out. */
	assert_int_equal(send_syn(hook, to, tags, &windows_system), GH_DROP_TWIN);
	assert_int_equal(events_of(GH_EVENT_TWO_SYSTEMS), 1);
	assert_systems(is_v6);
	assert_int_equal(send_syn(hook, to, tags, &windows_system), GH_DROP_TWIN);
	assert_int_equal(send_syn(hook, to, tags, &linux_system), GH_PASS_CHARGED);
}

static void test_two_systems(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		for (uint8_t tags = 0; tags <= 2; tags++) {
			run_two_systems(hooks[i], "198.51.100.7", tags);
			run_two_systems(hooks[i], "2001:db8::7", tags);
		}
}

/* What says nothing of a system makes no second one of it. */
static void test_one_system(void **state)
{
	static const struct os near = {9, NULL, ""};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		begin(true);
		for (int round = 0; round < 4; round++) {
			send_syn(hooks[i], "198.51.100.7", 0, &linux_system);
			send_syn(hooks[i], "198.51.100.7", 0, &bare_system);
			send_syn(hooks[i], "198.51.100.7", 0, &broken_system);
			send_syn(hooks[i], "198.51.100.7", 0, &near);
		}
		assert_int_equal(events_of(GH_EVENT_TWO_SYSTEMS), 0);
		assert_int_equal(send_syn(hooks[i], "198.51.100.7", 0, &linux_system),
			GH_PASS_CHARGED);
	}
}

/* Where a test run's frames come from is another network from now on. */
static void move_to(uint32_t network)
{
	struct gh_interface interface = {
		.network = network, .mac = {2, 0, 0, 0, 0, 0xfe}};

	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &interface), 0);
}

static enum gh_reason send_udp(enum datapath_program hook, uint32_t network)
{
	struct frame_spec spec = {.to = "198.51.100.7", .proto = IPPROTO_UDP, .port = 9};
	struct frame f;

	move_to(network);
	frame_build(&f, &spec);
	frame_set_source(&f, mac.addr);
	return gate_run(&gate, hook, f.bytes, f.len, NULL).reason;
}

static void run_two_networks(enum datapath_program hook, bool drop)
{
	enum gh_reason second = GH_PASS_CHARGED;
	int rounds;

	begin(drop);
	/* Four returns, a quarter of a second and more apart. */
	for (rounds = 0; rounds < 20 && !events_of(GH_EVENT_TWO_NETWORKS); rounds++) {
		assert_int_equal(send_udp(hook, GATE_NETWORK), GH_PASS_CHARGED);
		usleep(150 * 1000);
		second = send_udp(hook, ELSEWHERE_NUMBER);
		usleep(150 * 1000);
	}
	assert_in_range(rounds, 2, 19);
	assert_int_equal(send_udp(hook, GATE_NETWORK), GH_PASS_CHARGED);
	second = send_udp(hook, ELSEWHERE_NUMBER);
	assert_int_equal(second, drop ? GH_DROP_TWIN : GH_PASS_CHARGED);
	move_to(GATE_NETWORK);
}

static void test_two_networks(void **state)
{
	run_two_networks(PROGRAM_UPLOAD_XDP, false);
	run_two_networks(PROGRAM_UPLOAD_TC, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_systems),
		cmocka_unit_test(test_one_system),
		cmocka_unit_test(test_two_networks),
	};

	return cmocka_run_group_tests(tests, gate_setup, gate_teardown);
}
