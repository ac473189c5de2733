/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The captive responder's thinking (bpf/redirect.h, bpf/reply.h) on the host:
 * which request leads to which Location, which segment gets which answer. Every
 * answer's headers and checksums are judged by answer_read(). How the programs
 * read and send frames: tests/bpf/test_redirect.c.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "../host_responder.h"

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

#define PORTAL4 "http://10.77.0.1/?url="
#define PORTAL6 "http://[fd77::1]/?url="
#define SITE6 "http://%5B2001:0db8:0000:0000:0000:0000:0000:0080%5D"
#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A200 A50 A50 A50 A50

static struct host_gate gate;

static int setup(void **state)
{
	host_gate_init(&gate);
	return 0;
}

/* Asks; fails when the answer is badly made. */
static enum gh_reason ask_gate(const struct ask *ask, struct answer *ret)
{
	struct ask_frame f;
	const uint8_t *frame;
	const char *wrong;
	size_t len;
	enum gh_reason reason;

	ask_build(ask, &f);
	memset(ret, 0, sizeof(*ret));
	reason = host_respond(&gate, &f, &frame, &len);
	if (reason < GH_ANSWER_SYN || reason > GH_ANSWER_PROHIBITED)
		return reason;
	assert_true(len <= f.len + gate.growth);
	wrong = answer_read(&f, frame, len, ret);
	if (wrong)
		fail_msg("reason %d: %s", reason, wrong);
	return reason;
}

/* Opens a connection and says something on it. */
static enum gh_reason request(
	int family, const char *data, size_t len, struct answer *ret)
{
	struct ask ask = {.family = family, .flags = ASK_SYN, .seq = 1000};
	struct answer syn_ack;

	assert_int_equal(ask_gate(&ask, &syn_ack), GH_ANSWER_SYN);
	host_follow(&ask, &syn_ack);
	ask.data = data;
	ask.len = len;
	return ask_gate(&ask, ret);
}

/* Of a header's value, which ends with its line; NULL: it is not there. */
static char *header(const struct answer *a, const char *name)
{
	char *text = strndup((const char *)a->data, a->len), *at, *value = NULL;

	at = strstr(text, name);
	if (at && at[-1] == '\n') {
		at += strlen(name);
		value = strndup(at, strcspn(at, "\r\n"));
	}
	free(text);
	return value;
}

