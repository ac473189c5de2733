/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The captive responder's thinking: which answer a frame gets, and its bytes,
 * in the scratch buffer of reply.h. responder.bpf.c fills `in` and sends
 * `out`. No maps, and no helper but bpf_csum_diff(): compiles on the host as
 * well.
 *
 * Nothing is remembered between two frames. The server's first sequence number
 * is the client's plus a keyed hash of the tuple, so that a later segment shows
 * by its own numbers whether it belongs to a connection that we opened, and
 * whether it is the first one: only that one gets the redirect.
 */
#ifndef GH_REDIRECT_H
#define GH_REDIRECT_H

#include "reply.h"
#include "siphash.h"

#define GH_L2_MAX 22 /* Ethernet and two VLAN tags */

/* RFC 792, RFC 1812, RFC 4443: how much of the packet an error quotes. */
#define GH_QUOTE4_MAX (576 - 28)
#define GH_QUOTE6_MAX (GH_ANSWER_MAX - 48)

/* A TCP segment's numbers, in host order. */
struct gh_segment {
	__u32 seq, ack;
	__u32 len;   /* bytes of payload */
	__u8 flags;
};

/* A frame and the answer to it. */
struct gh_answer {
	struct gh_scratch *s;
	struct gh_pkt *pkt;
	const struct gh_network *net;
	__u32 frame_len;
	__u32 growth;     /* how much longer than the frame an answer may be */
	__u32 start, len; /* of the answer in scratch->out */
	bool partial;     /* the frame's checksum is left to the sender */
};

/* An address of one host that may be seen on a network (RFC 1122, 3.2.1.3).
 * The unspecified and the loopback address of IPv6 are in ::/64. */
static __always_inline bool gh_is_host4(__be32 addr)
{
	__u8 high = addr & 0xff;

	return high != 0 && high != 127 && high < 224;
}
static __always_inline bool gh_is_host6(const __be64 *addr)
{
	return addr[0] && (addr[0] & 0xff) != 0xff;
}

/* Whether the answer has a sender and a receiver. */
static __always_inline bool gh_may_answer(const struct gh_pkt *pkt)
{
	if (pkt->family == 4)
		return gh_is_host4(pkt->src4) && gh_is_host4(pkt->dst4);
	return gh_is_host6(pkt->src6) && gh_is_host6(pkt->dst6);
}

/* RFC 1122, 3.2.2 and RFC 4443, 2.4: no error about an error. */
static __always_inline bool gh_may_refuse(const struct gh_pkt *pkt)
{
	__u8 type = pkt->icmp_type;

	if (pkt->proto == IPPROTO_ICMP)
		return pkt->family != 4 ||
		       !((type >= 3 && type <= 5) || type == 11 || type == 12);
	if (pkt->proto == IPPROTO_ICMPV6)
		return pkt->family != 6 || (type >= 128 && type != 137);
	return true;
}

/* RFC 9293, 3.10.7.1: what a host says where there is no connection. */
static __always_inline enum gh_reason gh_refuse_segment(
	const struct gh_segment *seg, struct gh_segment *ret)
{
	if (seg->flags & GH_TCP_RST)
		return GH_DROP_TCP_STRAY;
	if (seg->flags & GH_TCP_ACK) {
		ret->seq = seg->ack;
		ret->ack = 0;
		ret->flags = GH_TCP_RST;
	} else {
		ret->seq = 0;
		ret->ack = seg->seq + seg->len + !!(seg->flags & GH_TCP_SYN) +
			   !!(seg->flags & GH_TCP_FIN);
		ret->flags = GH_TCP_RST | GH_TCP_ACK;
	}
	return GH_ANSWER_RESET;
}

/*
 * A segment with data: the first one of a connection that we opened gets the
 * reply. Any other segment near it is of the same request and will be sent
 * again or acknowledged with the FIN; anything else is of a connection that we
 * never saw: a guest's whose time ended, say, and a reset tells it so.
 */
static __always_inline enum gh_reason gh_answer_data(
	const struct gh_segment *seg, __u32 hash, struct gh_segment *ret)
{
	__u32 offset = hash - (seg->ack - seg->seq);

	if (!(seg->flags & GH_TCP_ACK) || (offset > 0xffff && offset < -0xffffU))
		return gh_refuse_segment(seg, ret);
	ret->seq = seg->ack;
	ret->ack = seg->seq + seg->len + !!(seg->flags & GH_TCP_FIN);
	if (offset == 0) {
		ret->flags = GH_TCP_FIN | GH_TCP_PSH | GH_TCP_ACK;
		return GH_ANSWER_REDIRECT;
	}
	ret->flags = GH_TCP_ACK;
	return seg->flags & GH_TCP_FIN ? GH_ANSWER_FIN : GH_DROP_TCP_STRAY;
}

