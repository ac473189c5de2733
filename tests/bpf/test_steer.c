/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS steering as it is loaded (bpf/steer.h): a captive client's question for a
 * server elsewhere leaves each upload hook for the network's resolver, and the
 * answer leaves the download hook from the server asked, both with right
 * checksums; whoever did not ask gets no answer from elsewhere, and no answer
 * of the box is touched that was asked of the box. Which packets are steered is
 * in test_verdict.c. Root only.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "../answers.h"

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>

#include <bpf/bpf.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"

#define ELSEWHERE4 "203.0.113.53"
#define ELSEWHERE6 "2001:db8:53::53"
#define UDP 17

static uint8_t left[FRAME_MAX]; /* what the program left of the frame */

/* Every way a question comes. */
struct way {
	enum datapath_program program;
	int family, tags;
	bool no_checksum; /* RFC 768 */
};

#define WAYS 24
static struct way way_number(int n)
{
	return (struct way){n % 2 ? PROGRAM_UPLOAD_XDP : PROGRAM_UPLOAD_TC,
		n / 2 % 2 ? 6 : 4, n / 4 % 3, n >= 12};
}

static void set_resolver(const char *v4, const char *v6)
{
	inet_pton(AF_INET, v4, &gate.network.resolver4);
	inet_pton(AF_INET6, v6, gate.network.resolver6);
	gate_set_network(&gate);
}

/* A DNS message with this id, from or to the guest; `server` NULL: elsewhere. */
static struct ask_frame message(
	const struct way *way, uint16_t id, const char *server, bool is_answer)
{
	uint8_t data[40] = {id >> 8, id, is_answer ? 0x81 : 1};
	struct ask ask = {.family = way->family, .tags = way->tags, .proto = UDP,
		.data = data, .len = sizeof(data) - way->tags % 2};
	struct ask_frame f;
	uint8_t mac[6];

	if (!server)
		server = way->family == 4 ? ELSEWHERE4 : ELSEWHERE6;
	ask.to = is_answer ? (way->family == 4 ? ASK_GUEST4 : ASK_GUEST6) : server;
	ask.from = is_answer ? server : NULL;
	ask.sport = is_answer ? 53 : 40000;
	ask.port = is_answer ? 40000 : 53;
	ask_build(&ask, &f);
	if (way->no_checksum)
		put16(f.bytes + f.l4 + 6, 0);
	if (is_answer) {
		memcpy(mac, f.bytes, 6);
		memcpy(f.bytes, f.bytes + 6, 6);
		memcpy(f.bytes + 6, mac, 6);
	}
	return f;
}

static void set_guest(struct ask_frame *f, enum standing standing, bool is_answer)
{
	gate_mac(&gate, standing, f->bytes + (is_answer ? 0 : 6));
}

static struct gate_result send_up(const struct way *way, const struct ask_frame *f)
{
	struct gate_shape shape = {.answer = left};

	return gate_run(&gate, way->program, f->bytes, f->len, &shape);
}

static struct gate_result send_down(const struct ask_frame *f, int from)
{
	struct gate_shape shape = {.answer = left, .from = from};

	return gate_run(&gate, PROGRAM_DOWNLOAD_TC, f->bytes, f->len, &shape);
}

/* Where an address stands in the frame. */
static uint8_t *at_address(const struct ask_frame *f, uint8_t *frame, bool source)
{
	bool v4 = f->l4 - f->l3 == 20;

	return frame + f->l3 + (v4 ? 12 : 8) + (source ? 0 : v4 ? 4 : 16);
}

/*
 * What is left is the frame `f`, but with `text` as its source or target and
 * right checksums, where it had one.
 */
static void expect_changed(const struct way *way, const struct ask_frame *f,
	const struct gate_result *got, bool source, const char *text)
{
	struct ask_frame want = *f;
	uint8_t *ip = want.bytes + f->l3, *l4 = want.bytes + f->l4;

	assert_true(got->passed);
	assert_int_equal(got->answer_len, f->len);
	assert_int_equal(got->packets, 1);
	assert_int_equal(got->bytes, f->len - f->l3);
	inet_pton(way->family == 4 ? AF_INET : AF_INET6, text,
		at_address(f, want.bytes, source));
	if (way->family == 4) {
		put16(ip + 10, 0);
		put16(ip + 10, ~sum_fold(sum_add(0, ip, 20)));
	}
	put16(l4 + 6, 0);
	if (!way->no_checksum) {
		uint16_t sum = ~sum_transport(ip, UDP, l4, f->len - f->l4);

		put16(l4 + 6, sum ? sum : 0xffff);
	}
	for (size_t i = 0; i < f->len; i++)
		if (left[i] != want.bytes[i])
			fail_msg("IPv%d, %d tags, program %d: byte %zu is %02x, "
				 "not %02x",
				way->family, way->tags, way->program, i, left[i],
				want.bytes[i]);
}