static const struct location_row {
	const char *what;
	int family;
	const char *request;
	const char *location; /* behind the portal's URL; NULL: reset */
} location_rows[] = {
	{"a probe", 4, "GET /generate_204 HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"http://example.org/generate_204"},
	{"over IPv6", 6, "GET /x HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"http://example.org/x"},
	{"a query is one parameter", 4,
		"GET /a?b=c&d=%20+e;f HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"http://example.org/a?b=c%26d=%2520%2Be%3Bf"},
	{"nothing ends an attribute or a tag", 4,
		"GET /\"'<>`\\{}|^ HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"http://example.org/%22%27%3C%3E%60%5C%7B%7D%7C%5E"},
	{"a port", 4, "GET / HTTP/1.1\r\nHost: example.org:8080\r\n\r\n",
		"http://example.org:8080/"},
	{"an address", 6, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
		"http://%5B2001:db8::1%5D:80/"},
	{"names in any case", 4, "GET / HTTP/1.1\r\nhOST:Example.ORG\r\n\r\n",
		"http://Example.ORG/"},
	{"a tab, and spaces behind", 4,
		"GET / HTTP/1.1\r\nHost:\texample.org \t\r\n\r\n",
		"http://example.org/"},
	{"line feeds alone", 4, "GET / HTTP/1.1\nA: b\nHost: example.org\n\n",
		"http://example.org/"},
	{"a host among others", 4,
		"GET / HTTP/1.1\r\nX-Host: a\r\nHosts: b\r\nA: Host: c\r\n"
		"Host: example.org\r\n\r\n",
		"http://example.org/"},
	{"the first of two", 4,
		"GET / HTTP/1.1\r\nHost: one.org\r\nHost: two.org\r\n\r\n",
		"http://one.org/"},
	{"a body is no header", 4,
		"POST /p HTTP/1.1\r\nA: b\r\n\r\nHost: example.org\r\n",
		"http://192.0.2.80/p"},
	{"no host", 4, "GET /x HTTP/1.0\r\n\r\n", "http://192.0.2.80/x"},
	{"no host over IPv6", 6, "GET /x HTTP/1.0\r\n\r\n", SITE6 "/x"},
	{"an empty host", 4, "GET / HTTP/1.1\r\nHost:\r\n\r\n", "http://192.0.2.80/"},
	{"a host that is none", 4, "GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n",
		"http://192.0.2.80/"},
	{"a user is no host", 4, "GET / HTTP/1.1\r\nHost: u@example.org\r\n\r\n",
		"http://192.0.2.80/"},
	{"half a host", 4, "GET / HTTP/1.1\r\nHost: examp", "http://192.0.2.80/"},
	{"a host beyond the bound", 4,
		"GET / HTTP/1.1\r\nHost: " A200 ".org\r\n\r\n", "http://192.0.2.80/"},
	{"absolute form", 4,
		"GET http://example.org/x?y HTTP/1.1\r\nHost: other.org\r\n\r\n",
		"http://example.org/x?y"},
	{"absolute form, no path", 4, "GET HTTP://example.org HTTP/1.1\r\n\r\n",
		"http://example.org/"},
	{"absolute form, query only", 4, "GET http://example.org?a HTTP/1.1\r\n\r\n",
		"http://example.org?a"},
	{"absolute form with a user", 4,
		"GET http://user:secret@example.org/x HTTP/1.1\r\n\r\n",
		"http://192.0.2.80/"},
	{"another scheme", 4, "GET ftp://example.org/x HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/"},
	{"the fragment stays", 4, "GET /a#b HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/a"},
	{"HTTP/0.9", 4, "GET /a\r\n", "http://192.0.2.80/a"},
	{"a path with a control", 4, "GET /a\x01" "b HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/"},
	{"a path that is not ASCII", 4, "GET /\xc3\xa4 HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/"},
	{"a tab in the path", 4, "GET /a\tb HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/"},
	{"half a path", 4, "GET /half/a/pa", "http://192.0.2.80/"},
	{"a path beyond the bound", 4,
		"GET /" A200 A50 A10 " HTTP/1.1\r\nHost: e.org\r\n\r\n",
		"http://e.org/"},
	{"HEAD", 4, "HEAD /h HTTP/1.1\r\nHost: e.org\r\n\r\n", "http://e.org/h"},
	{"POST", 4, "POST /p HTTP/1.1\r\nHost: e.org\r\n\r\nx=1", "http://e.org/p"},
	{"PUT", 4, "PUT /p HTTP/1.1\r\nHost: e.org\r\n\r\n", "http://e.org/p"},
	{"PATCH", 4, "PATCH /p HTTP/1.1\r\nHost: e.org\r\n\r\n", "http://e.org/p"},
	{"DELETE", 4, "DELETE /p HTTP/1.1\r\nHost: e.org\r\n\r\n", "http://e.org/p"},
	{"OPTIONS", 4, "OPTIONS * HTTP/1.1\r\nHost: e.org\r\n\r\n", "http://e.org/"},
	{"a method alone", 4, "GET", "http://192.0.2.80/"},
	{"a method's beginning", 4, "P", "http://192.0.2.80/"},
	{"TLS", 4, "\x16\x03\x01\x02", NULL},
	{"HTTP/2 by itself", 4, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL},
	{"another protocol", 4, "SSH-2.0-OpenSSH_9.2\r\n", NULL},
	{"a method in small letters", 4, "get / HTTP/1.1\r\n\r\n", NULL},
	{"a method that goes on", 4, "GETS / HTTP/1.1\r\n\r\n", NULL},
	{"a tunnel", 4, "CONNECT example.org:443 HTTP/1.1\r\n\r\n", NULL},
};

static void test_location(void **state)
{
	gate.growth = GH_ANSWER_MAX; /* what fits is for the next test */
	for (size_t i = 0; i < ARRAY_SIZE(location_rows); i++) {
		const struct location_row *row = &location_rows[i];
		struct answer a;
		enum gh_reason reason = request(
			row->family, row->request, strlen(row->request), &a);
		char *location, want[600];

		print_message("# %s\n", row->what);
		if (!row->location) {
			assert_int_equal(reason, GH_ANSWER_RESET);
			assert_int_equal(a.flags, ASK_RST);
			continue;
		}
		assert_int_equal(reason, GH_ANSWER_REDIRECT);
		assert_int_equal(a.flags, ASK_FIN | ASK_PSH | ASK_ACK);
		assert_int_equal(a.ack, 1001 + strlen(row->request));
		location = header(&a, "Location: ");
		snprintf(want, sizeof(want), "%s%s",
			row->family == 4 ? PORTAL4 : PORTAL6, row->location);
		assert_non_null(location);
		assert_string_equal(location, want);
		free(location);
	}
}

/* The whole text, byte by byte; the same for HEAD. */
static void test_text_of_the_reply(void **state)
{
	static const char *const requests[] = {
		"GET /x HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"HEAD /x HTTP/1.1\r\nHost: example.org\r\n\r\n",
	};
	static const char text[] =
		"HTTP/1.1 302 Found\r\n"
		"Cache-Control: no-store\r\n"
		"Connection: close\r\n"
		"Content-Length: 0\r\n"
		"Location: " PORTAL4 "http://example.org/x\r\n"
		"\r\n";
	struct answer a;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		assert_int_equal(request(4, requests[i], strlen(requests[i]), &a),
			GH_ANSWER_REDIRECT);
		assert_int_equal(a.len, strlen(text));
		assert_memory_equal(a.data, text, strlen(text));
	}
}

/* With ever less room, first the path goes, then the URL. */
static void test_what_does_not_fit_is_left_out(void **state)
{
	static const char get[] =
		"GET /path/of/the/page HTTP/1.1\r\nHost: example.org\r\n\r\n";
	static const char *const stages[] = {
		PORTAL4 "http://example.org/path/of/the/page",
		PORTAL4 "http://example.org/",
		PORTAL4 "http://192.0.2.80/",
		PORTAL4,
	};
	size_t stage = 0;
	struct answer a;

	for (gate.growth = 400; gate.growth > 0; gate.growth--) {
		char *location;

		if (request(4, get, strlen(get), &a) == GH_ANSWER_RESET)
			break;
		location = header(&a, "Location: ");
		assert_non_null(location);
		if (strcmp(location, stages[stage]))
			assert_true(++stage < ARRAY_SIZE(stages));
		assert_string_equal(location, stages[stage]);
		free(location);
	}
	assert_int_equal(stage, ARRAY_SIZE(stages) - 1);
	/* The bare portal's URL fits what XDP has, whatever the request. */
	assert_true(gate.growth < HOST_GROWTH);
}

/* The longest host and the longest path, every byte of it escaped, on a link
 * as narrow as one may be (answer_read() judges that). */
static void test_longest_answer(void **state)
{
	char text[600], location[GH_LOCATION_MAX + 1], *got;
	struct answer a;

	gate.growth = 2 * GH_ANSWER_MAX;
	memset(location, 'x', sizeof(location));
	location[GH_LOCATION_MAX] = '\0';
	host_location(gate.net.location4, &gate.net.location4_len, location);
	host_location(gate.net.location6, &gate.net.location6_len, location);
	for (size_t host = 1; host <= GH_HOST_MAX; host++) {
		int path = GH_PATH_MAX - 1 - host % 9;

		snprintf(text, sizeof(text), "GET /%0*d HTTP/1.1\r\nHost: %.*s\r\n\r\n",
			path, 0, (int)host, A200);
		memset(text + 5, '%', path);
		for (int family = 4; family <= 6; family += 2) {
			assert_int_equal(request(family, text, strlen(text), &a),
				GH_ANSWER_REDIRECT);
			got = header(&a, "Location: ");
			assert_int_equal(strlen(got),
				GH_LOCATION_MAX + 7 + host + 1 + 3 * path);
			free(got);
		}
	}
}

/* A probe's answer fits where XDP can put it, as long as a location may be. */
static void test_longest_location(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
	char location[GH_LOCATION_MAX + 1];
	struct answer a;
	char *got;

	memset(location, 'x', sizeof(location));
	memcpy(location, "http://", 7);
	location[GH_LOCATION_MAX] = '\0';
	host_location(gate.net.location4, &gate.net.location4_len, location);
	assert_int_equal(request(4, get, strlen(get), &a), GH_ANSWER_REDIRECT);
	got = header(&a, "Location: ");
	assert_memory_equal(got, location, GH_LOCATION_MAX);
	free(got);
}

static const struct portal_row {
	const char *what;
	int family;
	bool portal4, portal6;
	const char *location; /* NULL: reset */
} portal_rows[] = {
	{"IPv4 only, asked over IPv6", 6, true, false, PORTAL4 SITE6 "/"},
	{"IPv6 only, asked over IPv4", 4, false, true, PORTAL6 "http://192.0.2.80/"},
	{"no portal", 4, false, false, NULL},
	{"no portal, asked over IPv6", 6, false, false, NULL},
};

static void test_portal_of_the_other_family(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(portal_rows); i++) {
		const struct portal_row *row = &portal_rows[i];
		struct answer a;
		char *location;

		print_message("# %s\n", row->what);
		host_gate_init(&gate);
		gate.growth = GH_ANSWER_MAX;
		if (!row->portal4)
			gate.net.location4_len = 0;
		if (!row->portal6)
			gate.net.location6_len = 0;
		if (request(row->family, "GET / HTTP/1.1\r\n\r\n", 18, &a) ==
			GH_ANSWER_RESET) {
			assert_null(row->location);
			continue;
		}
		location = header(&a, "Location: ");
		assert_non_null(row->location);
		assert_string_equal(location, row->location);
		free(location);
	}
}

static void test_host_is_found_wherever_it_is(void **state)
{
	char text[1200];
	struct answer a;

	gate.growth = GH_ANSWER_MAX;
	for (int pad = 0; pad < 900; pad++) {
		char *location;

		snprintf(text, sizeof(text),
			"GET / HTTP/1.1\r\nA: %.*s\r\nHost: example.org\r\n\r\n",
			pad, A200 A200 A200 A200 A200);
		request(4, text, strlen(text), &a);
		location = header(&a, "Location: ");
		assert_string_equal(location, PORTAL4 "http://example.org/");
		free(location);
	}
}

/* Cut anywhere, and with an earlier request behind it in the buffer: the
 * answer never holds what was not in the frame. */
static void test_nothing_of_an_earlier_frame(void **state)
{
	static const char *const texts[] = {
		"GET /first HTTP/1.1\r\nHost: b.org\r\n\r\n",
		"GET http://b.org/first HTTP/1.1\r\n\r\n",
	};
	/* Whatever is cut would go on and end well. */
	static const char *const before[] = {
		"GET /" "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS /\r\n",
		"GET http://SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS/ \r\n\r\n",
		"GET / HTTP/1.1\r\nHost: SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS\r\n\r\n",
	};

	gate.growth = GH_ANSWER_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(texts) * ARRAY_SIZE(before); i++) {
		const char *text = texts[i % 2], *old = before[i / 2];

		for (size_t len = 1; len < strlen(text); len++) {
			struct answer a;

			request(4, old, strlen(old), &a);
			assert_non_null(memmem(a.data, a.len, "SSS", 3));
			assert_int_equal(request(4, text, len, &a),
				GH_ANSWER_REDIRECT);
			assert_null(memchr(a.data, 'S', a.len));
		}
	}
}

/* Segments of a connection that was opened with SYN 1000 and whose request
 * had 100 bytes; `ack` counts from the first byte that we send. */
static const struct segment_row {
	const char *what;
	uint8_t flags;
	uint32_t seq, ack;
	size_t len;
	enum gh_reason reason;
	uint8_t want_flags;
	uint32_t want_seq, want_ack; /* as above */
} segment_rows[] = {
	{"the request", ASK_ACK | ASK_PSH, 1001, 0, 100,
		GH_ANSWER_REDIRECT, ASK_FIN | ASK_PSH | ASK_ACK, 0, 1101},
	{"the request, half closed", ASK_ACK | ASK_FIN, 1001, 0, 100,
		GH_ANSWER_REDIRECT, ASK_FIN | ASK_PSH | ASK_ACK, 0, 1102},
	{"its second segment", ASK_ACK, 1101, 0, 100, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"its second segment, after one byte", ASK_ACK, 1002, 0, 100,
		GH_DROP_TCP_STRAY, 0, 0, 0},
	{"another request on the same connection", ASK_ACK | ASK_PSH, 1101, 251, 100,
		GH_DROP_TCP_STRAY, 0, 0, 0},
	{"its last segment with FIN", ASK_ACK | ASK_FIN, 1101, 251, 100,
		GH_ANSWER_FIN, ASK_ACK, 251, 1202},
	{"FIN", ASK_ACK | ASK_FIN, 1101, 251, 0, GH_ANSWER_FIN, ASK_ACK, 251, 1102},
	{"FIN of any connection", ASK_ACK | ASK_FIN, 77, 5000000, 0,
		GH_ANSWER_FIN, ASK_ACK, 5000000, 78},
	{"FIN without ACK", ASK_FIN, 77, 0, 0, GH_ANSWER_RESET, ASK_RST | ASK_ACK, 0, 78},
	{"an acknowledgement", ASK_ACK, 1101, 251, 0, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"nothing at all", 0, 1101, 0, 0, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"RST", ASK_RST, 1101, 0, 0, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"RST with data", ASK_RST | ASK_ACK, 1001, 0, 100, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"SYN and RST", ASK_SYN | ASK_RST, 1000, 0, 0, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"SYN and FIN", ASK_SYN | ASK_FIN, 1000, 0, 0, GH_DROP_TCP_STRAY, 0, 0, 0},
	{"SYN and ACK", ASK_SYN | ASK_ACK, 1000, 9, 0, GH_ANSWER_RESET, ASK_RST, 9, 0},
	{"data of a connection that we never saw", ASK_ACK, 900000, 70000, 100,
		GH_ANSWER_RESET, ASK_RST, 70000, 0},
	{"data with a wrong ACK", ASK_ACK, 1001, 0x10000, 100,
		GH_ANSWER_RESET, ASK_RST, 0x10000, 0},
	{"data with an ACK of before", ASK_ACK, 1001, -0x10000, 100,
		GH_ANSWER_RESET, ASK_RST, -0x10000, 0},
	{"data without ACK", 0, 1001, 0, 100, GH_ANSWER_RESET, ASK_RST | ASK_ACK, 0, 1101},
};

static void test_segments(void **state)
{
	char data[100];

	memset(data, 'x', sizeof(data));
	memcpy(data, "GET / HTTP/1.1\r\n", 16);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(segment_rows); i++) {
		const struct segment_row *row = &segment_rows[i / 2];
		struct ask ask = {
			.family = i % 2 ? 6 : 4, .flags = ASK_SYN, .seq = 1000};
		struct answer syn_ack, a;
		uint32_t first;

		print_message("# %s, IPv%d\n", row->what, ask.family);
		assert_int_equal(ask_gate(&ask, &syn_ack), GH_ANSWER_SYN);
		assert_int_equal(syn_ack.flags, ASK_SYN | ASK_ACK);
		assert_int_equal(syn_ack.ack, 1001);
		assert_int_equal(syn_ack.len, 0);
		assert_int_equal(syn_ack.options_len, 4);
		assert_int_equal(get32(syn_ack.options),
			0x02040000 | (ask.family == 4 ? 1460 : 1440));
		first = row->flags & ASK_ACK ? syn_ack.seq + 1 : 0;
		ask.flags = row->flags;
		ask.seq = row->seq;
		ask.ack = first + row->ack;
		ask.data = data;
		ask.len = row->len;
		assert_int_equal(ask_gate(&ask, &a), row->reason);
		if (!row->want_flags)
			continue;
		assert_int_equal(a.flags, row->want_flags);
		assert_int_equal(a.seq, first + row->want_seq);
		assert_int_equal(a.ack, row->want_ack);
		if (row->reason != GH_ANSWER_REDIRECT)
			assert_int_equal(a.len, 0);
	}
}

