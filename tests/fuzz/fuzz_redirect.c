/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest sends to port 80, or anywhere. The first bytes choose the frame
 * and the room for an answer, the rest is payload; the connection is opened
 * first, so that the payload reaches the redirect. Whatever it is: the answer's
 * headers and checksums are right, it is within its limits, and of the guest's
 * bytes nothing stands in it that could end a header or a query parameter.
 */
#include "../host_responder.h"

#include <ctype.h>
#include <stdlib.h>

#define PORTAL "http://10.77.0.1/?url="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct choice {
	uint8_t family_and_tags;
	uint8_t proto;
	uint8_t flags;
	uint8_t growth;
	uint8_t offset[4]; /* added to the acknowledgement */
	uint8_t port;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A URL in a query: RFC 3986, without what ends a parameter. */
static void check_value(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c != '%') {
			check(isalnum(c) || strchr("-._~/:?=@,", c));
			continue;
		}
		check(i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
			isxdigit((unsigned char)text[i + 2]));
		i += 2;
	}
}

/* The only headers are ours, in our order. */
static void check_reply(const struct answer *a)
{
	static const char head[] = "HTTP/1.1 302 Found\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n"
		"Content-Length: 0\r\nLocation: " PORTAL;
	const char *text = (const char *)a->data;
	size_t begin = strlen(head);

	check(a->len >= begin + 4);
	check(!memcmp(text, head, begin));
	check_value(text + begin, a->len - begin - 4);
	check(!memcmp(text + a->len - 4, "\r\n\r\n", 4));
}

static enum gh_reason respond(struct host_gate *g, const struct ask *ask,
	struct answer *ret)
{
	struct ask_frame f;
	const uint8_t *frame = NULL;
	size_t len = 0;
	enum gh_reason reason;

	ask_build(ask, &f);
	reason = host_respond(g, &f, &frame, &len);
	if (reason < GH_ANSWER_SYN || reason > GH_ANSWER_PROHIBITED)
		return reason;
	if (answer_read(&f, frame, len, ret))
		abort();
	if (reason == GH_ANSWER_REDIRECT)
		check(len <= f.len + g->growth);
	else if (reason == GH_ANSWER_PROHIBITED)
		check(len <= f.len + 48); /* its own headers */
	else /* an option in the answer to a SYN, and never data */
		check(len == f.l4 + 20 + (reason == GH_ANSWER_SYN ? 4 : 0));
	if (reason == GH_ANSWER_REDIRECT)
		check_reply(ret);
	return reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct host_gate gate;
	struct choice choice;
	struct answer answer;
	struct ask ask;
	size_t tags;

	if (size < sizeof(choice) || size > 1900)
		return 0;
	memcpy(&choice, data, sizeof(choice));
	tags = choice.family_and_tags >> 1;
	ask = (struct ask){
		.family = choice.family_and_tags & 1 ? 6 : 4,
		.tags = tags % 3,
		.proto = choice.proto,
		.port = choice.port,
		.flags = ASK_SYN,
		.icmp_type = choice.flags,
	};
	host_gate_init(&gate);
	host_location(gate.net.location6, &gate.net.location6_len, PORTAL);
	gate.growth = HOST_GROWTH + 4 * choice.growth;
	if (!ask.proto && !ask.port)
		check(respond(&gate, &ask, &answer) == GH_ANSWER_SYN);
	else
		memset(&answer, 0, sizeof(answer));
	host_follow(&ask, &answer);
	ask.ack += get32(choice.offset);
	ask.flags = choice.flags;
	ask.data = data + sizeof(choice);
	ask.len = size - sizeof(choice);
	respond(&gate, &ask, &answer);
	return 0;
}
