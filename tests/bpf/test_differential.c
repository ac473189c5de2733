/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision as this compiler makes it and as the kernel runs it: the same
 * headers (parse.h, measure.h, policy.h) compiled for the host judge random
 * and spoilt frames, and the kernel's test run of the real programs must come
 * to the same reason, packets and bytes at each hook; for frames that the
 * responder would answer, the parsed packet must be the same to the byte.
 *
 * FRAMES in the environment says how many (default 100,000), an argument is
 * the seed. The responder itself is left out here: fuzz_redirect and
 * test_redirect have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/mutate.h"

/* clang-format off: in this order */
#include "../host_bpf.h"
#include "../../bpf/parse.h"
#include "../../bpf/measure.h"
#include "../../bpf/policy.h"
/* clang-format on */

#define FRAMES_DEFAULT 100000
#define FRAME_BYTES 3000 /* what a test run takes as one linear buffer */
#define COMPARE_ALL 1000 /* frames between comparisons of all counters */
#define BOX_MAC 0xfe0000000002ULL

enum hook { HOOK_XDP, HOOK_TC, HOOK_DOWN, HOOKS };

static const struct {
	const char *name;
	enum datapath_program program;
	int passed, dropped;
} hooks[] = {
	[HOOK_XDP] = {"xdp", PROGRAM_UPLOAD_XDP, 2, 1},
	[HOOK_TC] = {"tc", PROGRAM_UPLOAD_TC, -1, 2},
	[HOOK_DOWN] = {"download", PROGRAM_DOWNLOAD_TC, -1, 2},
};

/* bpf/maps.h, which does not compile here. */
struct question {
	struct gh_pkt pkt;
	enum gh_reason reason;
	__u32 network;
	__u32 packets, bytes;
};

/* A frame as it is sent. */
struct trial {
	struct frame frame;
	enum hook hook;
	uint32_t gso_size;
	bool from_box; /* download */
};

/* What comes of it. */
struct outcome {
	enum gh_reason reason;
	uint32_t packets, bytes;
	struct gh_pkt pkt;
};

static uint64_t seed = 20261121;
static int question_fd, cpus;
static uint8_t macs[CAPTIVE + 1][6];
static struct gh_policy policies[CAPTIVE];
static struct gh_count expected[GH_REASONS], *per_cpu;
static struct question *questions;

static int open_map(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", gate.pin_dir, name);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	return fd;
}

/* Without a responder what it is asked stays in `question`. */
static void remove_responder(const char *slot)
{
	uint32_t zero = 0;
	int fd = open_map(slot);

	assert_int_equal(bpf_map_delete_elem(fd, &zero), 0);
	close(fd);
}

static int open_gate(void **state)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
	gate_open(&gate);
	remove_responder("responder_xdp");
	remove_responder("responder_tc");
	question_fd = open_map("question");
	cpus = libbpf_num_possible_cpus();
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	questions = calloc(cpus, sizeof(*questions));
	for (enum standing s = 0; s <= CAPTIVE; s++) {
		gate_mac(&gate, s, macs[s]);
		if (s < CAPTIVE)
			policies[s] = gate_client(&gate, macs[s]).policy;
	}
	return 0;
}

static int close_gate(void **state)
{
	close(question_fd);
	free(per_cpu);
	free(questions);
	gate_close(&gate);
	return 0;
}

/* The host's side. */

/* What the record of this MAC grants; without one it is a captive's. */
static int host_standing(uint64_t mac, struct gh_grant *grant)
{
	*grant = (struct gh_grant){.state = GH_STATE_CLOSED};
	for (enum standing s = 0; s < CAPTIVE; s++) {
		if (memcmp(&mac, macs[s], 6) != 0)
			continue;
		gh_grant_read(&policies[s], grant);
		return s == OVER_QUOTA
			       ? GH_DROP_QUOTA
			       : gh_refusal(grant, GATE_NETWORK, 1000);
	}
	return GH_DROP_CAPTIVE;
}

