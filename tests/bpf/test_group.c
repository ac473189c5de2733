/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients share: four of them on as many CPUs, through both hooks and in
 * both directions, never use more of their group than there is, and each
 * byte that passed is in its own record and in the group's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/events.h"
#include "datapath/groups.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define MEMBERS 4

static struct mac macs[MEMBERS];
static uint64_t record_id = 5000;
static uint32_t group = 100;
static struct gh_count before[GH_REASONS];

static int open_gate(void **state)
{
	gate_open(&gate);
	for (int i = 0; i < MEMBERS; i++)
		macs[i] = (struct mac){{0x02, 0x20, 0, 0, 0, (uint8_t)i}};
	return 0;
}

static struct gh_policy group_of(uint64_t quota, int64_t kbps)
{
	return (struct gh_policy){
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.quota_bytes = quota,
		.up_price = datapath_rate_price(kbps),
		.down_price = datapath_rate_price(kbps),
		.record_id = group,
	};
}

/* Another group, and fresh members of it. */
static void begin(uint64_t quota, int64_t kbps, uint64_t own_quota)
{
	struct gh_policy policy;

	group++;
	policy = group_of(quota, kbps);
	assert_int_equal(group_put(gate.dp, group, &policy), 0);
	for (int i = 0; i < MEMBERS; i++) {
		policy = gate_policy(++record_id);
		policy.quota_bytes = own_quota;
		policy.group = group;
		gate_set_client(&gate, macs[i].addr, &policy);
	}
	assert_int_equal(reasons_read(gate.dp, before), 0);
	memcpy(gate.counts, before, sizeof(before));
}

static struct gh_client record_of_group(void)
{
	struct gh_client record;

	assert_int_equal(group_lookup(gate.dp, group, &record), 0);
	return record;
}

static uint64_t bytes_of(const struct gh_client *record)
{
	return record->up.bytes + record->down.bytes;
}

/* What passed, what the members have and what the group has are the same. */
static uint64_t assert_counted(void)
{
	struct gh_client shared = record_of_group();
	struct gh_count now[GH_REASONS];
	uint64_t up = 0, down = 0, packets = 0;

	for (int i = 0; i < MEMBERS; i++) {
		struct gh_client own = gate_client(&gate, macs[i].addr);

		up += own.up.bytes;
		down += own.down.bytes;
		packets += own.up.packets + own.down.packets;
	}
	assert_int_equal(reasons_read(gate.dp, now), 0);
	assert_int_equal(now[GH_PASS_CHARGED].bytes -
				 before[GH_PASS_CHARGED].bytes,
		up + down);
	assert_int_equal(shared.up.bytes, up);
	assert_int_equal(shared.down.bytes, down);
	assert_int_equal(shared.up.packets + shared.down.packets, packets);
	return up + down;
}

/* An ICMP error: never answered, so it stays what it is. */
static struct gate_result send_one(int member, enum datapath_program program,
	uint16_t payload)
{
	struct frame_spec spec = {
		.to = OUT, .proto = IPPROTO_ICMP, .type = 3, .payload = payload};
	struct frame f;

	frame_build(&f, &spec);
	memcpy(f.bytes + (program == PROGRAM_DOWNLOAD_TC ? 0 : 6),
		macs[member].addr, 6);
	return gate_run(&gate, program, f.bytes, f.len, NULL);
}

struct sender {
	int member;
	enum datapath_program program;
	int repeat;
	uint16_t payload;
	pthread_t thread;
	int error;
};

static void *send_frames(void *data)
{
	struct sender *s = data;
	struct frame_spec spec = {.to = OUT, .proto = IPPROTO_ICMP, .type = 3,
		.payload = s->payload};
	struct __sk_buff skb = {.ifindex = GATE_LOOPBACK, .ingress_ifindex = 2};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = s->repeat);
	struct frame f;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->member % sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	frame_build(&f, &spec);
	memcpy(f.bytes + (s->program == PROGRAM_DOWNLOAD_TC ? 0 : 6),
		macs[s->member].addr, 6);
	opts.data_in = f.bytes;
	opts.data_size_in = f.len;
	if (s->program != PROGRAM_UPLOAD_XDP) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	s->error = bpf_prog_test_run_opts(gate.dp->programs[s->program], &opts);
	return NULL;
}

