/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates of running clients in the real programs: what passes in a second,
 * whatever the CPU and the hook; what is refused is not charged; a change of
 * the rate holds at once; past a fair-use quota the slow rate holds.
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

#include "base/clock.h"
#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/events.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define TOLERANCE_NS (240 * NSEC_PER_MSEC) /* bpf/ratelimit.h */
#define TICKS_NS     (20 * NSEC_PER_MSEC) /* at HZ=100 */

#define FRAME 1000 /* IP bytes of each */

static struct mac mac;
static uint64_t record_id = 5000;

static int open_gate(void **state)
{
	gate_open(&gate);
	gate_mac(&gate, RUNNING, mac.addr);
	return 0;
}

static struct gh_policy begin(int64_t up_kbps, int64_t down_kbps)
{
	struct gh_policy policy = gate_policy(++record_id);

	policy.up_price = datapath_rate_price(up_kbps);
	policy.down_price = datapath_rate_price(down_kbps);
	gate_set_client(&gate, mac.addr, &policy);
	assert_int_equal(reasons_read(gate.dp, gate.counts), 0);
	return policy;
}

static void build(struct frame *f, bool is_down)
{
	struct frame_spec spec = {
		.to = OUT, .proto = 50, .payload = FRAME - 20};

	frame_build(f, &spec);
	memcpy(f->bytes + (is_down ? 0 : 6), mac.addr, 6);
}

static struct gate_result send_one(enum datapath_program program)
{
	struct frame f;

	build(&f, program == PROGRAM_DOWNLOAD_TC);
	return gate_run(&gate, program, f.bytes, f.len, NULL);
}

/* How many in a row pass, of 100. */
static int burst(enum datapath_program program)
{
	int n = 0;

	for (int i = 0; i < 100; i++) {
		struct gate_result got = send_one(program);

		assert_int_equal(got.reason,
			got.passed ? GH_PASS_CHARGED : GH_DROP_RATE);
		n += got.passed;
	}
	return n;
}

struct sender {
	enum datapath_program program;
	int cpu;
	int64_t until_ns;
	uint64_t sent; /* bytes */
	pthread_t thread;
};

static void *send_frames(void *data)
{
	struct sender *s = data;
	struct __sk_buff skb = {.ifindex = GATE_LOOPBACK, .ingress_ifindex = 2};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = 500);
	struct frame f;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	build(&f, s->program == PROGRAM_DOWNLOAD_TC);
	opts.data_in = f.bytes;
	opts.data_size_in = f.len;
	opts.ctx_in = &skb;
	opts.ctx_size_in = sizeof(skb);
	while (clock_mono_ns() < s->until_ns) {
		assert_int_equal(bpf_prog_test_run_opts(
					 gate.dp->programs[s->program], &opts),
			0);
		s->sent += (uint64_t)opts.repeat * FRAME;
	}
	return NULL;
}

/* What `ns` of a rate are, with its tolerance, in bytes; the gate's clock may be
 * two ticks late when it begins. */
static uint64_t bytes_of(int64_t kbps, int64_t ns)
{
	return (uint64_t)((ns + TOLERANCE_NS) / 1000 * kbps /
			  8000);
}

/*
 * Since `start`: never more than the rate; and at least what may pass at once,
 * because a busy machine may let nobody send for as long. That nothing is lost
 * either is seen with real traffic (tests/lab/test_rates.py).
 */
static void assert_rate(
	uint64_t passed, uint64_t sent, int64_t kbps, int64_t start)
{
	uint64_t least = MIN(sent, bytes_of(kbps, 0));

	/* On a busy machine nothing may have been sent. */
	assert_in_range(passed, least > FRAME ? least - FRAME : 0,
		bytes_of(kbps, clock_mono_ns() - start + TICKS_NS) + FRAME);
}

/* From an idle meter: the tolerance, what the burst itself takes, and one that
 * may begin at its end. Returns how many passed. */
static int assert_burst(enum datapath_program program, int64_t kbps)
{
	int64_t start = clock_mono_ns();
	int passed = burst(program);

	assert_in_range(passed, bytes_of(kbps, 0) / FRAME,
		bytes_of(kbps, clock_mono_ns() - start + TICKS_NS) / FRAME + 1);
	return passed;
}

/* All CPUs at once send more than the rate. */
static void test_the_rate_is_one_for_all_cpus(void **state)
{
	static const int64_t rates[] = {1000, 100000, 1000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		int64_t start = clock_mono_ns();
		struct sender senders[] = {
			{.program = PROGRAM_UPLOAD_TC, .cpu = 0},
			{.program = PROGRAM_UPLOAD_TC, .cpu = 1},
			{.program = PROGRAM_DOWNLOAD_TC, .cpu = 2},
			{.program = PROGRAM_UPLOAD_TC, .cpu = 3},
		};
		uint64_t up = 0;
		struct gh_client record;

		begin(rates[i], 2 * rates[i]);
		for (size_t n = 0; n < ARRAY_SIZE(senders); n++) {
			senders[n].until_ns = start + NSEC_PER_SEC / 2;
			pthread_create(&senders[n].thread, NULL, send_frames,
				&senders[n]);
		}
		for (size_t n = 0; n < ARRAY_SIZE(senders); n++)
			pthread_join(senders[n].thread, NULL);
		for (size_t n = 0; n < ARRAY_SIZE(senders); n++)
			if (senders[n].program == PROGRAM_UPLOAD_TC)
				up += senders[n].sent;
		record = gate_client(&gate, mac.addr);
		assert_rate(record.up.bytes, up, rates[i], start);
		assert_rate(record.down.bytes, senders[2].sent, 2 * rates[i],
			start);
	}
}