static void expect_same(const struct ask_frame *f, const struct gate_result *got,
	enum gh_reason reason)
{
	assert_string_equal(reason_name(got->reason), reason_name(reason));
	if (got->passed)
		assert_memory_equal(left, f->bytes, f->len);
}

static const char *box(const struct way *way)
{
	return way->family == 4 ? GATE_BOX : GATE_BOX6;
}

static void ask_elsewhere(const struct way *way, uint16_t id, enum standing standing)
{
	struct ask_frame f = message(way, id, NULL, false);
	struct gate_result got;

	set_guest(&f, standing, false);
	got = send_up(way, &f);
	assert_string_equal(reason_name(got.reason), "pass_steered");
	expect_changed(way, &f, &got, false, box(way));
}

static void test_question_and_answer(void **state)
{
	for (int i = 0; i < WAYS * 8; i++) {
		/* Checksums of all kinds: ids add to them. */
		uint16_t id = i * 5003;
		struct way way = way_number(i % WAYS);
		struct ask_frame f = message(&way, id, box(&way), true);
		struct gate_result got;

		ask_elsewhere(&way, id, CAPTIVE);
		set_guest(&f, CAPTIVE, true);
		got = send_down(&f, FROM_BOX);
		assert_string_equal(reason_name(got.reason), "pass_box_made");
		expect_changed(&way, &f, &got, true,
			way.family == 4 ? ELSEWHERE4 : ELSEWHERE6);
		/* Sent again, as when it was lost. */
		got = send_down(&f, FROM_BOX);
		expect_changed(&way, &f, &got, true,
			way.family == 4 ? ELSEWHERE4 : ELSEWHERE6);
	}
}

/* The sum may come to 0, which must be written as the other 0. */
static void test_every_checksum(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		struct ask_frame f;
		uint16_t id;

		f = message(&way, 0, box(&way), false);
		/* With this id, a question that goes to the box sums up to 0. */
		id = get16(f.bytes + f.l4 + 6);
		ask_elsewhere(&way, id, CAPTIVE);
		assert_int_equal(get16(left + f.l4 + 6), 0xffff);
	}
}

static void test_whoever_lost_access_asks_as_well(void **state)
{
	static const enum standing who[] = {PAUSED, HELD, EXPIRED, OVER_QUOTA};

	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		struct way way = way_number(i);
		struct ask_frame f = message(&way, 7, box(&way), true);
		struct gate_result got;

		ask_elsewhere(&way, 7, who[i]);
		set_guest(&f, who[i], true);
		got = send_down(&f, FROM_BOX);
		expect_changed(&way, &f, &got, true,
			way.family == 4 ? ELSEWHERE4 : ELSEWHERE6);
	}
}

static void test_who_runs_is_not_touched(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		struct ask_frame up = message(&way, 21, NULL, false);
		struct ask_frame down = message(&way, 21, NULL, true);
		struct ask_frame of_box = message(&way, 21, box(&way), true);
		struct gate_result got;

		set_guest(&up, RUNNING, false);
		got = send_up(&way, &up);
		expect_same(&up, &got, GH_PASS_CHARGED);
		set_guest(&down, RUNNING, true);
		got = send_down(&down, FROM_UPLINK);
		expect_same(&down, &got, GH_PASS_CHARGED);
		set_guest(&of_box, RUNNING, true);
		got = send_down(&of_box, FROM_BOX);
		expect_same(&of_box, &got, GH_PASS_BOX_MADE);
	}
}

/* Answers of the box to what the box was asked, or another, or long ago. */
static void test_other_answers_are_not_touched(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		struct ask_frame f = message(&way, 101, box(&way), true);
		struct gate_result got;

		ask_elsewhere(&way, 100, CAPTIVE);
		set_guest(&f, CAPTIVE, true);
		got = send_down(&f, FROM_BOX);
		expect_same(&f, &got, GH_PASS_BOX_MADE);
		/* Of another client's question. */
		f = message(&way, 100, box(&way), true);
		set_guest(&f, STRANGER, true);
		got = send_down(&f, FROM_BOX);
		expect_same(&f, &got, GH_PASS_BOX_MADE);
		/* To another port. */
		f = message(&way, 100, box(&way), true);
		set_guest(&f, CAPTIVE, true);
		put16(f.bytes + f.l4 + 2, 40001);
		got = send_down(&f, FROM_BOX);
		expect_same(&f, &got, GH_PASS_BOX_MADE);
		/* What is no DNS. */
		f = message(&way, 100, box(&way), true);
		set_guest(&f, CAPTIVE, true);
		put16(f.bytes + f.l4, 5353);
		got = send_down(&f, FROM_BOX);
		expect_same(&f, &got, GH_PASS_BOX_MADE);
	}
}