/* A segment to port 80: *ret is the answer without its payload. */
static __always_inline enum gh_reason gh_answer_segment(const __u64 key[2],
	const struct gh_pkt *pkt, const struct gh_segment *seg,
	struct gh_segment *ret)
{
	__u8 flags = seg->flags;

	if (flags & GH_TCP_RST)
		return GH_DROP_TCP_STRAY;
	if (flags & GH_TCP_SYN) {
		if (flags & GH_TCP_FIN)
			return GH_DROP_TCP_STRAY;
		if (flags & GH_TCP_ACK)
			return gh_refuse_segment(seg, ret);
		ret->seq = seg->seq + (__u32)gh_siphash_tuple(key, pkt);
		ret->ack = seg->seq + 1;
		ret->flags = GH_TCP_SYN | GH_TCP_ACK;
		return GH_ANSWER_SYN;
	}
	if (seg->len)
		return gh_answer_data(
			seg, (__u32)gh_siphash_tuple(key, pkt), ret);
	if (!(flags & GH_TCP_FIN))
		return GH_DROP_TCP_STRAY;
	if (!(flags & GH_TCP_ACK))
		return gh_refuse_segment(seg, ret);
	/* As long as what it answers, so it needs no proof. */
	ret->seq = seg->ack;
	ret->ack = seg->seq + 1;
	ret->flags = GH_TCP_ACK;
	return GH_ANSWER_FIN;
}

/* The sum of 16-bit words in 32-bit pieces, folded; not complemented. */
static __always_inline __u16 gh_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __always_inline __u64 gh_sum_words(const __be64 *words)
{
	return (words[0] & 0xffffffff) + (words[0] >> 32) +
	       (words[1] & 0xffffffff) + (words[1] >> 32);
}

/* Of the pseudo header, for an answer; ICMP over IPv4 has none. */
static __always_inline __u64 gh_sum_pseudo(
	const struct gh_pkt *pkt, __u8 proto, __u32 len)
{
	__u64 sum = bpf_htons(proto) + bpf_htons(len);

	if (proto == IPPROTO_ICMP)
		return 0;
	if (pkt->family == 4)
		return sum + pkt->src4 + pkt->dst4;
	return sum + gh_sum_words(pkt->src6) + gh_sum_words(pkt->dst6);
}

/*
 * Of `len` bytes of the answer, `skip` behind the beginning of layer 4. In
 * pieces: before 6.13 bpf_csum_diff() takes 512 bytes at most.
 */
__weak __noinline int gh_sum_out(struct gh_scratch *s, __u32 skip, __u32 len)
{
	__u32 sum = 0;

	if (!s || len > GH_ANSWER_MAX)
		return 0;
	skip = GH_OUT_L4 + (skip & 127);
	/* It wants whole words. */
	GH_PUT(__u32, gh_out(s, skip + len), 0);
	len = (len + 3) & ~3U;
	for (__u32 at = 0; at < 3 * 512; at += 512) {
		__u32 n = len - at;

		if (at >= len)
			break;
		if (n > 512)
			n = 512;
		/* A bound that 6.1 sees, and the compiler does not. */
		asm volatile("" : "+r"(n));
		n &= 1023;
		sum = bpf_csum_diff(0, 0, (__be32 *)&s->out[skip + at], n, sum);
	}
	return sum;
}

/*
 * The frame's own Ethernet header and tags, turned round; returns where the
 * answer begins. Before the IP header: what is too much is overwritten by it.
 */
static __always_inline __u32 gh_put_ethernet(
	struct gh_scratch *s, const struct gh_pkt *pkt)
{
	__u32 start = (pkt->family == 4 ? GH_OUT_IP4 : GH_OUT_IP6) - pkt->l3;
	__u8 *at = &s->out[start & 63];

	GH_PUT(__u32, at, GH_GET(__u32, &s->in[6]));
	GH_PUT(__u16, at + 4, GH_GET(__u16, &s->in[10]));
	GH_PUT(__u32, at + 6, GH_GET(__u32, &s->in[0]));
	GH_PUT(__u16, at + 10, GH_GET(__u16, &s->in[4]));
	GH_PUT(__u64, at + 12, GH_GET(__u64, &s->in[12]));
	GH_PUT(__u16, at + 20, GH_GET(__u16, &s->in[20]));
	return start & 63;
}

