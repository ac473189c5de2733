/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest may reach (G8), as written into a network's record: rules in
 * their order, told by walking them as the kernel does. Addresses of the box
 * are given as text; nothing of this machine is read.
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

#include "base/util.h"
#include "daemon/network_record.h"

static struct config config;
static struct config_network *const network = &config.networks[0];
static struct box_address addresses[GH_PREFIXES_MAX + 16];
static size_t address_n;
static struct gh_network record;

static void address(enum address_owner owner, const char *text)
{
	struct box_address *a = &addresses[address_n++];

	a->owner = owner;
	assert_int_equal(prefix_parse(text, &a->prefix), 0);
}

static void reach(const char *prefix, uint16_t port, uint8_t proto)
{
	struct config_reach *ret = &network->reach[network->reach_count++];

	assert_int_equal(prefix_parse(prefix, &ret->prefix), 0);
	ret->port = port;
	ret->proto = proto;
}

/* A cafe: guests on 10.7/24, an office, an uplink behind a home router. */
static int setup(void **state)
{
	memset(&config, 0, sizeof(config));
	memset(&record, 0, sizeof(record));
	address_n = 0;
	config.network_count = 1;
	config.portal_http_port = 80;
	config.portal_https_port = 443;
	snprintf(network->name, sizeof(network->name), "guest");
	network->number = 1;
	network->isolate = true;
	network->captive_kbps = 8;
	network->network_kbps = 1024;
	network->box_kbps = 64;
	ip_parse("10.7.0.1", &network->portal4);
	ip_parse("fd77::1", &network->portal6);
	address(ADDRESS_OWNER_SELF, "10.7.0.1/24");
	address(ADDRESS_OWNER_SELF, "fd77::1/64");
	address(ADDRESS_OWNER_SELF, "fe80::1/64");
	address(ADDRESS_OWNER_GUEST, "10.8.0.1/24");
	address(ADDRESS_OWNER_OTHER, "127.0.0.1/8");
	address(ADDRESS_OWNER_OTHER, "192.168.1.50/24");
	address(ADDRESS_OWNER_OTHER, "203.0.113.9/29");
	address(ADDRESS_OWNER_OTHER, "2001:db8:5::50/64");
	return 0;
}

static int make(void)
{
	return network_record_make(&config, network, addresses, address_n, &record);
}

static enum gh_place place4(uint32_t dst, uint8_t proto, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < record.n4; i++) {
		const struct gh_prefix4 *p = &record.prefix4[i];

		if ((dst & p->mask) == p->net &&
			(!p->proto || p->proto == proto) &&
			(!p->port || p->port == htons(port)))
			return p->place;
	}
	return GH_PLACE_OUTSIDE;
}

static enum gh_place place6(const uint64_t dst[2], uint8_t proto, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < record.n6; i++) {
		const struct gh_prefix6 *p = &record.prefix6[i];

		if ((dst[0] & p->mask[0]) == p->net[0] &&
			(dst[1] & p->mask[1]) == p->net[1] &&
			(!p->proto || p->proto == proto) &&
			(!p->port || p->port == htons(port)))
			return p->place;
	}
	return GH_PLACE_OUTSIDE;
}

struct address_case {
	const char *dst;
	uint8_t proto;
	uint16_t port;
	enum gh_place want;
};

static void check(const struct address_case *cases, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct address_case *c = &cases[i];
		enum gh_place got;
		struct ipaddr addr;
		uint64_t halves[2];

		assert_int_equal(ip_parse(c->dst, &addr), 0);
		memcpy(halves, addr.addr, sizeof(halves));
		got = ip_is_v4(&addr) ? place4(ip_v4(&addr), c->proto, c->port)
				      : place6(halves, c->proto, c->port);
		if (got != c->want)
			fail_msg("%s proto %u port %u: got %d, want %d", c->dst,
				c->proto, c->port, got, c->want);
	}
}

