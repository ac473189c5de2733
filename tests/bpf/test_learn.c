/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The garden by names: which answers teach which addresses, that the others
 * teach nothing, and what becomes of what was learned. The real programs, in
 * the kernel's test run, and over spoilt answers the same reader compiled here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "datapath/garden.h"
#include "lib/dns.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/mutate.h"

/* clang-format off: behind the others, whose words it gives other meanings */
#include "../host_bpf.h"
#include "../../bpf/dns.h"
/* clang-format on */

#define KEEP	300
#define ADDR	"203.0.113.5"
#define ADDR2	"203.0.113.6"
#define ADDR6	"2001:db8:5::5"
#define NAME	"example.org"
#define BELOW	"*.cdn.example.net"
#define SECOND	1000000000LL

static const char *const names[] = {NAME, BELOW, "*.deep.cdn.example.net"};
static void set_names(
	const char *const *texts, size_t n, uint32_t network, uint32_t keep)
{
	struct garden_entry entries[8] = {{0}};
	struct garden garden = {.entries = entries, .entry_count = n};

	for (size_t i = 0; i < n; i++) {
		entries[i].network = network;
		entries[i].name = texts[i];
	}
	garden.networks[network].keep_sec = keep;
	assert_int_equal(garden_set(gate.dp, &garden), 0);
}

/* Everything that was learned goes with its names. */
static int begin(void **state)
{
	set_names(NULL, 0, GATE_NETWORK, 0);
	set_names(names, ARRAY_SIZE(names), GATE_NETWORK, KEEP);
	return 0;
}

/* What is known of an address; `count` of all of them. */
struct known {
	const char *address;
	int count;
	struct garden_learned found;
};

static int look(void *data, const struct garden_learned *learned)
{
	struct known *known = data;
	char text[IP_TEXT];

	known->count++;
	if (known->address && !strcmp(known->address, ip_format(&learned->addr, text)))
		known->found = *learned;
	return 0;
}

static struct known known_of(const char *address)
{
	struct known known = {.address = address};

	assert_int_equal(garden_each_learned(gate.dp, look, &known), 0);
	return known;
}

static void expect(const char *address, const char *name, int64_t ttl)
{
	struct known known = known_of(address);
	int64_t left = (int64_t)known.found.until_ns - clock_mono_ns();

	assert_string_equal(known.found.name, name);
	assert_int_equal(known.found.network, GATE_NETWORK);
	if (left > ttl * SECOND || left < (ttl - 5) * SECOND)
		fail_msg("%s: %lld s left", address, (long long)(left / SECOND));
}

/* How the box's answer comes, unless a test says so otherwise. */
static const struct frame_spec from_box = {.to = FRAME_HOST4, .from = GATE_BOX,
	.proto = IPPROTO_UDP, .sport = 53, .port = 40000};

static struct gate_result deliver(const struct dns *d, const struct frame_spec *how,
	const struct gate_shape *shape)
{
	struct frame_spec spec = *how;
	struct frame f;
	uint8_t mac[6];

	spec.payload = (uint16_t)d->len;
	frame_build(&f, &spec);
	memcpy(f.bytes + f.len - d->len, d->bytes, d->len);
	gate_mac(&gate, CAPTIVE, mac);
	memcpy(f.bytes, mac, 6);
	return gate_run(&gate, PROGRAM_DOWNLOAD_TC, f.bytes, f.len, shape);
}

/* Whatever it teaches, it is on its way to the client. */
static void answer(const struct dns *d)
{
	struct gate_result got =
		deliver(d, &from_box, &(struct gate_shape){.from = FROM_BOX});

	assert_true(got.passed);
	assert_int_equal(got.reason, GH_PASS_BOX_MADE);
}

static enum gh_reason reach(const char *to, enum standing standing)
{
	struct frame_spec spec = {.to = to, .proto = IPPROTO_UDP, .port = 443,
		.payload = 100};
	struct frame f;
	uint8_t mac[6];

	gate_mac(&gate, standing, mac);
	frame_build(&f, &spec);
	frame_set_source(&f, mac);
	return gate_run(&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, NULL).reason;
}