/* All members at once; so many frames each, of another size for each. */
static void send_all(int repeat, uint16_t payload, bool with_xdp)
{
	struct sender senders[MEMBERS] = {
		{.member = 0, .program = PROGRAM_UPLOAD_TC},
		{.member = 1, .program = PROGRAM_DOWNLOAD_TC},
		{.member = 2, .program = PROGRAM_UPLOAD_TC},
		{.member = 3, .program = PROGRAM_UPLOAD_XDP},
	};

	/* Each call costs the kernel two RCU grace periods. */
	if (!with_xdp)
		senders[3].program = PROGRAM_DOWNLOAD_TC;
	for (int i = 0; i < MEMBERS; i++) {
		senders[i].repeat = repeat;
		senders[i].payload = payload + i;
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
					 send_frames, &senders[i]),
			0);
	}
	for (int i = 0; i < MEMBERS; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_int_equal(senders[i].error, 0);
	}
}

static int ends_told;

/* Once for a group, or twice when both directions met the end together. */
static void on_event(void *data, const struct gh_event *event)
{
	ends_told += event->type == GH_EVENT_GROUP_EXHAUSTED &&
		     event->record_id == group &&
		     event->network == GATE_NETWORK;
}

static void take_events(struct events *events)
{
	int n;

	do {
		n = events_dispatch(events);
		assert_true(n >= 0);
	} while (n == EVENTS_BATCH);
}

static void test_a_shared_quota_is_never_exceeded(void **state)
{
	struct events *events;

	assert_int_equal(events_open(gate.dp, on_event, NULL, &events), 0);
	for (uint64_t round = 0; round < 200; round++) {
		uint64_t quota = 60000 + round * 7, used;
		struct gh_client record;

		begin(quota, 0, GH_UNLIMITED);
		send_all(400, (uint16_t)(72 + round), round % 10 == 0);
		used = assert_counted();
		/* Those that do not fit together may all be refused. */
		assert_in_range(used, quota - MEMBERS * (110 + round), quota);
		record = record_of_group();
		assert_true(record.up.exhausted || record.down.exhausted);
		ends_told = 0;
		take_events(events);
		assert_in_range(ends_told, 1, 2);
	}
	events_close(events);
}

/* What a member's own quota refuses is not the group's to pay. */
static void test_own_quotas_hold_as_well(void **state)
{
	for (uint64_t round = 0; round < 100; round++) {
		uint64_t own = 9000 + round * 7;

		begin(GH_UNLIMITED - round % 2, 0, own);
		send_all(200, 72, round % 10 == 0);
		assert_counted();
		for (int i = 0; i < MEMBERS; i++) {
			struct gh_client record =
				gate_client(&gate, macs[i].addr);

			assert_in_range(bytes_of(&record), own - 200, own);
		}
	}
}

static void test_every_byte_is_in_both(void **state)
{
	begin(GH_UNLIMITED, 0, GH_UNLIMITED);
	send_all(20000, 72, true);
	assert_int_equal(assert_counted(), 20000 * (100 + 101 + 102 + 103));
}

/* 1,000 bytes at 64 kbit/s take 125 ms; not quite two of them are given in
 * advance, to all together. */
static void test_a_shared_rate(void **state)
{
	static const enum datapath_program up[] = {
		PROGRAM_UPLOAD_XDP, PROGRAM_UPLOAD_TC};
	uint64_t passed = 0;

	begin(GH_UNLIMITED, 64, GH_UNLIMITED);
	for (int i = 0; i < 100; i++) {
		struct gate_result got = send_one(i % MEMBERS, up[i % 2], 972);

		passed += got.reason == GH_PASS_CHARGED;
		if (got.reason != GH_PASS_CHARGED)
			assert_int_equal(got.reason, GH_DROP_GROUP_RATE);
	}
	assert_in_range(passed, 2, 20);
	/* The other direction has a meter of its own. */
	assert_int_equal(send_one(0, PROGRAM_DOWNLOAD_TC, 972).reason,
		GH_PASS_CHARGED);
	assert_counted();
}