static const struct {
	const char *what;
	uint8_t flags;
	uint32_t seq, ack;
	size_t len;
	uint8_t want_flags; /* 0: no answer */
	uint32_t want_seq, want_ack;
} refused_rows[] = {
	{"SYN", ASK_SYN, 1000, 0, 0, ASK_RST | ASK_ACK, 0, 1001},
	{"SYN with data", ASK_SYN, 1000, 0, 50, ASK_RST | ASK_ACK, 0, 1051},
	{"data", ASK_ACK | ASK_PSH, 7, 99, 50, ASK_RST, 99, 0},
	{"FIN", ASK_ACK | ASK_FIN, 7, 99, 0, ASK_RST, 99, 0},
	{"a bare acknowledgement", ASK_ACK, 7, 99, 0, ASK_RST, 99, 0},
	{"FIN without ACK", ASK_FIN, 7, 99, 0, ASK_RST | ASK_ACK, 0, 8},
	{"RST", ASK_RST, 7, 0, 0, 0, 0, 0},
	{"RST with ACK", ASK_RST | ASK_ACK, 7, 99, 0, 0, 0, 0},
};

static void test_other_ports_are_reset(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(refused_rows); i++) {
		struct ask ask = {
			.family = i % 2 ? 6 : 4,
			.port = 443,
			.flags = refused_rows[i / 2].flags,
			.seq = refused_rows[i / 2].seq,
			.ack = refused_rows[i / 2].ack,
			.data = A50,
			.len = refused_rows[i / 2].len,
		};
		struct answer a;

		print_message("# %s, IPv%d\n", refused_rows[i / 2].what, ask.family);
		if (!refused_rows[i / 2].want_flags) {
			assert_int_equal(ask_gate(&ask, &a), GH_DROP_TCP_STRAY);
			continue;
		}
		assert_int_equal(ask_gate(&ask, &a), GH_ANSWER_RESET);
		assert_int_equal(a.flags, refused_rows[i / 2].want_flags);
		assert_int_equal(a.seq, refused_rows[i / 2].want_seq);
		assert_int_equal(a.ack, refused_rows[i / 2].want_ack);
		assert_int_equal(a.window, 0);
		assert_int_equal(a.len, 0);
	}
}