static enum gh_reason hear(const char *from)
{
	struct dns nothing = {.len = 0};
	struct frame_spec spec = {.to = strchr(from, ':') ? FRAME_HOST6 : FRAME_HOST4,
		.from = from, .proto = IPPROTO_UDP, .sport = 443};

	return deliver(&nothing, &spec, NULL).reason;
}

/* The name of the table is asked for; its address is learned or not. */
static const struct {
	const char *asked;
	const char *entry; /* NULL: it is not in the garden */
} asked[] = {
	{NAME, NAME},
	{"EXAMPLE.Org", NAME},
	{"www.example.org", NULL},
	{"badexample.org", NULL},
	{"example.org.example.com", NULL},
	{"org", NULL},
	{"", NULL},
	{"a.cdn.example.net", BELOW},
	{"x-1._tcp.a.cdn.example.net", BELOW},
	{"cdn.example.net", NULL},
	{"acdn.example.net", NULL},
	{"example.net", NULL},
	{"a.deep.cdn.example.net", "*.deep.cdn.example.net"},
	{"deep.cdn.example.net", BELOW},
	/* Longer than what an entry can be. */
	{"a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	 "h23456789.i23456789.j23456789.k23456789.l23456789.cdn.example.net", BELOW},
	{"a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	 "h23456789.i23456789.j23456789.k23456789.l23456789.m2345678.example.org", NULL},
	/* 255 bytes on the wire: the longest there is. */
	{"a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	 "a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	 "a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789."
	 "h23456789.i23456789.abcdefg.cdn.example.net", BELOW},
	/* A dot in a label is no dot between labels. */
	{"a b.cdn.example.net", NULL},
};

static void test_names(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		struct dns d;

		begin(NULL);
		dns_begin(&d, asked[i].asked);
		dns_address(&d, DNS_ASKED, 900, ADDR);
		answer(&d);
		if (asked[i].entry)
			expect(ADDR, asked[i].entry, 900);
		else if (known_of(NULL).count)
			fail_msg("learned of %s", asked[i].asked);
	}
}

static void test_dots_in_labels(void **state)
{
	struct dns d;

	/* "www.cdn" as one label of seven; and a zero in the place of its dot. */
	for (int c = '.'; c >= 0; c -= '.') {
		dns_begin(&d, "a.cdn_example.net");
		d.bytes[12 + 2 + 1 + 3] = (uint8_t)c;
		dns_address(&d, DNS_ASKED, 900, ADDR);
		answer(&d);
		assert_int_equal(known_of(NULL).count, 0);
	}
}

static void test_whole_answers(void **state)
{
	struct dns d;

	/* A chain of aliases, both families, and what is none of our business. */
	dns_begin(&d, NAME);
	dns_alias(&d, DNS_ASKED, "www.example.com");
	dns_alias(&d, "www.example.com", "edge.example.net");
	dns_address(&d, "edge.example.net", 900, ADDR);
	dns_address(&d, "edge.example.net", 800, ADDR6);
	dns_record(&d, DNS_ASKED, DNS_TXT, 60, "\4text", 5);
	dns_address(&d, DNS_ASKED, 700, ADDR2);
	/* EDNS: an additional record. */
	dns_record(&d, "", 41, 0, "", 0);
	d.bytes[7]--;
	d.bytes[11] = 1;
	answer(&d);
	assert_int_equal(known_of(NULL).count, 3);
	expect(ADDR, NAME, 900);
	expect(ADDR6, NAME, 800);
	expect(ADDR2, NAME, 700);
	/* By IPv6 as well. */
	begin(NULL);
	deliver(&d, &(struct frame_spec){.to = FRAME_HOST6, .from = GATE_BOX6,
			 .proto = IPPROTO_UDP, .sport = 53, .port = 40000},
		&(struct gate_shape){.from = FROM_BOX});
	assert_int_equal(known_of(NULL).count, 3);
}

static void test_times(void **state)
{
	struct dns d;

	/* Not less than the setting, not more than a day, less never. */
	static const struct {
		uint32_t ttl;
		int64_t want;
	} times[] = {{1, KEEP}, {0x80000000, KEEP}, {1000, 1000}, {20, 1000},
		{0x7fffffff, 86400}, {900, 86400}};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		dns_begin(&d, NAME);
		dns_address(&d, DNS_ASKED, times[i].ttl, ADDR);
		answer(&d);
		expect(ADDR, NAME, times[i].want);
	}
}

