/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting under fire: two CPUs send up and down at once while policies
 * change. Every byte that passed is in the record, none more; a quota is never
 * exceeded by one; no packet meets half of an edit; a record that goes takes
 * its last count with it. And what one super-packet costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/events.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

static struct mac mac;
static uint64_t record_id = 1000;

static int open_gate(void **state)
{
	gate_open(&gate);
	gate_mac(&gate, RUNNING, mac.addr);
	return 0;
}

/* A fresh record: another id, zero counters. */
static struct gh_policy begin(uint64_t quota)
{
	struct gh_policy policy = gate_policy(++record_id);

	policy.quota_bytes = quota;
	gate_set_client(&gate, mac.addr, &policy);
	assert_int_equal(reasons_read(gate.dp, gate.counts), 0);
	return policy;
}

/*
 * What one thread sends: one frame, again and again; an ICMP error, because
 * those are never answered and so stay what they are. XDP in few calls: to
 * repeat it costs the kernel two RCU grace periods each time.
 */
struct sender {
	enum datapath_program program;
	int cpu;
	int repeat; /* frames at a time */
	int times;  /* 0: until `stop` */
	uint16_t payload;
	atomic_bool *stop;
	pthread_t thread;
	int error;
};

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *send_frames(void *data)
{
	struct sender *s = data;
	bool is_down = s->program == PROGRAM_DOWNLOAD_TC;
	struct frame_spec spec = {
		.to = OUT, .proto = IPPROTO_ICMP, .type = 3, .payload = s->payload};
	struct __sk_buff skb = {.ifindex = GATE_LOOPBACK, .ingress_ifindex = 2};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = s->repeat);
	struct frame f;

	pin_to(s->cpu);
	frame_build(&f, &spec);
	memcpy(f.bytes + (is_down ? 0 : 6), mac.addr, 6);
	opts.data_in = f.bytes;
	opts.data_size_in = f.len;
	if (s->program != PROGRAM_UPLOAD_XDP) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	for (int i = 0; s->times ? i < s->times : !atomic_load(s->stop); i++)
		s->error = s->error ?: bpf_prog_test_run_opts(
			gate.dp->programs[s->program], &opts);
	return NULL;
}

static void start(struct sender *senders, size_t n, atomic_bool *stop)
{
	for (size_t i = 0; i < n; i++) {
		senders[i].stop = stop;
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
					 send_frames, &senders[i]),
			0);
	}
}

static void await(struct sender *senders, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_int_equal(senders[i].error, 0);
	}
}

/* What passed since begin(), as the reasons say; independent of records. */
static struct gh_count passed(void)
{
	struct gh_count now[GH_REASONS];

	assert_int_equal(reasons_read(gate.dp, now), 0);
	return (struct gh_count){
		.packets = now[GH_PASS_CHARGED].packets -
			   gate.counts[GH_PASS_CHARGED].packets,
		.bytes = now[GH_PASS_CHARGED].bytes -
			 gate.counts[GH_PASS_CHARGED].bytes,
	};
}

static void assert_counted(const struct gh_client *record)
{
	struct gh_count all = passed();

	assert_int_equal(record->up.bytes + record->down.bytes, all.bytes);
	assert_int_equal(record->up.packets + record->down.packets, all.packets);
}

static void test_every_byte_is_counted(void **state)
{
	static const enum datapath_program pairs[][2] = {
		{PROGRAM_UPLOAD_XDP, PROGRAM_DOWNLOAD_TC},
		{PROGRAM_UPLOAD_TC, PROGRAM_UPLOAD_TC},
		{PROGRAM_DOWNLOAD_TC, PROGRAM_DOWNLOAD_TC},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct sender senders[] = {
			{pairs[i][0], 0, 50000, 2, .payload = 72},
			{pairs[i][1], 1, 50000, 2, .payload = 972},
		};
		struct gh_client record;

		/* With a quota far away: both ways of counting. */
		begin(i == 1 ? GH_UNLIMITED : GH_QUOTA_BYTES);
		start(senders, 2, NULL);
		await(senders, 2);
		record = gate_client(&gate, mac.addr);
		assert_counted(&record);
		assert_int_equal(record.up.bytes + record.down.bytes,
			100000 * 100 + 100000 * 1000);
	}
}