/* Whoever learns the number of one tuple knows nothing about another's. */
static void test_numbers_depend_on_everything(void **state)
{
	struct ask asks[] = {
		{.family = 4},
		{.family = 4, .from = "10.77.0.51"},
		{.family = 4, .to = "192.0.2.81"},
		{.family = 4, .sport = 40001},
		{.family = 6},
		{.family = 6, .from = "fd77::51"},
		{.family = 6, .from = "fd77:1::50"},
		{.family = 6, .to = "2001:db8::81"},
		{.family = 6, .to = "2001:db9::80"},
	};
	uint32_t seq[ARRAY_SIZE(asks)];
	struct gh_pkt pkt;
	struct ask_frame f;
	struct answer a;
	uint64_t hash;

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		asks[i].flags = ASK_SYN;
		assert_int_equal(ask_gate(&asks[i], &a), GH_ANSWER_SYN);
		seq[i] = a.seq;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(seq[i], seq[j]);
	}
	/* The same again for one more segment: nothing is remembered. */
	assert_int_equal(ask_gate(&asks[0], &a), GH_ANSWER_SYN);
	assert_int_equal(a.seq, seq[0]);
	asks[0].seq = 5;
	assert_int_equal(ask_gate(&asks[0], &a), GH_ANSWER_SYN);
	assert_int_equal(a.seq, seq[0] + 5);
	ask_build(&asks[0], &f);
	pkt = host_pkt(&f);
	hash = gh_siphash_tuple(host_key, &pkt);
	pkt.src ^= 1ULL << 40;
	assert_true((uint32_t)gh_siphash_tuple(host_key, &pkt) != (uint32_t)hash);
}

