// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a guest sends to port 80, or anywhere. The first bytes choose the frame
 * and the room for an answer, the rest is payload; the connection is opened
 * first, so that the payload reaches the redirect. Whatever it is: the answer's
 * headers and checksums are right, it is within its limits, and of the guest's
 * bytes nothing stands in it that could end a header, an attribute or a tag.
 */
#include "../host_responder.h"

#include <ctype.h>
#include <stdlib.h>

#define PORTAL "http://10.77.0.1/?url="
#define BODY_BEGIN "<a href=\""
#define BODY_END "\">Log in to this network</a>\n"

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

/* An URL in a query: RFC 3986, without what ends an attribute. */
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

/* The only headers are ours, in our order; returns the Location's length. */
static size_t check_head(const char *text, size_t len, size_t body)
{
	static const char until_length[] = "HTTP/1.1 302 Found\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n"
		"Content-Type: text/html\r\nContent-Length:";
	static const char until_value[] = "\r\nLocation: " PORTAL;
	size_t at = strlen(until_length), value;

	check(len > at + 4 && !memcmp(text, until_length, at));
	/* HEAD says how long the body would have been. */
	check(!body || strtoul(text + at, NULL, 10) == body);
	at += 4;
	check(len >= at + strlen(until_value));
	check(!memcmp(text + at, until_value, strlen(until_value)));
	at += strlen(until_value);
	value = len - at;
	check_value(text + at, value);
	return value + strlen(PORTAL);
}

static void check_reply(const struct answer *a)
{
	const char *text = (const char *)a->data;
	const char *end = memmem(text, a->len, "\r\n\r\n", 4);
	size_t body, value, begin = strlen(BODY_BEGIN);

	check(end != NULL);
	body = a->len - (end + 4 - text);
	value = check_head(text, end - text, body);
	if (!body)
		return;
	check(body == begin + value + strlen(BODY_END));
	check(!memcmp(end + 4, BODY_BEGIN, begin));
	check(!memcmp(end + 4 + begin, end - value, value));
	check(!memcmp(end + 4 + begin + value, BODY_END, strlen(BODY_END)));
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