/* In a buffer of its own, so that nothing behind its end is readable. */
static struct outcome judge_on_host(const struct trial *t)
{
	size_t len = t->frame.len;
	uint8_t *data = malloc(len);
	struct outcome out = {0};
	struct gh_frame f = {.pkt = &out.pkt, .net = &gate.network,
		.box_mac = BOX_MAC, .network = GATE_NETWORK, .bytes = len,
		.segments = 1};
	struct gh_grant grant;
	int refusal;

	memcpy(data, t->frame.bytes, len);
	f.fault = gh_parse(data, data + len, &out.pkt, 0);
	if (!f.fault)
		f.fault = gh_measure(&f, len, t->gso_size);
	free(data);
	if (t->hook == HOOK_DOWN) {
		refusal = host_standing(out.pkt.dst, &grant);
		out.reason = gh_decide_down(&out.pkt, f.fault, f.net,
			t->from_box ? GH_MAKER_BOX : GH_MAKER_OTHER,
			grant.state, refusal)
				     .reason;
	} else {
		refusal = host_standing(out.pkt.src, &grant);
		out.reason = gh_decide_up(&out.pkt, f.fault, f.net, f.box_mac,
			grant.state, refusal)
				     .reason;
	}
	out.packets = f.segments;
	out.bytes = f.bytes;
	return out;
}

/* The kernel's side. */

static void show(const struct trial *t)
{
	for (size_t i = 0; i < MIN(t->frame.len, 160); i++)
		print_error("%02x%s", t->frame.bytes[i], i % 16 == 15 ? "\n" : " ");
	print_error("(%zu bytes, gso %u, seed %llu)\n", t->frame.len,
		t->gso_size, (unsigned long long)seed);
}

static bool run(const struct trial *t, int *ret_code)
{
	struct __sk_buff skb = {.ifindex = GATE_LOOPBACK,
		.ingress_ifindex = t->from_box ? 0 : GATE_LOOPBACK + 1,
		.gso_size = t->gso_size};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->frame.bytes,
		.data_size_in = t->frame.len, .repeat = 1);

	if (t->hook != HOOK_XDP) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	if (bpf_prog_test_run_opts(
		    gate.dp->programs[hooks[t->hook].program], &opts) < 0) {
		/* Some kernels make no skb of half an IP header. */
		if (errno == EINVAL && t->hook != HOOK_XDP)
			return false;
		show(t);
		fail_msg("test run: %d", errno);
	}
	*ret_code = (int)opts.retval;
	return true;
}

/* The counter of a reason now, over all CPUs. */
static struct gh_count count_of(enum gh_reason reason)
{
	struct gh_count sum = {0};
	uint32_t key = reason;

	assert_int_equal(bpf_map_lookup_elem(gate.dp->maps[MAP_REASONS], &key,
				 per_cpu),
		0);
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum.packets += per_cpu[cpu].packets;
		sum.bytes += per_cpu[cpu].bytes;
	}
	return sum;
}

/* What the responder was asked, on the CPU that this process stays on. */
static bool was_asked(const struct outcome *want)
{
	const struct question *q = &questions[0];
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(question_fd, &zero, questions), 0);
	return q->reason == want->reason && q->packets == want->packets &&
	       q->bytes == want->bytes &&
	       !memcmp(&q->pkt, &want->pkt, sizeof(want->pkt));
}

static bool is_answer(enum gh_reason reason)
{
	return reason >= GH_ANSWERS && reason < GH_DROPS;
}