static int exhausted_events;

static void on_event(void *data, const struct gh_event *event)
{
	exhausted_events += event->type == GH_EVENT_EXHAUSTED &&
			    event->record_id == record_id;
}

static void test_a_quota_is_never_exceeded(void **state)
{
	struct events *events;

	assert_int_equal(events_open(gate.dp, on_event, NULL, &events), 0);
	for (uint64_t round = 0; round < 300; round++) {
		struct sender senders[] = {
			{PROGRAM_UPLOAD_TC, 0, 400, 1, .payload = 72},
			{PROGRAM_DOWNLOAD_TC, 1, 400, 1, .payload = 72 + round},
		};
		uint64_t quota = 30000 + round * 7, used;
		struct gh_client record;

		if (round % 3 == 0)
			senders[1].program = PROGRAM_UPLOAD_TC;
		if (round % 30 == 0)
			senders[0].program = PROGRAM_UPLOAD_XDP;
		begin(quota);
		exhausted_events = 0;
		start(senders, 2, NULL);
		await(senders, 2);
		record = gate_client(&gate, mac.addr);
		assert_counted(&record);
		used = record.up.bytes + record.down.bytes;
		/* Two that do not fit together may both be refused. */
		assert_in_range(used, quota - 200 - round, quota);
		assert_true(record.up.exhausted || record.down.exhausted);
		assert_true(events_dispatch(events) >= 0);
		/* Once; twice when both directions met the end together. */
		assert_in_range(exhausted_events, 1, 2);
	}
	events_close(events);
}

/* Only one direction counts; the other one passes until that is used up. */
static void test_a_quota_of_one_direction(void **state)
{
	for (int up = 0; up <= 1; up++) {
		uint64_t quota = (up ? GH_QUOTA_UP : GH_QUOTA_DOWN) | 30050;
		struct sender senders[] = {
			{up ? PROGRAM_DOWNLOAD_TC : PROGRAM_UPLOAD_TC, 0, 1000, 1,
				.payload = 972},
			{up ? PROGRAM_UPLOAD_TC : PROGRAM_DOWNLOAD_TC, 1, 200, 1,
				.payload = 72},
			{up ? PROGRAM_UPLOAD_XDP : PROGRAM_DOWNLOAD_TC, 0, 200, 1,
				.payload = 72},
		};
		struct gh_policy policy = begin(quota);
		const struct gh_half *counts, *free;
		struct gh_client record;

		start(senders, 1, NULL);
		await(senders, 1);
		start(senders + 1, 2, NULL);
		await(senders + 1, 2);
		record = gate_client(&gate, mac.addr);
		assert_counted(&record);
		counts = up ? &record.up : &record.down;
		free = up ? &record.down : &record.up;
		assert_int_equal(free->bytes, 1000 * 1000);
		assert_in_range(counts->bytes, 29900, 30000);
		assert_true(counts->exhausted);
		/* Then nothing passes, either way. */
		start(senders, 1, NULL);
		await(senders, 1);
		record = gate_client(&gate, mac.addr);
		assert_int_equal(free->bytes, 1000 * 1000);
		assert_counted(&record);
		/* And with slow prices, of next to nothing, it goes on. */
		policy.slow_up_price = policy.slow_down_price = 1;
		assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
		start(senders, 1, NULL);
		await(senders, 1);
		record = gate_client(&gate, mac.addr);
		assert_int_equal(free->bytes, 2 * 1000 * 1000);
	}
}