/* A voucher of fair use that several share: past the bytes, slowly. */
static void test_shared_fair_use(void **state)
{
	struct gh_policy policy;
	struct events *events;
	int passed = 0;

	begin(GH_UNLIMITED, 0, GH_UNLIMITED);
	policy = group_of(10000, 0);
	policy.slow_up_price = policy.slow_down_price = datapath_rate_price(64);
	assert_int_equal(group_put(gate.dp, group, &policy), 0);
	assert_int_equal(events_open(gate.dp, on_event, NULL, &events), 0);
	ends_told = 0;
	for (int i = 0; i < 10; i++)
		assert_int_equal(
			send_one(i % MEMBERS, PROGRAM_UPLOAD_TC, 972).reason,
			GH_PASS_CHARGED);
	for (int i = 0; i < 100; i++)
		passed += send_one(i % MEMBERS, PROGRAM_UPLOAD_TC, 972).passed;
	assert_in_range(passed, 2, 20);
	assert_int_equal(send_one(0, PROGRAM_UPLOAD_XDP, 972).reason,
		GH_DROP_GROUP_RATE);
	take_events(events);
	assert_int_equal(ends_told, 1);
	assert_counted();
	events_close(events);
}

static void test_live_edits(void **state)
{
	struct gh_policy policy;
	struct gh_client record;

	begin(1000, 0, GH_UNLIMITED);
	assert_int_equal(
		send_one(0, PROGRAM_UPLOAD_TC, 872).reason, GH_PASS_CHARGED);
	assert_int_equal(send_one(1, PROGRAM_DOWNLOAD_TC, 872).reason,
		GH_DROP_GROUP_QUOTA);
	/* From then on its members are told, as whoever is at the own end. */
	assert_int_equal(
		send_one(2, PROGRAM_UPLOAD_XDP, 0).reason, GH_DROP_CAPTIVE);
	assert_int_equal(send_one(2, PROGRAM_DOWNLOAD_TC, 0).reason,
		GH_DROP_GROUP_QUOTA);
	/* The same quota again opens nothing; more does, and counts on. */
	policy = group_of(1000, 0);
	assert_int_equal(group_put(gate.dp, group, &policy), 0);
	assert_int_equal(send_one(2, PROGRAM_DOWNLOAD_TC, 0).reason,
		GH_DROP_GROUP_QUOTA);
	policy = group_of(1900, 0);
	assert_int_equal(group_put(gate.dp, group, &policy), 0);
	assert_int_equal(send_one(1, PROGRAM_DOWNLOAD_TC, 872).reason,
		GH_PASS_CHARGED);
	record = record_of_group();
	assert_int_equal(record.up.bytes, 900);
	assert_int_equal(record.down.bytes, 900);
	/* Another group's record is not written. */
	policy.record_id++;
	assert_int_equal(group_put(gate.dp, group, &policy), -ESTALE);
	assert_counted();
}

static void test_who_is_in_none(void **state)
{
	struct gh_policy policy;

	begin(100, 0, GH_UNLIMITED);
	policy = gate_policy(++record_id);
	gate_set_client(&gate, macs[0].addr, &policy);
	policy.record_id = ++record_id;
	policy.state = GH_STATE_EXEMPT;
	policy.group = group;
	gate_set_client(&gate, macs[1].addr, &policy);
	assert_int_equal(
		send_one(0, PROGRAM_UPLOAD_TC, 872).reason, GH_PASS_CHARGED);
	assert_int_equal(
		send_one(1, PROGRAM_UPLOAD_TC, 872).reason, GH_PASS_EXEMPT);
	assert_int_equal(send_one(2, PROGRAM_UPLOAD_TC, 872).reason,
		GH_DROP_GROUP_QUOTA);
	/* A group that is not there lets nobody pass. */
	assert_int_equal(group_remove(gate.dp, group), 0);
	assert_int_equal(group_remove(gate.dp, group), 0);
	assert_int_equal(
		send_one(3, PROGRAM_DOWNLOAD_TC, 72).reason, GH_DROP_ERROR);
	assert_int_equal(
		send_one(3, PROGRAM_UPLOAD_TC, 72).reason, GH_DROP_CAPTIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shared_quota_is_never_exceeded),
		cmocka_unit_test(test_own_quotas_hold_as_well),
		cmocka_unit_test(test_every_byte_is_in_both),
		cmocka_unit_test(test_a_shared_rate),
		cmocka_unit_test(test_shared_fair_use),
		cmocka_unit_test(test_live_edits),
		cmocka_unit_test(test_who_is_in_none),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