static void test_a_direction_has_its_own(void **state)
{
	begin(80, 0);
	assert_burst(PROGRAM_UPLOAD_XDP, 80);
	assert_int_equal(burst(PROGRAM_DOWNLOAD_TC), 100);
	begin(0, 160);
	assert_int_equal(burst(PROGRAM_UPLOAD_TC), 100);
	assert_burst(PROGRAM_DOWNLOAD_TC, 160);
}

static void test_what_is_refused_is_not_charged(void **state)
{
	struct gh_client record;
	int passed;

	begin(80, 0);
	passed = burst(PROGRAM_UPLOAD_TC);
	record = gate_client(&gate, mac.addr);
	assert_int_equal(record.up.bytes, passed * FRAME);
	assert_int_equal(record.up.packets, passed);
}

static void test_another_rate_holds_at_once(void **state)
{
	struct gh_policy policy = begin(64, 64);
	int64_t start;

	assert_burst(PROGRAM_UPLOAD_TC, 64);
	/* The same again is no change, and gives no second burst. */
	start = clock_mono_ns();
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_in_range(burst(PROGRAM_UPLOAD_TC), 0,
		1 + (uint64_t)(clock_mono_ns() - start) / 125000000);
	/* Nor does another rate: it begins behind what is booked. */
	start = clock_mono_ns();
	policy.up_price = datapath_rate_price(128);
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_in_range(burst(PROGRAM_UPLOAD_TC), 1,
		2 + (uint64_t)(clock_mono_ns() - start + TICKS_NS) / 62500000);
	policy.up_price = datapath_rate_price(1000000);
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	usleep(2 * TICKS_NS / 1000);
	assert_int_equal(burst(PROGRAM_UPLOAD_TC), 100);
	usleep((TOLERANCE_NS + TICKS_NS) / 1000);
	policy.up_price = datapath_rate_price(80);
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_burst(PROGRAM_UPLOAD_TC, 80);
	policy.up_price = 0;
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_int_equal(burst(PROGRAM_UPLOAD_TC), 100);
}

static int exhausted_events;

static void on_event(void *data, const struct gh_event *event)
{
	exhausted_events += event->type == GH_EVENT_EXHAUSTED &&
			    event->record_id == record_id;
}

static void test_fair_use_goes_on_slowly(void **state)
{
	struct gh_policy policy = begin(0, 0);
	struct gh_client record;
	struct events *events;
	int passed;

	assert_int_equal(events_open(gate.dp, on_event, NULL, &events), 0);
	policy.quota_bytes = 60 * FRAME;
	policy.slow_up_price = datapath_rate_price(80);
	policy.slow_down_price = datapath_rate_price(160);
	gate_set_client(&gate, mac.addr, &policy);
	exhausted_events = 0;
	/* 60 at any speed, up and down together, then the rates. */
	for (int i = 0; i < 30; i++) {
		assert_true(send_one(PROGRAM_DOWNLOAD_TC).passed);
		assert_true(send_one(PROGRAM_UPLOAD_TC).passed);
	}
	passed = 30 + assert_burst(PROGRAM_UPLOAD_TC, 80);
	assert_burst(PROGRAM_DOWNLOAD_TC, 160);
	record = gate_client(&gate, mac.addr);
	assert_int_equal(record.up.bytes, passed * FRAME);
	assert_int_equal(record.up.exhausted + record.down.exhausted, 1);
	assert_true(events_dispatch(events) >= 0);
	assert_int_equal(exhausted_events, 1);
	/* More bytes, and it is as fast as before. */
	policy.quota_bytes += 500 * FRAME;
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_int_equal(burst(PROGRAM_UPLOAD_TC), 100);
	/* Fair use taken away from who is past it: the end. */
	policy.quota_bytes = 60 * FRAME;
	policy.slow_up_price = policy.slow_down_price = 0;
	assert_int_equal(clients_edit(gate.dp, &mac, &policy, NULL), 0);
	assert_int_equal(send_one(PROGRAM_DOWNLOAD_TC).reason, GH_DROP_QUOTA);
	events_close(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rate_is_one_for_all_cpus),
		cmocka_unit_test(test_a_direction_has_its_own),
		cmocka_unit_test(test_what_is_refused_is_not_charged),
		cmocka_unit_test(test_another_rate_holds_at_once),
		cmocka_unit_test(test_fair_use_goes_on_slowly),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
