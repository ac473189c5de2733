/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The captive responder on the host: bpf/redirect.h with what its program
 * file does round it, for one frame at a time.
 */
#ifndef TESTS_HOST_RESPONDER_H
#define TESTS_HOST_RESPONDER_H

#include "answers.h"
#include "host_bpf.h"

/* clang-format off: in this order */
#include "../bpf/parse.h"
#include "../bpf/redirect.h"
/* clang-format on */

#define HOST_GROWTH 192 /* what XDP has */

/* 0: the tests make their own; what a guest cannot know. */
static const __u64 host_key[2] = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};

struct host_gate {
	struct gh_network net;
	struct gh_scratch scratch;
	__u32 growth;
	bool partial;
};

static inline void host_location(char *location, __u32 *len, const char *text)
{
	*len = strlen(text);
	memset(location, 0, GH_LOCATION_MAX);
	memcpy(location, text, *len);
}

static inline void host_gate_init(struct host_gate *g)
{
	memset(g, 0, sizeof(*g));
	/* As a frame before may have left it. */
	memset(g->scratch.in, '\n', sizeof(g->scratch.in));
	memset(g->scratch.out, '"', sizeof(g->scratch.out));
	g->growth = HOST_GROWTH;
	g->net.portal4 = inet_addr(ASK_ROUTER4);
	inet_pton(AF_INET6, ASK_ROUTER6, g->net.portal6);
	host_location(g->net.location4, &g->net.location4_len,
		"http://10.77.0.1/?url=");
	host_location(g->net.location6, &g->net.location6_len,
		"http://[fd77::1]/?url=");
}

static inline struct gh_pkt host_pkt(const struct ask_frame *f)
{
	const uint8_t *ip = f->bytes + f->l3, *l4 = f->bytes + f->l4;
	struct gh_pkt pkt = {
		.l3 = f->l3,
		.l4 = f->l4,
		.l4_len = f->data - f->l4,
		.ip_len = f->len - f->l3,
		.family = ip[0] >> 4,
		.proto = ip[0] >> 4 == 4 ? ip[9] : ip[6],
	};

	memcpy(&pkt.src, f->bytes + 6, 6);
	memcpy(&pkt.dst, f->bytes, 6);
	if (pkt.family == 4) {
		memcpy(&pkt.src4, ip + 12, 4);
		memcpy(&pkt.dst4, ip + 16, 4);
	} else {
		memcpy(pkt.src6, ip + 8, 16);
		memcpy(pkt.dst6, ip + 24, 16);
	}
	if (pkt.proto == IPPROTO_TCP || pkt.proto == IPPROTO_UDP) {
		memcpy(&pkt.sport, l4, 2);
		memcpy(&pkt.dport, l4 + 2, 2);
	}
	if (pkt.proto == IPPROTO_TCP)
		pkt.tcp_flags = l4[13];
	else
		pkt.icmp_type = l4[0];
	return pkt;
}

/* The answer in *ret_frame (inside g->scratch), if the reason says so. */
static inline enum gh_reason host_respond(struct host_gate *g,
	const struct ask_frame *f, const uint8_t **ret_frame, size_t *ret_len)
{
	struct gh_pkt pkt = host_pkt(f);
	struct gh_answer a = {
		.s = &g->scratch,
		.pkt = &pkt,
		.net = &g->net,
		.frame_len = f->len,
		.growth = g->growth,
		.partial = g->partial,
	};
	enum gh_reason reason = GH_ANSWER_PROHIBITED;

	if (!gh_may_answer(&pkt))
		return GH_DROP_CAPTIVE;
	if (pkt.proto == IPPROTO_TCP) {
		size_t head = f->data + GH_HEAD_MAX;

		g->scratch.end = f->len < head ? f->len : head;
		memcpy(g->scratch.in, f->bytes, g->scratch.end);
		reason = gh_answer_tcp(
			&a, host_key, f->len, pkt.dport == htons(80));
	} else if (!gh_may_refuse(&pkt)) {
		return GH_DROP_CAPTIVE;
	} else {
		__u32 quote = gh_quote_len(&a);

		memcpy(g->scratch.in, f->bytes, GH_L2_MAX);
		memcpy(&g->scratch.out[GH_OUT_L4 + 8], f->bytes + f->l3, quote);
		gh_answer_icmp(&a, quote);
	}
	*ret_frame = &g->scratch.out[a.start];
	*ret_len = a.len;
	return reason;
}

/* A segment of the connection that begins with seq 1000: the first byte of the
 * client's data, if the reply to its SYN is `syn_ack`. */
static inline void host_follow(struct ask *ask, const struct answer *syn_ack)
{
	ask->seq = syn_ack->ack;
	ask->ack = syn_ack->seq + 1;
	ask->flags = ASK_ACK | ASK_PSH;
}

#endif
