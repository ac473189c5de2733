/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The captive responder as it is loaded: a captive guest's frame goes through
 * the gate's own programs and its tail call, on both hooks, with both families
 * and up to two VLAN tags. How the answers are chosen and worded is tested on
 * the host (tests/unit/test_redirect.c); here: that the programs read, resize
 * and send what they should, and count it. Root only.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "../answers.h"

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"

static uint8_t sent[FRAME_MAX];

/* Every way to the responder. */
struct way {
	enum datapath_program program;
	int family, tags;
};

#define WAYS 12
static struct way way_number(int n)
{
	return (struct way){n % 2 ? PROGRAM_UPLOAD_XDP : PROGRAM_UPLOAD_TC,
		n / 2 % 2 ? 6 : 4, n / 4};
}

static struct gate_result send_frame(
	const struct way *way, const struct ask_frame *f, uint32_t gso_size)
{
	struct gate_shape shape = {.gso_size = gso_size, .answer = sent};
	struct gate_result result =
		gate_run(&gate, way->program, f->bytes, f->len, &shape);

	assert_int_equal(result.error, 0);
	assert_false(result.passed);
	return result;
}

/* Sends it; the answer must be well made, and counted as `bytes` of `reason`. */
static void expect_counted(const struct way *way, const struct ask_frame *f,
	enum gh_reason reason, size_t bytes, struct answer *ret)
{
	struct gate_result result = send_frame(way, f, 0);
	const char *wrong = answer_read(f, sent, result.answer_len, ret);

	if (result.reason != reason || result.dropped || wrong)
		fail_msg("IPv%d, %d tags, program %d: %s, not %s; %s",
			way->family, way->tags, way->program,
			reason_name(result.reason), reason_name(reason),
			wrong ? wrong : "");
	assert_int_equal(result.packets, 1);
	assert_int_equal(result.bytes, bytes);
}

static void expect_answer(const struct way *way, const struct ask_frame *f,
	enum gh_reason reason, struct answer *ret)
{
	expect_counted(way, f, reason, f->len - f->l3, ret);
}

static void expect_drop(const struct way *way, const struct ask_frame *f,
	enum gh_reason reason)
{
	struct gate_result result = send_frame(way, f, 0);

	if (result.reason != reason || !result.dropped)
		fail_msg("IPv%d, %d tags, program %d: %s, not %s", way->family,
			way->tags, way->program, reason_name(result.reason),
			reason_name(reason));
}

static struct ask ask_by(const struct way *way)
{
	return (struct ask){.family = way->family, .tags = way->tags};
}

/* What follows a SYN on the same connection, with `data` or NULL. */
static struct ask open_connection(const struct way *way, const char *data)
{
	struct ask ask = ask_by(way);
	struct ask_frame f;
	struct answer a;

	ask.seq = 0xfffffff0; /* numbers wrap */
	ask.flags = ASK_SYN;
	ask_build(&ask, &f);
	expect_answer(way, &f, GH_ANSWER_SYN, &a);
	assert_int_equal(a.flags, ASK_SYN | ASK_ACK);
	assert_int_equal(a.ack, 0xfffffff1);
	assert_int_equal(a.window, 0xffff);
	ask.seq = a.ack;
	ask.ack = a.seq + 1;
	ask.flags = ASK_ACK | ASK_PSH;
	ask.data = data;
	ask.len = data ? strlen(data) : 0;
	return ask;
}

static bool has_text(const struct answer *a, const char *text)
{
	return memmem(a->data, a->len, text, strlen(text)) != NULL;
}

static void test_a_whole_connection(void **state)
{
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		struct ask ask = open_connection(&way,
			"GET /generate_204?a=b&c HTTP/1.1\r\n"
			"Host: connectivitycheck.gstatic.com\r\n"
			"Connection: keep-alive\r\n\r\n");
		uint32_t first = ask.ack;
		struct ask_frame f;
		struct answer a;

		ask_build(&ask, &f);
		/* Asked twice, as when the answer was lost. */
		expect_answer(&way, &f, GH_ANSWER_REDIRECT, &a);
		expect_answer(&way, &f, GH_ANSWER_REDIRECT, &a);
		assert_int_equal(a.flags, ASK_FIN | ASK_PSH | ASK_ACK);
		assert_int_equal(a.seq, first);
		assert_int_equal(a.ack, (uint32_t)(ask.seq + ask.len));
		assert_true(has_text(&a, "HTTP/1.1 302 Found\r\n"));
		assert_true(has_text(&a, way.family == 4
			? "\r\nLocation: http://10.77.0.1/?url=http://"
			  "connectivitycheck.gstatic.com/generate_204?a=b%26c\r\n"
			: "\r\nLocation: http://[fd77::1]/?url=http://"
			  "connectivitycheck.gstatic.com/generate_204?a=b%26c\r\n"));
		ask.seq += ask.len;
		ask.ack = first + a.len + 1;
		/* Another request on it: too late. */
		ask_build(&ask, &f);
		expect_drop(&way, &f, GH_DROP_TCP_STRAY);
		ask.len = 0;
		ask.flags = ASK_ACK;
		ask_build(&ask, &f);
		expect_drop(&way, &f, GH_DROP_TCP_STRAY);
		ask.flags = ASK_ACK | ASK_FIN;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_FIN, &a);
		assert_int_equal(a.flags, ASK_ACK);
		assert_int_equal(a.ack, ask.seq + 1);
		assert_int_equal(a.seq, ask.ack);
	}
}