static __always_inline void gh_put_ipv4(struct gh_scratch *s,
	__be32 from, __be32 to, __u8 proto, __u32 len)
{
	__u8 *ip = &s->out[GH_OUT_IP4];
	__u32 first = GH_WORD4(0x45, 0, 0, 0) | (__u32)bpf_htons(20 + len) << 16;
	__u32 second = bpf_htonl(0x4000); /* do not fragment */
	__u32 third = 64 | (__u32)proto << 8;
	__u16 sum = gh_fold((__u64)first + second + third + from + to);

	GH_PUT(__u32, ip, first);
	GH_PUT(__u32, ip + 4, second);
	GH_PUT(__u32, ip + 8, third | (__u32)(__u16)~sum << 16);
	GH_PUT(__u32, ip + 12, from);
	GH_PUT(__u32, ip + 16, to);
}

static __always_inline void gh_put_ipv6(struct gh_scratch *s,
	const __be64 *from, const __be64 *to, __u8 proto, __u32 len)
{
	__u8 *ip = &s->out[GH_OUT_IP6];

	GH_PUT(__u32, ip, 0x60);
	GH_PUT(__u32, ip + 4,
		(__u32)bpf_htons(len) | (__u32)proto << 16 | 64U << 24);
	GH_PUT(__u64, ip + 8, from[0]);
	GH_PUT(__u64, ip + 16, from[1]);
	GH_PUT(__u64, ip + 24, to[0]);
	GH_PUT(__u64, ip + 32, to[1]);
}

/* Largest segment that we take: an Ethernet frame's. The client's own link
 * bounds it further. */
static __always_inline __be32 gh_mss_option(const struct gh_pkt *pkt)
{
	return bpf_htonl(0x02040000 | (pkt->family == 4 ? 1460 : 1440));
}

/*
 * The TCP header; returns its length. `payload` bytes of reply follow it, or
 * none. `partial`: the checksum is left to whoever sends the frame on, who
 * wants the sum of the pseudo header in its place (CHECKSUM_PARTIAL).
 */
static __always_inline __u32 gh_put_tcp(struct gh_scratch *s,
	const struct gh_pkt *pkt, const struct gh_segment *seg, __u32 payload,
	bool partial)
{
	__u8 *tcp = &s->out[GH_OUT_L4];
	__u32 header = seg->flags & GH_TCP_SYN ? 24 : 20;
	__u16 window = seg->flags & GH_TCP_RST ? 0 : 0xffff;
	__u64 sum = gh_sum_pseudo(pkt, IPPROTO_TCP, header + payload);
	__u32 words[4];

	words[0] = pkt->dport | (__u32)pkt->sport << 16;
	words[1] = bpf_htonl(seg->seq);
	words[2] = bpf_htonl(seg->ack);
	words[3] = header << 2 | (__u32)seg->flags << 8 | (__u32)window << 16;
	GH_PUT(__u32, tcp, words[0]);
	GH_PUT(__u32, tcp + 4, words[1]);
	GH_PUT(__u32, tcp + 8, words[2]);
	GH_PUT(__u32, tcp + 12, words[3]);
	GH_PUT(__u32, tcp + 16, 0);
	if (header > 20)
		GH_PUT(__u32, tcp + 20, gh_mss_option(pkt));
	if (partial) {
		GH_PUT(__u16, tcp + 16, gh_fold(sum));
		return header;
	}
	sum += (__u64)words[0] + words[1] + words[2] + words[3];
	if (header > 20)
		sum += gh_mss_option(pkt);
	if (payload)
		sum += gh_reply_sum() + (__u32)gh_sum_out(s,
			20 + GH_REPLY_KNOWN, payload - GH_REPLY_KNOWN);
	GH_PUT(__u16, tcp + 16, ~gh_fold(sum));
	return header;
}

/*
 * An ICMP error, communication administratively prohibited, about `quote`
 * bytes that stand behind its header already. `partial`: the sender will put
 * the sum of everything into the field of the UDP checksum, which the header's
 * unused half lies under; with the pseudo header's sum there and our own
 * checksum made with it, the packet's sum is right and stays so.
 */
static __always_inline void gh_put_icmp(struct gh_scratch *s,
	const struct gh_pkt *pkt, __u32 quote, bool partial)
{
	__u8 *icmp = &s->out[GH_OUT_L4];
	__u8 proto = pkt->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	__u32 type = pkt->family == 4 ? (3 | 13 << 8) : (1 | 1 << 8);
	__u64 sum = gh_sum_pseudo(pkt, proto, 8 + quote);

	GH_PUT(__u32, icmp, type);
	GH_PUT(__u32, icmp + 4, partial ? (__u32)gh_fold(sum) << 16 : 0);
	sum += (__u32)gh_sum_out(s, 0, 8 + quote);
	GH_PUT(__u16, icmp + 2, ~gh_fold(sum));
}