static void test_more_addresses_than_room(void **state)
{
	struct dns d;
	char text[IP_TEXT];

	dns_begin(&d, NAME);
	for (int i = 1; i <= 60; i++) {
		snprintf(text, sizeof(text), "203.0.113.%d", i);
		dns_address(&d, DNS_ASKED, 900, text);
	}
	answer(&d);
	assert_int_equal(known_of(NULL).count, 32);
	/* One that no Ethernet frame carries is not read. */
	begin(NULL);
	while (d.len <= 2048)
		dns_address(&d, DNS_ASKED, 900, ADDR);
	answer(&d);
	assert_int_equal(known_of(NULL).count, 0);
}

/* Single bytes that make a good answer none. */
static const struct {
	const char *what;
	size_t at;
	uint8_t byte;
} faults[] = {
	{"a query", 2, 0x01},
	{"an update", 2, 0xa8},
	{"a refusal", 3, 0x83},
	{"no question", 5, 0},
	{"two questions", 5, 2},
	{"very many questions", 4, 1},
	{"no answers", 7, 0},
	{"more answers than there are", 7, 4},
	{"thousands of answers", 6, 0x10},
	{"label too short", 12, 6},
	{"label too long", 12, 8},
	{"label of no length", 12, 0},
	{"label of an unknown kind", 12, 0x47},
	{"the question is a pointer", 12, 0xc0},
	{"a letter that is none", 13, '/'},
	{"no end of the name", 12 + 12, 1},
	{"another class of question", 12 + 16, 3},
	{"owner of an unknown kind", 29, 0x80},
	{"owner without an end", 29, 63},
	{"A of another length", 29 + 11, 5},
	{"A that ends behind the answer", 29 + 10, 1},
	{"AAAA of an A's length", 29 + 3, 28},
	{"AAAA that ends early", 29 + 16 + 11, 4},
	{"AAAA that ends late", 29 + 16 + 11, 17},
};

static void good_answer(struct dns *d)
{
	dns_begin(d, NAME);
	dns_address(d, DNS_ASKED, 900, ADDR);
	dns_address(d, DNS_ASKED, 900, ADDR6);
	assert_int_equal(d->len, 29 + 16 + 28);
}

static void test_faults_teach_nothing(void **state)
{
	struct dns good, d;

	good_answer(&good);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		d = good;
		d.bytes[faults[i].at] = faults[i].byte;
		answer(&d);
		if (known_of(NULL).count)
			fail_msg("learned from %s", faults[i].what);
	}
	for (d = good; d.len--;) {
		answer(&d);
		if (known_of(NULL).count)
			fail_msg("learned from %zu bytes", d.len);
	}
	answer(&good);
	assert_int_equal(known_of(NULL).count, 2);
}

static void test_others_teach_nothing(void **state)
{
	static const struct {
		const char *what;
		struct frame_spec spec;
		struct gate_shape shape;
	} rows[] = {
		{"a server outside", {.to = FRAME_HOST4, .from = "198.51.100.7",
			.proto = IPPROTO_UDP, .sport = 53}, {.from = FROM_UPLINK}},
		{"somebody in the box's name", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_UDP, .sport = 53}, {.from = FROM_UPLINK}},
		{"a proxy on the box", {.to = FRAME_HOST4, .from = "198.51.100.7",
			.proto = IPPROTO_UDP, .sport = 53}, {.from = FROM_BOX}},
		{"another network's address", {.to = FRAME_HOST4, .from = "10.78.0.1",
			.proto = IPPROTO_UDP, .sport = 53}, {.from = FROM_BOX}},
		{"a guest", {.to = FRAME_HOST4, .from = "10.77.0.9",
			.proto = IPPROTO_UDP, .sport = 53}, {.from = FROM_BOX}},
		{"mDNS", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_UDP, .sport = 5353}, {.from = FROM_BOX}},
		{"TCP", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_TCP, .sport = 53}, {.from = FROM_BOX}},
		{"a first fragment", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_UDP, .sport = 53, .offset = 0x2000},
			{.from = FROM_BOX}},
		{"a later fragment", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_UDP, .sport = 53, .offset = 1},
			{.from = FROM_BOX}},
		{"the gate", {.to = FRAME_HOST4, .from = GATE_BOX,
			.proto = IPPROTO_TCP, .sport = 53},
			{.from = FROM_HERE, .mark = GH_MARK_ANSWER}},
	};
	struct dns d;

	good_answer(&d);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		deliver(&d, &rows[i].spec, &rows[i].shape);
		if (known_of(NULL).count)
			fail_msg("learned from %s", rows[i].what);
	}
	/* Names of another network. */
	set_names(names, ARRAY_SIZE(names), GATE_NETWORK + 1, KEEP);
	answer(&d);
	assert_int_equal(known_of(NULL).count, 0);
}