/* RFC 1122, 3.2.1.3: such addresses are of no host on a network. */
static void test_addresses_without_a_host(void **state)
{
	static const char *const none[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
		"::ffff:10.77.0.50", "ff02::1", "ff0e::1234"};
	struct answer a;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(none); i++) {
		struct ask ask = {
			.family = strchr(none[i / 2], ':') ? 6 : 4,
			.proto = i % 4 < 2 ? IPPROTO_TCP : IPPROTO_UDP,
			.flags = ASK_SYN,
		};

		*(i % 2 ? &ask.from : &ask.to) = none[i / 2];
		assert_int_equal(ask_gate(&ask, &a), GH_DROP_CAPTIVE);
	}
}

static void test_icmp_quotes_the_packet(void **state)
{
	static const size_t lens[] = {0, 1, 2, 3, 5, 100, 519, 520, 521, 1183,
		1184, 1185, 1400};
	static uint8_t data[1400];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 256;
	gate.growth = GH_ANSWER_MAX;
	for (size_t i = 0; i < 12 * ARRAY_SIZE(lens); i++) {
		bool v4 = i % 2;
		struct ask ask = {
			.family = v4 ? 4 : 6,
			.tags = i / 2 % 3,
			.proto = i / 6 % 2 ? IPPROTO_UDP : 47,
			.port = 443,
			.data = data,
			.len = lens[i / 12],
		};
		size_t quote = (v4 ? 20 : 40) + 8 + ask.len;
		size_t most = v4 ? 548 : 1232;
		struct ask_frame f;
		struct answer a;

		assert_int_equal(ask_gate(&ask, &a), GH_ANSWER_PROHIBITED);
		assert_int_equal(a.type, v4 ? 3 : 1);
		assert_int_equal(a.code, v4 ? 13 : 1);
		assert_int_equal(a.len, quote < most ? quote : most);
		ask_build(&ask, &f);
		assert_memory_equal(a.data, f.bytes + f.l3, a.len);
		/* It comes from the router, not from the host that was asked. */
		assert_memory_equal(a.data - 8 - (v4 ? 8 : 32),
			v4 ? (void *)&gate.net.portal4 : (void *)gate.net.portal6,
			v4 ? 4 : 16);
	}
}

