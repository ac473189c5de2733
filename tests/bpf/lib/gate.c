/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate under test. Everything goes through the pinned maps and the loaded
 * programs that gatehoused would use; only clients' records are written here
 * directly, because a test wants counters that no traffic has made. One
 * process, one CPU: gate_run() tells what one frame counted by difference.
 */
#include "gate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/garden.h"
#include "datapath/reasons.h"
#include "frame.h"

#define CLIENTS_MAX 1024

#define CODE_XDP_DROP 1
#define CODE_XDP_PASS 2
#define CODE_XDP_TX 3
#define CODE_TC_UNSPEC -1
#define CODE_TC_SHOT 2
#define CODE_TC_REDIRECT 7

static const struct {
	const char *name;
	enum gh_state state;
	enum gh_reason refusal;
} standings[STANDINGS] = {
	[RUNNING] = {"running", GH_STATE_RUNNING, 0},
	[EXEMPT] = {"exempt", GH_STATE_EXEMPT, 0},
	[BLOCKED] = {"blocked", GH_STATE_BLOCKED, GH_DROP_BLOCKED},
	[CLOSED] = {"closed", GH_STATE_CLOSED, GH_DROP_CLOSED},
	[PAUSED] = {"paused", GH_STATE_PAUSED, GH_DROP_PAUSED},
	[HELD] = {"held", GH_STATE_HELD, GH_DROP_HELD},
	[EXPIRED] = {"expired", GH_STATE_RUNNING, GH_DROP_EXPIRED},
	[OVER_QUOTA] = {"over quota", GH_STATE_RUNNING, GH_DROP_QUOTA},
	[ELSEWHERE] = {"elsewhere", GH_STATE_RUNNING, GH_DROP_ELSEWHERE},
	[CAPTIVE] = {"captive", 0, GH_DROP_CAPTIVE},
	[STRANGER] = {"stranger", 0, GH_DROP_CAPTIVE},
};

const char *standing_name(enum standing standing)
{
	return standings[standing].name;
}

enum gh_reason standing_refusal(enum standing standing)
{
	return standings[standing].refusal;
}

void gate_mac(struct gate *g, enum standing standing, uint8_t ret[static 6])
{
	uint32_t n = htonl(standing == STRANGER ? 0x10000 + g->strangers++
						: 1 + standing);

	ret[0] = 0x02;
	ret[1] = 0x10;
	memcpy(ret + 2, &n, sizeof(n));
}

struct gh_policy gate_policy(uint64_t record_id)
{
	return (struct gh_policy){
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.quota_bytes = GH_UNLIMITED,
		.networks = 1 << GATE_NETWORK,
		.record_id = record_id,
		.session = 1,
	};
}

static void put_record(struct gate *g, const uint8_t mac[static 6],
	const struct gh_client *record)
{
	struct gh_mac key = {0};

	memcpy(key.addr, mac, 6);
	assert_int_equal(bpf_map_update_elem(g->dp->maps[MAP_CLIENTS], &key,
				 record, BPF_ANY),
		0);
}

void gate_set_client(struct gate *g, const uint8_t mac[static 6],
	const struct gh_policy *policy)
{
	struct gh_client record = {.policy = *policy};

	put_record(g, mac, &record);
}

struct gh_client gate_client(struct gate *g, const uint8_t mac[static 6])
{
	struct gh_mac key = {0};
	struct gh_client record;

	memcpy(key.addr, mac, 6);
	assert_int_equal(bpf_map_lookup_elem(g->dp->maps[MAP_CLIENTS], &key,
				 &record),
		0);
	return record;
}

static void make_clients(struct gate *g)
{
	for (enum standing s = 0; s < CAPTIVE; s++) {
		struct gh_client record = {.policy = gate_policy(100 + s)};
		uint8_t mac[6];

		record.policy.state = standings[s].state;
		if (s == EXPIRED)
			record.policy.expires_ns = 1;
		if (s == ELSEWHERE)
			record.policy.networks = ~(1ULL << GATE_NETWORK);
		if (s == OVER_QUOTA) {
			record.policy.quota_bytes = 1000;
			record.down.bytes = 1000;
			record.down.exhausted = 1;
		}
		gate_mac(g, s, mac);
		put_record(g, mac, &record);
	}
}

static struct gh_prefix4 rule4(const char *net, const char *mask,
	enum gh_place place, uint16_t port)
{
	return (struct gh_prefix4){
		.net = inet_addr(net),
		.mask = inet_addr(mask),
		.port = htons(port),
		.proto = port ? IPPROTO_TCP : 0,
		.place = place,
	};
}

static struct gh_prefix6 rule6(
	const char *net, int words, enum gh_place place, uint16_t port)
{
	struct gh_prefix6 rule = {
		.mask = {~0ULL, words == 2 ? ~0ULL : 0},
		.port = htons(port),
		.proto = port ? IPPROTO_TCP : 0,
		.place = place,
	};

	assert_int_equal(inet_pton(AF_INET6, net, rule.net), 1);
	return rule;
}