static void expire(const char *address)
{
	int map = gate.dp->maps[MAP_GARDEN_LEARNED];
	struct gh_garden_address key = {.network = GATE_NETWORK};
	struct gh_garden_learned learned;
	struct ipaddr addr;

	assert_int_equal(ip_parse(address, &addr), 0);
	memcpy(&key.addr, &addr, sizeof(key.addr));
	assert_int_equal(bpf_map_lookup_elem(map, &key, &learned), 0);
	learned.until_ns = (uint64_t)clock_mono_ns() - SECOND;
	assert_int_equal(bpf_map_update_elem(map, &key, &learned, BPF_EXIST), 0);
}

static void test_what_is_learned_is_garden(void **state)
{
	static const char *const addresses[] = {ADDR, ADDR6};
	struct dns d;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reach(addresses[i], CAPTIVE), GH_ANSWER_PROHIBITED);
		assert_int_equal(hear(addresses[i]), GH_DROP_CAPTIVE);
	}
	good_answer(&d);
	answer(&d);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(reach(addresses[i], CAPTIVE), GH_PASS_GARDEN);
		assert_int_equal(reach(addresses[i], EXPIRED), GH_PASS_GARDEN);
		assert_int_equal(reach(addresses[i], BLOCKED), GH_DROP_BLOCKED);
		assert_int_equal(reach(addresses[i], RUNNING), GH_PASS_CHARGED);
		assert_int_equal(hear(addresses[i]), GH_PASS_GARDEN);
	}
	assert_int_equal(reach(ADDR2, CAPTIVE), GH_ANSWER_PROHIBITED);
	expire(ADDR);
	assert_int_equal(reach(ADDR, CAPTIVE), GH_ANSWER_PROHIBITED);
	assert_int_equal(hear(ADDR), GH_DROP_CAPTIVE);
	assert_int_equal(reach(ADDR6, CAPTIVE), GH_PASS_GARDEN);
	answer(&d);
	assert_int_equal(reach(ADDR, CAPTIVE), GH_PASS_GARDEN);
}

/* Whoever answers for a name may call any address its own. */
static void test_no_name_opens_the_inside(void **state)
{
	static const char *const inside[] = {GATE_BOX, "10.77.0.9", "10.78.7.1",
		"fd77::9"};
	struct dns d;

	dns_begin(&d, NAME);
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		dns_address(&d, DNS_ASKED, 900, inside[i]);
	answer(&d);
	assert_int_equal(known_of(NULL).count, ARRAY_SIZE(inside));
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		assert_int_equal(reach(inside[i], CAPTIVE), GH_ANSWER_PROHIBITED);
}