static void test_no_error_about_an_error(void **state)
{
	for (int type = 0; type < 256; type++) {
		struct ask ask = {
			.family = 4, .proto = IPPROTO_ICMP, .icmp_type = type};
		bool is_error = type == 3 || type == 4 || type == 5 ||
				type == 11 || type == 12;
		struct answer a;

		assert_int_equal(ask_gate(&ask, &a),
			is_error ? GH_DROP_CAPTIVE : GH_ANSWER_PROHIBITED);
		ask.family = 6;
		ask.proto = IPPROTO_ICMPV6;
		assert_int_equal(ask_gate(&ask, &a),
			type < 128 || type == 137 ? GH_DROP_CAPTIVE
						  : GH_ANSWER_PROHIBITED);
	}
}

/* CHECKSUM_PARTIAL: whoever sends the frame sums it from layer 4 on, with
 * what stands in the field, and puts the complement there (0 as 0xffff). */
static void finish_sum(uint8_t *l4, size_t len, size_t at)
{
	uint16_t sum = ~sum_fold(sum_add(0, l4, len));

	put16(l4 + at, sum ? sum : 0xffff);
}

static void test_sums_left_to_the_sender(void **state)
{
	struct ask asks[] = {
		{.family = 4, .flags = ASK_SYN},
		{.family = 6, .flags = ASK_SYN},
		{.family = 4, .flags = ASK_SYN, .port = 443},
		{.family = 6, .flags = ASK_ACK, .port = 443},
		{.family = 4, .proto = IPPROTO_UDP, .data = "abc", .len = 3},
		{.family = 6, .proto = IPPROTO_UDP, .data = "abc", .len = 3},
	};

	gate.partial = true;
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		struct ask_frame f;
		struct answer a;
		const uint8_t *frame;
		const char *wrong;
		size_t len;

		ask_build(&asks[i], &f);
		host_respond(&gate, &f, &frame, &len);
		finish_sum((uint8_t *)frame + f.l4, len - f.l4,
			asks[i].proto == IPPROTO_UDP ? 6 : 16);
		wrong = answer_read(&f, frame, len, &a);
		if (wrong)
			fail_msg("case %zu: %s", i, wrong);
	}
}