static void test_own_other_and_outside(void **state)
{
	static const struct address_case cases[] = {
		{"10.7.0.1", 0, 0, GH_PLACE_BOX},
		{"fd77::1", 0, 0, GH_PLACE_BOX},
		{"fe80::1", 0, 0, GH_PLACE_BOX},
		{"10.7.0.2", 0, 0, GH_PLACE_LINK},
		{"10.7.0.255", 0, 0, GH_PLACE_LINK},
		{"fd77::2", 0, 0, GH_PLACE_LINK},
		{"fe80::2", 0, 0, GH_PLACE_LINK},
		{"10.8.0.1", 0, 0, GH_PLACE_INSIDE},
		{"10.8.0.77", 0, 0, GH_PLACE_INSIDE},
		{"127.0.0.53", 0, 0, GH_PLACE_INSIDE},
		{"0.0.0.0", 0, 0, GH_PLACE_INSIDE},
		{"::1", 0, 0, GH_PLACE_INSIDE},
		{"192.168.1.50", 0, 0, GH_PLACE_INSIDE},
		{"203.0.113.9", 0, 0, GH_PLACE_INSIDE},
		{"2001:db8:5::50", 0, 0, GH_PLACE_INSIDE},
		/* The box answers to these as well. */
		{"192.168.1.255", 0, 0, GH_PLACE_INSIDE},
		{"203.0.113.15", 0, 0, GH_PLACE_INSIDE},
		{"2001:db8:5::", 0, 0, GH_PLACE_INSIDE},
		/* Without block_private the uplink's neighbours are outside. */
		{"192.168.1.1", 0, 0, GH_PLACE_OUTSIDE},
		{"203.0.113.10", 0, 0, GH_PLACE_OUTSIDE},
		{"2001:db8:5::1", 0, 0, GH_PLACE_OUTSIDE},
		{"10.9.0.1", 0, 0, GH_PLACE_OUTSIDE},
		{"1.1.1.1", 0, 0, GH_PLACE_OUTSIDE},
		{"2606:4700::1", 0, 0, GH_PLACE_OUTSIDE},
	};

	assert_int_equal(make(), 0);
	check(cases, ARRAY_SIZE(cases));
}

static void test_block_private(void **state)
{
	static const struct address_case cases[] = {
		{"10.7.0.1", 0, 0, GH_PLACE_BOX},
		{"192.168.1.1", 0, 0, GH_PLACE_INSIDE},
		{"10.9.0.1", 0, 0, GH_PLACE_INSIDE},
		{"172.31.255.255", 0, 0, GH_PLACE_INSIDE},
		{"172.32.0.0", 0, 0, GH_PLACE_OUTSIDE},
		{"169.254.169.254", 0, 0, GH_PLACE_INSIDE},
		{"100.127.0.1", 0, 0, GH_PLACE_INSIDE},
		{"100.128.0.1", 0, 0, GH_PLACE_OUTSIDE},
		{"fd00::1", 0, 0, GH_PLACE_INSIDE},
		{"2001:db8:5::1", 0, 0, GH_PLACE_INSIDE},
		{"2001:db8:6::1", 0, 0, GH_PLACE_OUTSIDE},
		{"203.0.113.10", 0, 0, GH_PLACE_INSIDE},
		{"203.0.113.16", 0, 0, GH_PLACE_OUTSIDE},
	};

	network->block_private = true;
	assert_int_equal(make(), 0);
	check(cases, ARRAY_SIZE(cases));
}