/* Longer and shorter than the frame asked, at either hook. */
static void test_any_length_of_request(void **state)
{
	static char data[1400];

	memset(data, 'a', sizeof(data));
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);

		for (size_t len = 1; len < sizeof(data); len += 1 + len / 12) {
			struct ask ask = open_connection(&way, "");
			struct ask_frame f;
			struct answer a;

			memcpy(data, "GET / HTTP/1.1\r\nHost: example.org\r\nX: ", 39);
			ask.data = data;
			ask.len = len;
			ask_build(&ask, &f);
			expect_answer(&way, &f, GH_ANSWER_REDIRECT, &a);
			assert_true(has_text(&a, "\r\nLocation: http://"));
		}
	}
}

/* Above the data stands Ethernet's padding: it is no part of the request. */
static void test_padding_is_no_data(void **state)
{
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		struct ask ask = open_connection(&way, NULL);
		struct ask_frame f;
		struct answer a;

		ask_build(&ask, &f);
		memset(f.bytes + f.len, 'G', 18);
		f.len += 18;
		expect_drop(&way, &f, GH_DROP_TCP_STRAY);
		ask.flags = ASK_ACK | ASK_FIN;
		ask_build(&ask, &f);
		f.len += 18;
		expect_counted(&way, &f, GH_ANSWER_FIN, f.len - 18 - f.l3, &a);
		assert_int_equal(a.ack, ask.seq + 1);
	}
}

static void test_other_tcp_is_reset(void **state)
{
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		struct ask ask = ask_by(&way);
		struct ask_frame f;
		struct answer a;

		ask.port = 443;
		ask.flags = ASK_SYN;
		ask.seq = 1000;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_RESET, &a);
		assert_int_equal(a.flags, ASK_RST | ASK_ACK);
		assert_int_equal(a.ack, 1001);
		/* A connection that was open when the time ended. */
		ask.flags = ASK_ACK | ASK_PSH;
		ask.ack = 77;
		ask.data = "\x17\x03\x03";
		ask.len = 3;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_RESET, &a);
		assert_int_equal(a.flags, ASK_RST);
		assert_int_equal(a.seq, 77);
		ask.flags = ASK_RST;
		ask_build(&ask, &f);
		expect_drop(&way, &f, GH_DROP_TCP_STRAY);
		ask.port = 80;
		ask_build(&ask, &f);
		expect_drop(&way, &f, GH_DROP_TCP_STRAY);
	}
}

static void test_what_is_not_http_is_reset(void **state)
{
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		struct ask ask = open_connection(&way, "\x16\x03\x01");
		struct ask_frame f;
		struct answer a;

		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_RESET, &a);
		assert_int_equal(a.flags, ASK_RST);
		assert_int_equal(a.seq, ask.ack);
	}
}

static void test_the_rest_is_prohibited(void **state)
{
	static const uint8_t protos[] = {IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_GRE, 253};
	static char data[1400];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	for (size_t i = 0; i < WAYS * ARRAY_SIZE(protos); i++) {
		struct way way = way_number(i % WAYS);

		for (size_t len = 0; len < sizeof(data); len += 1 + len / 3) {
			struct ask ask = ask_by(&way);
			struct ask_frame f;
			struct answer a;

			ask.proto = protos[i / WAYS];
			ask.port = 443;
			ask.data = data;
			ask.len = len;
			ask_build(&ask, &f);
			expect_answer(&way, &f, GH_ANSWER_PROHIBITED, &a);
			assert_int_equal(a.type, way.family == 4 ? 3 : 1);
			assert_int_equal(a.code, way.family == 4 ? 13 : 1);
			assert_memory_equal(a.data, f.bytes + f.l3, a.len);
			assert_int_equal(a.len, MIN(f.len - f.l3,
				(size_t)(way.family == 4 ? 548 : 1232)));
		}
	}
}