static void describe_network(struct gate *g)
{
	struct gh_network *n = &g->network;

	*n = (struct gh_network){
		.flags = GH_NETWORK_ACTIVE,
		.portal_ports = {htons(80), htons(443)},
		.portal4 = inet_addr(GATE_BOX),
		.resolver4 = inet_addr(GATE_BOX),
		.location4_len = 22,
		.location6_len = 22,
		.location4 = "http://10.77.0.1/?url=",
		.location6 = "http://[fd77::1]/?url=",
	};
	n->prefix4[n->n4++] = rule4(GATE_BOX, "255.255.255.255", GH_PLACE_BOX, 0);
	n->prefix4[n->n4++] = rule4("10.77.0.0", "255.255.255.0", GH_PLACE_LINK, 0);
	n->prefix4[n->n4++] =
		rule4("10.78.0.80", "255.255.255.255", GH_PLACE_REACH, 80);
	n->prefix4[n->n4++] = rule4("10.78.0.0", "255.255.0.0", GH_PLACE_INSIDE, 0);
	n->prefix6[n->n6++] = rule6(GATE_BOX6, 2, GH_PLACE_BOX, 0);
	n->prefix6[n->n6++] = rule6("fe80::1", 2, GH_PLACE_BOX, 0);
	n->prefix6[n->n6++] = rule6("fd77::", 1, GH_PLACE_LINK, 0);
	n->prefix6[n->n6++] = rule6("fd78::80", 2, GH_PLACE_REACH, 80);
	n->prefix6[n->n6++] = rule6("fd78::", 1, GH_PLACE_INSIDE, 0);
	assert_int_equal(inet_pton(AF_INET6, GATE_BOX6, n->portal6), 1);
	memcpy(n->resolver6, n->portal6, sizeof(n->resolver6));
}

void gate_set_network(struct gate *g)
{
	assert_int_equal(
		datapath_network_set(g->dp, GATE_NETWORK, &g->network), 0);
}

void gate_set_garden(struct gate *g, uint32_t kbps, uint32_t network_kbps)
{
	static const char *const texts[] = {"198.51.100.128/25",
		"2001:db8:9::/48", "10.77.0.0/24", "10.78.0.0/16", "fd78::8:0/112"};
	struct garden_entry entries[ARRAY_SIZE(texts)] = {{0}};
	struct garden garden = {
		.networks[GATE_NETWORK] = {kbps, network_kbps, 0},
		.entries = entries,
		.entry_count = ARRAY_SIZE(texts),
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		entries[i].network = GATE_NETWORK;
		assert_int_equal(prefix_parse(texts[i], &entries[i].prefix), 0);
	}
	assert_int_equal(garden_set(g->dp, &garden), 0);
}

void gate_open(struct gate *g)
{
	struct gh_interface interface = {
		.network = GATE_NETWORK, .mac = {2, 0, 0, 0, 0, 0xfe}};
	struct datapath_options options = {.clients_max = CLIENTS_MAX};
	struct datapath_error error;
	int r;

	memset(g, 0, sizeof(*g));
	snprintf(g->pin_dir, sizeof(g->pin_dir), "/sys/fs/bpf/gatehouse-test-%d",
		getpid());
	options.pin_dir = g->pin_dir;
	r = datapath_open(&options, &error, &g->dp);
	if (r < 0)
		fail_msg("open: %s: %s", strerror(-r), error.text);
	describe_network(g);
	gate_set_network(g);
	assert_int_equal(
		datapath_interface_set(g->dp, GATE_LOOPBACK, &interface), 0);
	make_clients(g);
}

void gate_close(struct gate *g)
{
	struct datapath_error error;

	datapath_close(g->dp);
	g->dp = NULL;
	assert_int_equal(datapath_unload(g->pin_dir, &error), 0);
}

struct gate gate;

int gate_setup(void **state)
{
	gate_open(&gate);
	return 0;
}

int gate_teardown(void **state)
{
	gate_close(&gate);
	return 0;
}

/* What the program returned, in words that both kinds of hook share. */
static void judge_code(struct gate_result *result, bool is_xdp)
{
	int pass = is_xdp ? CODE_XDP_PASS : CODE_TC_UNSPEC;
	int drop = is_xdp ? CODE_XDP_DROP : CODE_TC_SHOT;
	int answer = is_xdp ? CODE_XDP_TX : CODE_TC_REDIRECT;

	result->passed = result->code == pass;
	result->dropped = result->code == drop;
	if (!result->passed && !result->dropped && result->code != answer)
		fail_msg("the program returned %d", result->code);
}

/* Which reason was counted since the run before, and how much. */
static void judge_counts(struct gate *g, struct gate_result *result)
{
	struct gh_count now[GH_REASONS];

	assert_int_equal(reasons_read(g->dp, now), 0);
	for (enum gh_reason r = 0; r < GH_REASONS; r++) {
		if (now[r].packets == g->counts[r].packets)
			continue;
		if (result->reason)
			fail_msg("counted both %s and %s",
				reason_name(result->reason), reason_name(r));
		result->reason = r;
		result->packets = now[r].packets - g->counts[r].packets;
		result->bytes = now[r].bytes - g->counts[r].bytes;
	}
	memcpy(g->counts, now, sizeof(now));
}

struct gate_result gate_run(struct gate *g, enum datapath_program program,
	const void *frame, size_t len, const struct gate_shape *shape)
{
	static const uint32_t ingress[] = {[FROM_UPLINK] = GATE_LOOPBACK + 1,
		[FROM_BOX] = 0,
		[FROM_HERE] = GATE_LOOPBACK};
	bool is_xdp = program == PROGRAM_UPLOAD_XDP;
	struct __sk_buff skb = {.ifindex = GATE_LOOPBACK, .ingress_ifindex = ingress[0]};
	struct gate_result result = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		.data_size_in = len, .repeat = 1);

	if (shape) {
		skb.gso_size = shape->gso_size;
		skb.mark = shape->mark;
		skb.ingress_ifindex = ingress[shape->from];
		opts.data_out = shape->answer;
		opts.data_size_out = shape->answer ? FRAME_MAX : 0;
	}
	if (!is_xdp) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	result.error = bpf_prog_test_run_opts(g->dp->programs[program], &opts);
	if (result.error)
		return result;
	result.code = (int)opts.retval;
	result.answer_len = opts.data_size_out;
	judge_code(&result, is_xdp);
	judge_counts(g, &result);
	return result;
}