static void test_the_first_refusal_closes(void **state)
{
	struct frame_spec big = {.to = OUT, .proto = 50, .payload = 500};
	struct frame_spec small = {.to = OUT, .proto = 50};
	struct gh_policy policy = begin(530);
	struct gate_result got;
	struct gh_client record;
	struct frame f;

	/* 520 of 530, then 520 more are too many, then 20 might fit. */
	frame_build(&f, &big);
	memcpy(f.bytes + 6, mac.addr, 6);
	got = gate_run(&gate, PROGRAM_UPLOAD_XDP, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_PASS_CHARGED);
	got = gate_run(&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_DROP_QUOTA);
	frame_build(&f, &small);
	memcpy(f.bytes + 6, mac.addr, 6);
	got = gate_run(&gate, PROGRAM_UPLOAD_XDP, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_ANSWER_PROHIBITED);
	/* Another edit with the same quota changes nothing; a higher one does. */
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	got = gate_run(&gate, PROGRAM_UPLOAD_XDP, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_ANSWER_PROHIBITED);
	policy.quota_bytes = 540;
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, &record), 0);
	assert_int_equal(record.up.bytes, 520);
	got = gate_run(&gate, PROGRAM_UPLOAD_XDP, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_PASS_CHARGED);
	got = gate_run(&gate, PROGRAM_UPLOAD_XDP, f.bytes, f.len, NULL);
	assert_int_equal(got.reason, GH_DROP_QUOTA);
}

/* Each policy of a pair forbids, for another reason; half of one and half of
 * the other would allow. */