/* RFC 9110, 10.2.2 and RFC 3986: each byte is itself, three, or the end. */
static void test_codes(void **state)
{
	for (unsigned c = 0; c < 256; c++) {
		uint32_t code = gh_codes[c];
		char want[4] = {c};

		if (c <= ' ' || c >= 0x7f || c == '#') {
			assert_int_equal(code, 0);
			continue;
		}
		assert_true(code & GH_CODE_PATH);
		if ((code & GH_CODE_LEN) >> 24 == 3)
			snprintf(want, sizeof(want), "%%%02X", c);
		else
			assert_null(strchr("\"'<>&%+;\\[]", c));
		assert_memory_equal(&code, want, (code & GH_CODE_LEN) >> 24);
	}
}

/* Copied by words is what the table has as it is, and nothing else. */
static void test_plain_bytes(void **state)
{
	for (unsigned c = 0; c < 256; c++)
		for (unsigned at = 0; at < 8; at++)
			for (unsigned rest = 'a'; rest < 256; rest += 0x5e) {
				uint32_t code = gh_codes[c];
				bool kept = (code & GH_CODE_LEN) >> 24 == 1;
				uint64_t word = GH_ONES * rest;
				unsigned path, host, before = rest < 0x80 ? at : 0;

				word &= ~(0xffULL << 8 * at);
				word |= (uint64_t)c << 8 * at;
				path = gh_plain(word, GH_CODE_PATH);
				host = gh_plain(word, GH_CODE_HOST);
				assert_true(path >= before && host >= before);
				if (path > at)
					assert_true(kept && code & GH_CODE_PATH);
				if (host > at)
					assert_true(kept && code & GH_CODE_HOST);
				if (rest == 'a' && isalnum(c))
					assert_int_equal(host, 8);
				if (rest == 'a' && (isalnum(c) || c == '/'))
					assert_int_equal(path, 8);
			}
}

#define CASE(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_location),
		CASE(test_text_of_the_reply),
		CASE(test_what_does_not_fit_is_left_out),
		CASE(test_longest_answer),
		CASE(test_longest_location),
		CASE(test_portal_of_the_other_family),
		CASE(test_host_is_found_wherever_it_is),
		CASE(test_nothing_of_an_earlier_frame),
		CASE(test_segments),
		CASE(test_other_ports_are_reset),
		CASE(test_numbers_depend_on_everything),
		CASE(test_addresses_without_a_host),
		CASE(test_icmp_quotes_the_packet),
		CASE(test_no_error_about_an_error),
		CASE(test_sums_left_to_the_sender),
		CASE(test_codes),
		CASE(test_plain_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
