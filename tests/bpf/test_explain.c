/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `explain` says what the gate does, and does nothing: for clients in each
 * standing its reason is the one that the real hooks count for the same frame,
 * and it leaves no trace in any map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/explain.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

static const struct frame_spec specs[] = {
	{.to = OUT, TCP, .port = 80},
	{.to = OUT, TCP, .port = 443},
	{.to = OUT, UDP, .port = 443, .payload = 300},
	{.to = "2001:db8::7", TCP, .port = 80},
	{.to = GATE_BOX, UDP, .port = 53},
	{.to = GATE_BOX, TCP, .port = 22},
	{.to = GATE_BOX6, .proto = IPPROTO_ICMPV6, .type = 128},
	{.ethertype = 0x0806, .payload = 28},
	{.to = OUT, UDP, .port = 9, .offset = 0x2000},
	{.to = OUT, UDP, .claim = 9},
};

static const struct {
	enum explain_hook hook;
	enum datapath_program program;
} hooks[] = {
	{EXPLAIN_UP_XDP, PROGRAM_UPLOAD_XDP},
	{EXPLAIN_UP_TC, PROGRAM_UPLOAD_TC},
	{EXPLAIN_DOWN, PROGRAM_DOWNLOAD_TC},
};

static struct explain *explain;

static int close_gate(void **state)
{
	explain_free(explain);
	gate_close(&gate);
	return 0;
}

static void ask(size_t h, const struct frame *f, const uint8_t mac[static 6],
	struct explain_verdict *ret_verdict)
{
	struct explain_question question = {
		.hook = hooks[h].hook,
		.ifindex = GATE_LOOPBACK,
		.from_ifindex = hooks[h].hook == EXPLAIN_DOWN ? 2 : 0,
		.frame = f->bytes,
		.len = f->len,
	};
	struct datapath_error err;
	int ret;

	memcpy(question.client.addr, mac, 6);
	ret = explain_frame(gate.dp, &explain, &question, ret_verdict, &err);
	if (ret)
		fail_msg("%s: %s", strerror(-ret), err.text);
}

/* The frame of a client, or the same one on its way to it. */
static void build(struct frame *f, size_t spec, size_t h,
	const uint8_t mac[static 6])
{
	frame_build(f, &specs[spec]);
	frame_set_source(f, mac);
	if (hooks[h].hook == EXPLAIN_DOWN) {
		memcpy(f->bytes + 6, f->bytes, 6);
		memcpy(f->bytes, mac, 6);
	}
}

static void test_reasons_are_those_of_the_hooks(void **state)
{
	for (enum standing s = 0; s < STANDINGS; s++)
		for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
			for (size_t h = 0; h < ARRAY_SIZE(hooks); h++) {
				struct explain_verdict verdict;
				struct gate_result got;
				struct frame f;
				uint8_t mac[6];

				gate_mac(&gate, s, mac);
				build(&f, i, h, mac);
				ask(h, &f, mac, &verdict);
				got = gate_run(&gate, hooks[h].program, f.bytes,
					f.len, NULL);
				assert_int_equal(got.error, 0);
				if (verdict.reason != got.reason)
					fail_msg("frame %zu, %s, hook %zu: %s, not %s",
						i, standing_name(s), h,
						reason_name(verdict.reason),
						reason_name(got.reason));
				assert_int_equal(verdict.charged,
					got.reason == GH_PASS_CHARGED ||
							got.reason == GH_PASS_EXEMPT
						? got.bytes
						: 0);
			}
}

static void test_it_leaves_no_trace(void **state)
{
	struct gh_count before[GH_REASONS], after[GH_REASONS];
	struct gh_client was, is;
	struct explain_verdict verdict;
	struct gh_captive captive;
	struct frame f;
	struct mac stranger;
	uint8_t mac[6];

	assert_int_equal(reasons_read(gate.dp, before), 0);
	gate_mac(&gate, RUNNING, mac);
	was = gate_client(&gate, mac);
	for (size_t h = 0; h < ARRAY_SIZE(hooks); h++) {
		build(&f, 0, h, mac);
		ask(h, &f, mac, &verdict);
		assert_true(verdict.has_record);
		assert_int_equal(verdict.charged, f.ip_len);
		assert_memory_equal(&verdict.record, &was, sizeof(was));
	}
	is = gate_client(&gate, mac);
	assert_memory_equal(&was, &is, sizeof(is));
	gate_mac(&gate, STRANGER, stranger.addr);
	build(&f, 0, 0, stranger.addr);
	ask(0, &f, stranger.addr, &verdict);
	assert_false(verdict.has_record);
	assert_int_equal(captive_lookup(gate.dp, &stranger, &captive), -ENOENT);
	assert_int_equal(reasons_read(gate.dp, after), 0);
	assert_memory_equal(before, after, sizeof(after));
}

static void test_limits_are_looked_at_not_used(void **state)
{
	static const struct frame_spec dns = {
		.to = GATE_BOX, UDP, .port = 53, .payload = 500};
	struct explain_verdict verdict;
	struct frame f;
	uint8_t mac[6];
	int n;

	gate.network.captive_price = datapath_price(8);
	gate_set_network(&gate);
	gate_mac(&gate, STRANGER, mac);
	frame_build(&f, &dns);
	frame_set_source(&f, mac);
	for (n = 0; n < 50; n++) {
		ask(1, &f, mac, &verdict);
		assert_int_equal(verdict.reason, GH_PASS_DNS);
	}
	for (n = 0; n < 50; n++)
		gate_run(&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, NULL);
	ask(1, &f, mac, &verdict);
	assert_int_equal(verdict.reason, GH_DROP_BOX_LIMIT);
	gate.network.captive_price = 0;
	gate_set_network(&gate);
}

static void complain(void *data, const char *name)
{
	fail_msg("map '%s' has no row in datapath/explain.c", name);
}

static void test_each_map_has_its_row(void **state)
{
	assert_in_range(explain_check_maps(complain, NULL), 10, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons_are_those_of_the_hooks),
		cmocka_unit_test(test_it_leaves_no_trace),
		cmocka_unit_test(test_limits_are_looked_at_not_used),
		cmocka_unit_test(test_each_map_has_its_row),
	};

	return cmocka_run_group_tests(tests, gate_setup, close_gate);
}