static void test_an_edit_is_seen_whole(void **state)
{
	static const struct {
		struct gh_policy a, b;
	} pairs[] = {
		{{.state = GH_STATE_RUNNING, .networks = ~0ULL, .expires_ns = 1},
			{.state = GH_STATE_PAUSED, .networks = ~0ULL,
				.expires_ns = GH_NEVER}},
		{{.state = GH_STATE_RUNNING, .networks = ~0ULL, .expires_ns = 1},
			{.state = GH_STATE_EXEMPT, .expires_ns = GH_NEVER}},
		{{.state = GH_STATE_RUNNING, .networks = ~0ULL,
			 .expires_ns = GH_NEVER, .quota_bytes = 1},
			{.state = GH_STATE_HELD, .networks = ~0ULL,
				.quota_bytes = GH_UNLIMITED}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		atomic_bool stop = false;
		struct sender senders[] = {
			{PROGRAM_UPLOAD_TC, 0, 500, .payload = 72},
			{PROGRAM_DOWNLOAD_TC, 1, 500, .payload = 72},
		};
		struct gh_policy a = pairs[i].a, b = pairs[i].b;

		begin(GH_UNLIMITED);
		a.record_id = b.record_id = record_id;
		gate_set_client(&gate, mac.addr, &a);
		start(senders, 2, &stop);
		for (int n = 0; n < 100000; n++)
			assert_int_equal(clients_edit(gate.dp, &mac,
						 n % 2 ? &a : &b, NULL),
				0);
		atomic_store(&stop, true);
		await(senders, 2);
		assert_int_equal(passed().packets, 0);
	}
}

/* At most one packet of each sender. */
#define UNDER_WAY 300

static void test_topping_up_loses_nothing(void **state)
{
	atomic_bool stop = false;
	struct sender senders[] = {
		{PROGRAM_UPLOAD_TC, 0, 50, .payload = 72},
		{PROGRAM_DOWNLOAD_TC, 1, 50, .payload = 172},
	};
	struct gh_policy policy = begin(0);
	struct gh_client record = {0};
	uint64_t up = 0, down = 0;
	bool went_back = false, went_over = false;

	start(senders, 2, &stop);
	for (int n = 0; n < 20000; n++) {
		policy.quota_bytes += 1000;
		assert_int_equal(
			clients_edit(gate.dp, &mac, &policy, &record), 0);
		/* A packet under way may be counted and not yet taken back. */
		went_back |= record.up.bytes + UNDER_WAY < up ||
			     record.down.bytes + UNDER_WAY < down;
		up = record.up.bytes;
		down = record.down.bytes;
		went_over |= up + down > policy.quota_bytes + UNDER_WAY;
	}
	/* However busy the machine is, they use all of it. */
	for (int n = 0; n < 6000 && up + down + UNDER_WAY < policy.quota_bytes;
		n++) {
		usleep(10000);
		record = gate_client(&gate, mac.addr);
		up = record.up.bytes;
		down = record.down.bytes;
	}
	atomic_store(&stop, true);
	await(senders, 2);
	assert_false(went_back || went_over);
	record = gate_client(&gate, mac.addr);
	assert_counted(&record);
	assert_in_range(record.up.bytes + record.down.bytes,
		policy.quota_bytes - UNDER_WAY, policy.quota_bytes);
}

static void test_removing_takes_the_last_count(void **state)
{
	for (int n = 0; n < 20; n++) {
		atomic_bool stop = false;
		struct sender senders[] = {
			{PROGRAM_UPLOAD_TC, 0, 100, .payload = 72},
			{PROGRAM_DOWNLOAD_TC, 1, 100, .payload = 72},
		};
		struct client row = {.mac = mac};

		begin(GH_UNLIMITED);
		row.record.policy.record_id = record_id;
		start(senders, 2, &stop);
		usleep(2000);
		assert_int_equal(clients_remove(gate.dp, &row, 1), 0);
		atomic_store(&stop, true);
		await(senders, 2);
		assert_int_equal(row.record.policy.record_id, record_id);
		assert_counted(&row.record);
	}
}

/* Wire packets and IP bytes of a super-packet: each segment has the headers. */
static void test_super_packets_cost_what_they_become(void **state)
{
	static const struct {
		struct frame_spec frame;
		uint32_t gso_size;
		uint32_t packets, bytes;
	} rows[] = {
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 1448}, 0, 1, 1488},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 1448}, 1448, 1, 1488},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 1449}, 1448, 2, 1529},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 2896}, 1448, 2, 2976},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 3000}, 500, 6, 3240},
		{{.to = OUT6, .proto = IPPROTO_TCP, .payload = 2900}, 1440, 3, 3080},
		{{.to = OUT, .proto = IPPROTO_UDP, .payload = 2500}, 1200, 3, 2584},
		{{.to = OUT6, .proto = IPPROTO_UDP, .payload = 2500}, 1200, 3, 2644},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 2000, .tags = 1}, 1000,
			2, 2080},
		{{.to = OUT, .proto = IPPROTO_TCP, .payload = 2000, .options = 4},
			1000, 2, 2088},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gate_shape shape = {.gso_size = rows[i].gso_size};
		struct gate_result got;
		struct frame f;

		begin(GH_UNLIMITED);
		frame_build(&f, &rows[i].frame);
		memcpy(f.bytes + 6, mac.addr, 6);
		got = gate_run(
			&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, &shape);
		assert_int_equal(got.error, 0);
		assert_int_equal(got.reason, GH_PASS_CHARGED);
		if (got.bytes != rows[i].bytes || got.packets != rows[i].packets)
			fail_msg("row %zu: %d bytes in %d packets", i,
				(int)got.bytes, (int)got.packets);
		assert_int_equal(
			gate_client(&gate, mac.addr).up.bytes, got.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_is_counted),
		cmocka_unit_test(test_a_quota_is_never_exceeded),
		cmocka_unit_test(test_a_quota_of_one_direction),
		cmocka_unit_test(test_the_first_refusal_closes),
		cmocka_unit_test(test_an_edit_is_seen_whole),
		cmocka_unit_test(test_topping_up_loses_nothing),
		cmocka_unit_test(test_removing_takes_the_last_count),
		cmocka_unit_test(test_super_packets_cost_what_they_become),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