/* A ping is answered, an error and what is for several or for nobody is not. */
static void test_no_answer_where_none_is_due(void **state)
{
	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		bool v4 = way.family == 4;
		struct ask ask = ask_by(&way), none;
		struct ask_frame f;
		struct answer a;

		ask.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		ask.icmp_type = v4 ? 8 : 128;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_PROHIBITED, &a);
		ask.icmp_type = v4 ? 3 : 1;
		ask_build(&ask, &f);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);

		none = ask_by(&way);
		none.proto = IPPROTO_UDP;
		none.port = 443;
		none.to = v4 ? "127.0.0.1" : "::1";
		ask_build(&none, &f);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);
		none.to = v4 ? "239.1.2.3" : "ff05::1234";
		ask_build(&none, &f);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);
		none.to = NULL;
		none.from = v4 ? "0.0.0.0" : "::";
		ask_build(&none, &f);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);
		none.from = v4 ? "224.0.0.1" : "ff02::1";
		ask_build(&none, &f);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);
		none.from = NULL;
		ask_build(&none, &f);
		memset(f.bytes, 0xff, 6);
		expect_drop(&way, &f, GH_DROP_CAPTIVE);
		if (v4) {
			ask_build(&none, &f);
			f.bytes[f.l3 + 6] = 0x20; /* more fragments */
			expect_drop(&way, &f, GH_DROP_FRAGMENT);
		}
	}
}

/* A super-packet counts its segments, and one packet answers it. */
static void test_super_packet(void **state)
{
	static char data[2500];

	memset(data, 'a', sizeof(data));
	memcpy(data, "POST / HTTP/1.1\r\nHost: example.org\r\n\r\n", 38);
	for (int family = 4; family <= 6; family += 2) {
		struct way way = {PROGRAM_UPLOAD_TC, family, 0};
		struct ask ask = open_connection(&way, "");
		struct gate_result result;
		struct ask_frame f;
		struct answer a;
		size_t headers;

		ask.data = data;
		ask.len = sizeof(data);
		ask_build(&ask, &f);
		headers = f.data - f.l3;
		result = send_frame(&way, &f, 1000);
		assert_int_equal(result.reason, GH_ANSWER_REDIRECT);
		assert_null(answer_read(&f, sent, result.answer_len, &a));
		assert_int_equal(a.ack, (uint32_t)(ask.seq + ask.len));
		assert_int_equal(result.packets, 3);
		assert_int_equal(result.bytes, 3 * headers + sizeof(data));
	}
}

/* The portal may have an address of one family only. */
static void test_portal_of_one_family(void **state)
{
	struct gh_network whole = gate.network;

	for (int i = 0; i < WAYS; i++) {
		struct way way = way_number(i);
		struct ask ask = open_connection(&way, "GET / HTTP/1.0\r\n\r\n");
		struct ask_frame f;
		struct answer a;

		ask_build(&ask, &f);
		gate.network.location6_len = 0;
		memset(gate.network.portal6, 0, 16);
		gate_set_network(&gate);
		expect_answer(&way, &f, GH_ANSWER_REDIRECT, &a);
		assert_true(has_text(&a, "\r\nLocation: http://10.77.0.1/"));
		ask.proto = IPPROTO_UDP;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_PROHIBITED, &a);
		gate.network.location4_len = 0;
		gate_set_network(&gate);
		ask.proto = 0;
		ask_build(&ask, &f);
		expect_answer(&way, &f, GH_ANSWER_RESET, &a);
		gate.network = whole;
		gate_set_network(&gate);
	}
}

/* ICMP has a limit for the network; TCP, never longer than asked, has none. */
static void test_errors_are_limited(void **state)
{
	gate.network.network_price = datapath_price(8);
	gate_set_network(&gate);
	for (int i = 0; i < 2; i++) {
		struct way way = way_number(i);
		struct ask ask = ask_by(&way);
		struct ask_frame f;
		int answers = 0;

		ask.proto = IPPROTO_UDP;
		ask.port = 443;
		ask_build(&ask, &f);
		for (int n = 0; n < 200; n++)
			answers += send_frame(&way, &f, 0).reason ==
				   GH_ANSWER_PROHIBITED;
		/* 64 bytes each of 1,000 a second, and what comes at once. */
		assert_in_range(answers, 0, 40);
		ask.proto = 0;
		ask.flags = ASK_SYN;
		ask_build(&ask, &f);
		for (int n = 0; n < 200; n++)
			assert_int_equal(send_frame(&way, &f, 0).reason,
				GH_ANSWER_RESET);
	}
	gate.network.network_price = 0;
	gate_set_network(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_connection),
		cmocka_unit_test(test_any_length_of_request),
		cmocka_unit_test(test_padding_is_no_data),
		cmocka_unit_test(test_other_tcp_is_reset),
		cmocka_unit_test(test_what_is_not_http_is_reset),
		cmocka_unit_test(test_the_rest_is_prohibited),
		cmocka_unit_test(test_no_answer_where_none_is_due),
		cmocka_unit_test(test_super_packet),
		cmocka_unit_test(test_portal_of_one_family),
		cmocka_unit_test(test_errors_are_limited),
	};

	return cmocka_run_group_tests(tests, gate_setup, gate_teardown);
}