static __always_inline void gh_put_ip(struct gh_answer *a, __u8 proto, __u32 len)
{
	const struct gh_pkt *pkt = a->pkt;

	if (pkt->family == 4)
		gh_put_ipv4(a->s, pkt->dst4, pkt->src4, proto, len);
	else
		gh_put_ipv6(a->s, pkt->dst6, pkt->src6, proto, len);
	a->len = GH_OUT_L4 + len - a->start;
}

/* Writes the 302; 0: no answer but a reset is possible. */
static __always_inline __u32 gh_redirect(struct gh_answer *a)
{
	const struct gh_network *net = a->net;
	/* A network may have a portal in the other family only. */
	bool v6 = net->location6_len &&
		  (a->pkt->family == 6 || !net->location4_len);

	a->s->limit = GH_OUT_L4 + GH_ANSWER_MAX - (a->pkt->family == 4 ? 20 : 40);
	if (a->start + a->frame_len + a->growth < a->s->limit)
		a->s->limit = a->start + a->frame_len + a->growth;
	return gh_reply_write(a->s, a->pkt, a->pkt->l4 + a->pkt->l4_len,
		v6 ? net->location6 : net->location4,
		v6 ? net->location6_len : net->location4_len);
}

/*
 * To a TCP segment, whose frame is in `in`. `end`: where its data ends, which
 * may be behind what was read. The reason says whether there is an answer.
 */
static __always_inline enum gh_reason gh_answer_tcp(
	struct gh_answer *a, const __u64 key[2], __u32 end, bool redirect)
{
	const struct gh_pkt *pkt = a->pkt;
	const __u8 *tcp = &a->s->in[pkt->l4 & 127];
	struct gh_segment reply, seg = {
		.seq = bpf_ntohl(GH_GET(__u32, tcp + 4)),
		.ack = bpf_ntohl(GH_GET(__u32, tcp + 8)),
		.len = end - pkt->l4 - pkt->l4_len,
		.flags = pkt->tcp_flags,
	};
	enum gh_reason reason = redirect ? gh_answer_segment(key, pkt, &seg, &reply)
					 : gh_refuse_segment(&seg, &reply);
	__u32 payload = 0, header;

	if (reason == GH_DROP_TCP_STRAY)
		return reason;
	a->start = gh_put_ethernet(a->s, pkt);
	if (reason == GH_ANSWER_REDIRECT) {
		payload = gh_redirect(a);
		if (!payload)
			reason = gh_refuse_segment(&seg, &reply);
	}
	header = gh_put_tcp(a->s, pkt, &reply, payload, a->partial);
	gh_put_ip(a, IPPROTO_TCP, header + payload);
	return reason;
}

/* How much of the packet an error quotes: as much as the standards want. */
static __always_inline __u32 gh_quote_len(const struct gh_answer *a)
{
	const struct gh_pkt *pkt = a->pkt;
	__u32 most = pkt->family == 4 ? GH_QUOTE4_MAX : GH_QUOTE6_MAX;
	__u32 quote = a->frame_len - pkt->l3;

	if (pkt->ip_len && quote > pkt->ip_len)
		quote = pkt->ip_len;
	return quote < most ? quote : most;
}

/* An error is the router's to say, if the router has a name. */
static __always_inline void gh_speak_as_router(struct gh_answer *a)
{
	__be64 high = GH_GET(__be64, &a->net->portal6[0]);

	if (a->pkt->family == 4 && a->net->portal4) {
		a->pkt->dst4 = a->net->portal4;
	} else if (a->pkt->family == 6 && high) {
		a->pkt->dst6[0] = high;
		a->pkt->dst6[1] = GH_GET(__be64, &a->net->portal6[8]);
	}
}

/* To a packet whose Ethernet header is in `in`, and `quote` bytes of which
 * stand in `out` already, where the error quotes them. */
static __always_inline void gh_answer_icmp(struct gh_answer *a, __u32 quote)
{
	__u8 proto = a->pkt->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	a->start = gh_put_ethernet(a->s, a->pkt);
	gh_speak_as_router(a);
	gh_put_icmp(a->s, a->pkt, quote, a->partial);
	gh_put_ip(a, proto, 8 + quote);
}

#endif