static void test_changes_are_live(void **state)
{
	static const char *const fewer[] = {"example.com", NAME};
	struct dns d;

	good_answer(&d);
	answer(&d);
	dns_begin(&d, "a.cdn.example.net");
	dns_address(&d, DNS_ASKED, 900, ADDR2);
	answer(&d);
	/* What stays is not forgotten, what goes is, and what is new is none of
	 * these. */
	set_names(fewer, 2, GATE_NETWORK, 1000);
	assert_int_equal(known_of(NULL).count, 2);
	expect(ADDR, NAME, 900);
	assert_int_equal(reach(ADDR, CAPTIVE), GH_PASS_GARDEN);
	assert_int_equal(reach(ADDR2, CAPTIVE), GH_ANSWER_PROHIBITED);
	dns_begin(&d, "example.com");
	dns_address(&d, DNS_ASKED, 1, ADDR2);
	answer(&d);
	expect(ADDR2, "example.com", 1000);
	set_names(fewer, 1, GATE_NETWORK, 1000);
	assert_int_equal(known_of(NULL).count, 1);
	assert_int_equal(reach(ADDR, CAPTIVE), GH_ANSWER_PROHIBITED);
	assert_int_equal(reach(ADDR2, CAPTIVE), GH_PASS_GARDEN);
	/* The same name, of another network. */
	set_names(fewer, 2, GATE_NETWORK + 1, 1000);
	assert_int_equal(known_of(NULL).count, 0);
	assert_int_equal(reach(ADDR2, CAPTIVE), GH_ANSWER_PROHIBITED);
}

/* A good answer, or a chain; then a few bytes of it are anything. */
static void spoilt_answer(struct dns *d)
{
	if (draw(2)) {
		good_answer(d);
	} else {
		dns_begin(d, "a.cdn.example.net");
		dns_alias(d, DNS_ASKED, "edge.example.com");
		dns_address(d, "edge.example.com", draw(2000), ADDR);
		dns_address(d, "edge.example.com", draw(2000), ADDR2);
	}
	for (uint32_t n = draw(4); n; n--)
		d->bytes[draw(draw(2) ? 50 : (uint32_t)d->len)] = (uint8_t)draw(256);
	if (!draw(8))
		d->len = draw((uint32_t)d->len + 1);
}

/* How many addresses the host's reader learns; the kernel must know each. */
static int read_on_host(const struct dns *d)
{
	static struct gh_dns host;
	const struct gh_garden_name *name;
	struct gh_garden_topic topic;
	struct gh_garden_address key = {.network = GATE_NETWORK};
	struct gh_garden_learned learned;
	int count = 0;

	memset(&host, 0, sizeof(host));
	memcpy(host.data, d->bytes, d->len);
	host.len = (uint32_t)d->len;
	name = gh_dns_question(&host, GATE_NETWORK);
	if (!name || bpf_map_lookup_elem(gate.dp->maps[MAP_GARDEN_NAMES], name, &topic))
		return 0;
	for (uint32_t i = 0, n = gh_dns_answers(&host); i < n; i++) {
		key.addr = host.found[i].ip;
		/* The same address twice is found once. */
		if (bpf_map_lookup_elem(gate.dp->maps[MAP_GARDEN_LEARNED], &key, &learned))
			continue;
		assert_int_equal(learned.name, topic.name);
		assert_int_equal(bpf_map_delete_elem(
			gate.dp->maps[MAP_GARDEN_LEARNED], &key), 0);
		count++;
	}
	return count;
}

static void test_host_and_kernel_agree(void **state)
{
	int taught = 0;

	mutate_seed(7);
	for (int i = 0; i < 1500; i++) {
		int known, host;
		struct dns d;

		spoilt_answer(&d);
		answer(&d);
		known = known_of(NULL).count;
		host = read_on_host(&d);
		if (known != host || known_of(NULL).count)
			fail_msg("answer %d: the kernel learned %d, the host %d",
				i, known, host);
		taught += known > 0;
	}
	/* Neither of both for nothing. */
	assert_in_range(taught, 150, 1350);
}

#define TEST(fn) cmocka_unit_test_setup(fn, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_dots_in_labels),
		TEST(test_whole_answers),
		TEST(test_times),
		TEST(test_more_addresses_than_room),
		TEST(test_faults_teach_nothing),
		TEST(test_others_teach_nothing),
		TEST(test_host_and_kernel_agree),
		TEST(test_what_is_learned_is_garden),
		TEST(test_no_name_opens_the_inside),
		TEST(test_changes_are_live),
	};

	return cmocka_run_group_tests(tests, gate_setup, gate_teardown);
}