static void test_reach_comes_first_and_only_its_port(void **state)
{
	static const struct address_case cases[] = {
		{"10.8.0.20", IPPROTO_TCP, 631, GH_PLACE_REACH},
		{"10.8.0.20", IPPROTO_UDP, 631, GH_PLACE_INSIDE},
		{"10.8.0.20", IPPROTO_TCP, 22, GH_PLACE_INSIDE},
		{"10.8.0.21", IPPROTO_TCP, 631, GH_PLACE_INSIDE},
		{"10.7.0.1", IPPROTO_TCP, 8443, GH_PLACE_REACH},
		{"10.7.0.1", IPPROTO_TCP, 80, GH_PLACE_BOX},
		{"fd88::5", IPPROTO_ICMPV6, 0, GH_PLACE_REACH},
	};

	reach("10.8.0.20/32", 631, IPPROTO_TCP);
	reach("10.7.0.1", 8443, IPPROTO_TCP);
	reach("fd88::/16", 0, 0);
	network->block_private = true;
	assert_int_equal(make(), 0);
	check(cases, ARRAY_SIZE(cases));
}

/* T2: where operators log in is reached by who is online, and only there. */
static void test_operators_where_they_may(void **state)
{
	static const struct address_case none[] = {
		{"10.7.0.1", IPPROTO_TCP, 8080, GH_PLACE_BOX},
		{"fd77::1", IPPROTO_TCP, 8080, GH_PLACE_BOX},
	};
	static const struct address_case some[] = {
		{"10.7.0.1", IPPROTO_TCP, 8080, GH_PLACE_REACH},
		{"fd77::1", IPPROTO_TCP, 8080, GH_PLACE_REACH},
		{"10.7.0.1", IPPROTO_TCP, 8443, GH_PLACE_BOX},
		{"10.7.0.1", IPPROTO_UDP, 8080, GH_PLACE_BOX},
		{"10.7.0.1", IPPROTO_TCP, 22, GH_PLACE_BOX},
		{"10.8.0.1", IPPROTO_TCP, 8080, GH_PLACE_INSIDE},
	};

	config.operator_http_port = 8080;
	config.operator_https_port = 8443;
	assert_int_equal(make(), 0);
	check(none, ARRAY_SIZE(none));
	network->operators = true;
	assert_int_equal(make(), 0);
	check(some, ARRAY_SIZE(some));
}

static void test_covered_rules_are_left_out(void **state)
{
	char text[32];
	int i;

	/* 50 private addresses of the box need one rule, 10/8. */
	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "10.200.%d.1/24", i);
		address(ADDRESS_OWNER_OTHER, text);
	}
	network->block_private = true;
	assert_int_equal(make(), 0);
	assert_in_range(record.n4, 1, 12);
}

static void others(int count)
{
	char text[32];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "198.18.%d.1/24", i);
		address(ADDRESS_OWNER_GUEST, text);
	}
}

static void test_as_many_networks_as_the_file_takes(void **state)
{
	others(CONFIG_NETWORKS_MAX - 1);
	while (network->reach_count < CONFIG_REACH_MAX)
		reach("10.1.1.1", 80, IPPROTO_TCP);
	assert_int_equal(make(), 0);
}

static void test_too_many_rules_is_an_error(void **state)
{
	others(GH_PREFIXES_MAX);
	record.flags = 0x5a;
	assert_int_equal(make(), -E2BIG);
	assert_int_equal(record.flags, 0x5a);
}

static void test_redirect_text(void **state)
{
	static const char *const v4 = "http://10.7.0.1/?url=";
	static const char *const v6 = "http://[fd77::1]:8080/?url=";
	static const char *const name = "http://wifi.example:8080/?url=";

	assert_int_equal(make(), 0);
	assert_int_equal(record.location4_len, strlen(v4));
	assert_memory_equal(record.location4, v4, strlen(v4));
	assert_int_equal(record.portal_ports[0], htons(80));
	assert_int_equal(record.portal_ports[1], 0);

	config.portal_http_port = 8080;
	snprintf(config.tls_cert, sizeof(config.tls_cert), "/etc/cert.pem");
	assert_int_equal(make(), 0);
	assert_int_equal(record.location6_len, strlen(v6));
	assert_memory_equal(record.location6, v6, strlen(v6));
	assert_int_equal(record.portal_ports[1], htons(443));

	snprintf(config.portal_name, sizeof(config.portal_name), "wifi.example");
	assert_int_equal(make(), 0);
	assert_int_equal(record.location4_len, strlen(name));
	assert_memory_equal(record.location4, name, strlen(name));
	assert_memory_equal(record.location6, name, strlen(name));

	memset(config.portal_name, 'a', 200);
	assert_int_equal(make(), -ENAMETOOLONG);
}