static void compare(const struct trial *t, const struct outcome *want, int code)
{
	bool asked = is_answer(want->reason);
	enum gh_reason counted = asked ? GH_DROP_ERROR : want->reason;
	bool passes = counted < GH_ANSWERS;
	struct gh_count now = count_of(counted);

	expected[counted].packets += want->packets;
	expected[counted].bytes += want->bytes;
	if (code == (passes ? hooks[t->hook].passed : hooks[t->hook].dropped) &&
		now.packets == expected[counted].packets &&
		now.bytes == expected[counted].bytes && (!asked || was_asked(want)))
		return;
	show(t);
	for (int r = 0; r < GH_REASONS; r++) {
		struct gh_count is = count_of(r);

		if (is.packets != expected[r].packets ||
			is.bytes != expected[r].bytes)
			print_error("%s: %lld packets, %lld bytes more than on the "
				    "host\n",
				reason_name(r),
				(long long)(is.packets - expected[r].packets),
				(long long)(is.bytes - expected[r].bytes));
	}
	fail_msg("%s: host says %s; the kernel returned %d", hooks[t->hook].name,
		reason_name(want->reason), code);
}

/* Whatever was counted beside the reasons that were looked at. */
static void compare_all(void)
{
	for (int r = 0; r < GH_REASONS; r++) {
		struct gh_count now = count_of(r);

		if (now.packets != expected[r].packets ||
			now.bytes != expected[r].bytes)
			fail_msg("%s was counted by frames of other reasons",
				reason_name(r));
	}
}

/* Frames. */

static void set_mac(uint8_t *at)
{
	/* Now and then whatever the frame came to: nobody's, or a group's. */
	if (draw(16))
		memcpy(at, macs[draw(CAPTIVE + 1)], 6);
}

static void draw_trial(struct trial *t)
{
	struct frame_spec spec;
	uint8_t mac[6];

	if (draw(8)) {
		mutate_draw(&spec);
		frame_build(&t->frame, &spec);
		memcpy(mac, macs[draw(CAPTIVE + 1)], 6);
		/* Before it is spoilt, so that ARP and ND may be honest. */
		frame_set_source(&t->frame, mac);
		mutate_spoil(&t->frame);
		if (draw(4))
			memcpy(t->frame.bytes + 6, mac, 6);
	} else {
		mutate_bytes(&t->frame, 1500);
		set_mac(t->frame.bytes + 6);
	}
	t->frame.len = MIN(t->frame.len, (size_t)FRAME_BYTES);
	t->gso_size = 0;
	t->from_box = draw(4) == 0;
}

static void turn_round(struct frame *f)
{
	memcpy(f->bytes, f->bytes + 6, 6);
	memcpy(f->bytes + 6, (const uint8_t[]){2, 0, 0, 0, 0, 0xfe}, 6);
}

static size_t try_hooks(struct trial *t)
{
	size_t runs = 0;
	int code;

	for (t->hook = 0; t->hook < HOOKS; t->hook++) {
		struct outcome want;

		/* Super-packets are of TCP or UDP, and never reach XDP. */
		t->gso_size = t->hook != HOOK_XDP && t->frame.len > 200 && !draw(8)
				      ? 1 + draw(t->frame.len)
				      : 0;
		if (t->hook == HOOK_DOWN)
			turn_round(&t->frame);
		if (!run(t, &code))
			continue;
		want = judge_on_host(t);
		compare(t, &want, code);
		runs++;
	}
	return runs;
}

static void test_host_and_kernel_agree(void **state)
{
	const char *text = getenv("FRAMES");
	size_t n = text && *text ? strtoul(text, NULL, 10) : FRAMES_DEFAULT;
	size_t runs = 0, seen = 0;
	static struct trial t;

	mutate_seed(seed);
	for (size_t i = 0; i < n; i++) {
		draw_trial(&t);
		runs += try_hooks(&t);
		if (i % COMPARE_ALL == 0)
			compare_all();
	}
	compare_all();
	for (int r = 0; r < GH_REASONS; r++)
		seen += expected[r].packets > 0;
	print_message("%zu frames, %zu runs, %zu reasons\n", n, runs, seen);
	/* The generator must not have gone blind. */
	assert_true(n < FRAMES_DEFAULT || seen > 25);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_and_kernel_agree),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, open_gate, close_gate);
}