/* Nobody else's answers come in because something was asked. */
static void test_nothing_from_elsewhere_passes(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		struct ask_frame f = message(&way, 33, NULL, true);
		struct gate_result got;

		ask_elsewhere(&way, 33, CAPTIVE);
		set_guest(&f, CAPTIVE, true);
		got = send_down(&f, FROM_UPLINK);
		expect_same(&f, &got, GH_DROP_CAPTIVE);
	}
}

/* Keys first: an element that is written anew may come round again. */
static void make_questions_old(void)
{
	static struct gh_steer_key keys[1024];
	struct gh_steered asked;
	char path[96];
	size_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/steered", gate.pin_dir);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	while (n < ARRAY_SIZE(keys) &&
		!bpf_map_get_next_key(fd, n ? &keys[n - 1] : NULL, &keys[n]))
		n++;
	while (n--) {
		assert_int_equal(bpf_map_lookup_elem(fd, &keys[n], &asked), 0);
		asked.asked_ns -= 10000000000ULL;
		assert_int_equal(bpf_map_update_elem(fd, &keys[n], &asked, 0), 0);
	}
	close(fd);
}

static void test_answers_that_come_late(void **state)
{
	struct way way = way_number(0);
	struct ask_frame f = message(&way, 55, GATE_BOX, true);
	struct gate_result got;

	ask_elsewhere(&way, 55, CAPTIVE);
	make_questions_old();
	set_guest(&f, CAPTIVE, true);
	got = send_down(&f, FROM_BOX);
	expect_same(&f, &got, GH_PASS_BOX_MADE);
}

#define RESOLVER4 "198.51.100.53"
#define RESOLVER6 "2001:db8:1::53"

/* A resolver that is not the box is let through to who asked, and to no other. */
static void test_a_resolver_elsewhere(void **state)
{
	set_resolver(RESOLVER4, RESOLVER6);
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		const char *resolver = way.family == 4 ? RESOLVER4 : RESOLVER6;
		struct ask_frame f = message(&way, 77, NULL, false);
		struct gate_result got;

		set_guest(&f, CAPTIVE, false);
		got = send_up(&way, &f);
		expect_changed(&way, &f, &got, false, resolver);
		f = message(&way, 77, resolver, true);
		set_guest(&f, CAPTIVE, true);
		got = send_down(&f, FROM_UPLINK);
		assert_string_equal(reason_name(got.reason), "pass_steered");
		expect_changed(&way, &f, &got, true,
			way.family == 4 ? ELSEWHERE4 : ELSEWHERE6);
		set_guest(&f, STRANGER, true);
		got = send_down(&f, FROM_UPLINK);
		expect_same(&f, &got, GH_DROP_CAPTIVE);
		set_guest(&f, BLOCKED, true);
		got = send_down(&f, FROM_UPLINK);
		expect_same(&f, &got, GH_DROP_BLOCKED);
		f = message(&way, 78, resolver, true);
		set_guest(&f, CAPTIVE, true);
		got = send_down(&f, FROM_UPLINK);
		expect_same(&f, &got, GH_DROP_CAPTIVE);
	}
	set_resolver(GATE_BOX, GATE_BOX6);
}

static void test_without_a_resolver(void **state)
{
	set_resolver("0.0.0.0", "::");
	for (int i = 0; i < 4; i++) {
		struct way way = way_number(i);
		struct ask_frame f = message(&way, 91, NULL, false);
		struct gate_result got;

		set_guest(&f, CAPTIVE, false);
		got = send_up(&way, &f);
		assert_string_equal(reason_name(got.reason), "answer_prohibited");
	}
	set_resolver(GATE_BOX, GATE_BOX6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_and_answer),
		cmocka_unit_test(test_every_checksum),
		cmocka_unit_test(test_whoever_lost_access_asks_as_well),
		cmocka_unit_test(test_who_runs_is_not_touched),
		cmocka_unit_test(test_other_answers_are_not_touched),
		cmocka_unit_test(test_nothing_from_elsewhere_passes),
		cmocka_unit_test(test_answers_that_come_late),
		cmocka_unit_test(test_a_resolver_elsewhere),
		cmocka_unit_test(test_without_a_resolver),
	};

	return cmocka_run_group_tests(tests, gate_setup, gate_teardown);
}
