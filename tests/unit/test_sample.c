/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets made up for `explain` are ones that a device would send: lengths fit
 * and checksums are right, by sums of our own, for every protocol and family.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "base/ip.h"
#include "daemon/sample.h"

static const struct {
	enum sample_proto proto;
	const char *from, *to;
	size_t len;
	uint8_t number; /* of the protocol; 0: not IP */
} rows[] = {
	{SAMPLE_TCP, "10.77.0.50", "192.0.2.80", 60, 6},
	{SAMPLE_UDP, "10.77.0.50", "192.0.2.80", 62, 17},
	{SAMPLE_ICMP, "10.77.0.50", "192.0.2.80", 62, 1},
	{SAMPLE_TCP, "fd77::50", "2001:db8::80", 74, 6},
	{SAMPLE_UDP, "fd77::50", "2001:db8::80", 82, 17},
	{SAMPLE_ICMP, "fd77::50", "2001:db8::80", 82, 58},
	{SAMPLE_ARP, "10.77.0.50", "10.77.0.1", 60, 0},
};

static void build(size_t row, uint8_t frame[static SAMPLE_MAX], size_t *ret_len)
{
	struct sample s = {.proto = rows[row].proto,
		.src = {{2, 0, 0x5e, 0x10, 0, 1}},
		.dst = {{2, 0, 0, 0, 0, 0xfe}},
		.sport = 40000,
		.dport = 443};

	assert_int_equal(ip_parse(rows[row].from, &s.from), 0);
	assert_int_equal(ip_parse(rows[row].to, &s.to), 0);
	memset(frame, 0xa5, SAMPLE_MAX);
	*ret_len = sample_build(&s, frame);
	assert_memory_equal(frame, s.dst.addr, 6);
	assert_memory_equal(frame + 6, s.src.addr, 6);
}

/* Of 16-bit words, folded: 0xffff when the checksum among them is right. */
static uint32_t add(const uint8_t *at, size_t len, uint32_t sum)
{
	for (; len > 1; at += 2, len -= 2)
		sum += at[0] << 8 | at[1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_ipv4(const uint8_t *ip, uint8_t number)
{
	size_t len = (ip[2] << 8 | ip[3]) - 20;
	uint32_t pseudo = number == 1 ? 0 : add(ip + 12, 8, number + len);

	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[9], number);
	assert_int_equal(add(ip, 20, 0), 0xffff);
	assert_int_equal(add(ip + 20, len, pseudo), 0xffff);
}

static void check_ipv6(const uint8_t *ip, size_t left, uint8_t number)
{
	size_t len = ip[4] << 8 | ip[5];

	assert_int_equal(ip[0], 0x60);
	assert_int_equal(ip[6], number);
	assert_int_equal(len, left - 40);
	assert_int_equal(add(ip + 40, len, add(ip + 8, 32, number + len)), 0xffff);
}

static void test_packets_are_right(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t frame[SAMPLE_MAX];
		size_t len;

		build(i, frame, &len);
		assert_int_equal(len, rows[i].len);
		if (!rows[i].number)
			continue;
		if (strchr(rows[i].from, ':'))
			check_ipv6(frame + 14, len - 14, rows[i].number);
		else
			check_ipv4(frame + 14, rows[i].number);
	}
}

static void test_arp_asks_for_the_address(void **state)
{
	static const uint8_t want[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0x5e,
		0x10, 0, 1, 10, 77, 0, 50, 0, 0, 0, 0, 0, 0, 10, 77, 0, 1, 0};
	uint8_t frame[SAMPLE_MAX];
	size_t len;

	build(6, frame, &len);
	assert_memory_equal(frame + 12, want, sizeof(want));
}

static void test_names_of_protocols(void **state)
{
	enum sample_proto proto;

	for (enum sample_proto p = SAMPLE_TCP; p <= SAMPLE_ARP; p++) {
		assert_int_equal(sample_proto_parse(sample_proto_name(p), &proto), 0);
		assert_int_equal(proto, p);
	}
	assert_true(sample_proto_parse("sctp", &proto) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_are_right),
		cmocka_unit_test(test_arp_asks_for_the_address),
		cmocka_unit_test(test_names_of_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