static void test_family_without_portal_has_no_redirect(void **state)
{
	memset(&network->portal6, 0, sizeof(network->portal6));
	assert_int_equal(make(), 0);
	assert_int_equal(record.location6_len, 0);
	assert_int_not_equal(record.location4_len, 0);
	assert_int_equal(record.flags, GH_NETWORK_ACTIVE);
}

/* What the link's broadcast address gets goes to the box as well. */
static void test_guests_who_may_meet(void **state)
{
	static const struct address_case cases[] = {
		{"10.7.0.77", 0, 0, GH_PLACE_LINK},
		{"10.7.0.255", 0, 0, GH_PLACE_BOX},
		{"fd77::", 0, 0, GH_PLACE_BOX},
		{"fd77::77", 0, 0, GH_PLACE_LINK},
		{"10.8.0.255", 0, 0, GH_PLACE_INSIDE},
	};

	network->isolate = false;
	assert_int_equal(make(), 0);
	assert_int_equal(record.flags, GH_NETWORK_ACTIVE | GH_NETWORK_MEET);
	check(cases, ARRAY_SIZE(cases));
}

static void test_resolver(void **state)
{
	struct in6_addr v6;

	network->steer_dns = true;
	assert_int_equal(make(), 0);
	assert_int_equal(record.resolver4, inet_addr("10.7.0.1"));
	assert_memory_equal(record.resolver6, network->portal6.addr, 16);
	ip_parse("192.0.2.53", &network->resolver4);
	ip_parse("2001:db8::53", &network->resolver6);
	assert_int_equal(make(), 0);
	assert_int_equal(record.resolver4, inet_addr("192.0.2.53"));
	inet_pton(AF_INET6, "2001:db8::53", &v6);
	assert_memory_equal(record.resolver6, &v6, 16);
	network->steer_dns = false;
	assert_int_equal(make(), 0);
	assert_int_equal(record.resolver4, 0);
	memset(&v6, 0, sizeof(v6));
	assert_memory_equal(record.resolver6, &v6, 16);
}

/* A family without a portal has no resolver of the box's. */
static void test_resolver_of_one_family(void **state)
{
	struct in6_addr none = {0};

	network->steer_dns = true;
	memset(&network->portal6, 0, sizeof(network->portal6));
	assert_int_equal(make(), 0);
	assert_int_equal(record.resolver4, inet_addr("10.7.0.1"));
	assert_memory_equal(record.resolver6, &none, 16);
}

static void test_prices(void **state)
{
	assert_int_equal(make(), 0);
	/* 8 kbit/s: a byte each millisecond. */
	assert_int_equal(record.captive_price, 1000000ULL << 15);
	assert_int_equal(record.box_price, 125000ULL << 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_own_other_and_outside, setup),
		cmocka_unit_test_setup(test_block_private, setup),
		cmocka_unit_test_setup(
			test_reach_comes_first_and_only_its_port, setup),
		cmocka_unit_test_setup(test_operators_where_they_may, setup),
		cmocka_unit_test_setup(test_covered_rules_are_left_out, setup),
		cmocka_unit_test_setup(
			test_as_many_networks_as_the_file_takes, setup),
		cmocka_unit_test_setup(test_too_many_rules_is_an_error, setup),
		cmocka_unit_test_setup(test_redirect_text, setup),
		cmocka_unit_test_setup(
			test_family_without_portal_has_no_redirect, setup),
		cmocka_unit_test_setup(test_guests_who_may_meet, setup),
		cmocka_unit_test_setup(test_resolver, setup),
		cmocka_unit_test_setup(test_resolver_of_one_family, setup),
		cmocka_unit_test_setup(test_prices, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
