/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The captive responder: turns a captive client's frame into the answer to it
 * and sends it back where it came from. Reached by tail call from the upload
 * programs, which leave the parsed frame and what is due in `question`.
 * redirect.h decides and writes; here are the maps and the two hooks' ways to
 * read, resize and send a frame. Counts every frame it gets, once.
 */
#include "gate.h"

#include <bpf/bpf_core_read.h>

#include "redirect.h"

#define GH_CHECKSUM_PARTIAL 3
#define GH_UDP_CHECKSUM 6 /* where it is in the header */

/*
 * An XDP frame grows at its head: most drivers have 256 bytes there, of which
 * the kernel takes some for itself. The tail may have no room at all (veth);
 * it is where a driver with a shorter head is tried.
 */
#define GH_XDP_GROWTH 192

/* Of this CPU, for the run of one program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_scratch);
} scratch SEC(".maps");

/* A frame and its answer. */
struct gh_answer {
	void *ctx;
	bool is_xdp;
	bool partial;     /* the frame's checksum is left to the sender */
	__u32 frame_len;
	__u32 start, len; /* of the answer in scratch->out */
	struct gh_scratch *s;
	struct gh_question *q;
	struct gh_network *net;
};

/* `len` is at least 1; the bounds that the verifier wants are the callers'. */
static __always_inline int gh_load(
	const struct gh_answer *a, __u32 at, void *to, __u32 len)
{
	return a->is_xdp ? bpf_xdp_load_bytes(a->ctx, at, to, len)
			 : bpf_skb_load_bytes(a->ctx, at, to, len);
}

/* Reads the headers and the first GH_HEAD_MAX bytes behind them. */
static __always_inline int gh_read_segment(
	struct gh_answer *a, struct gh_segment *seg)
{
	const struct gh_pkt *pkt = &a->q->pkt;
	struct gh_scratch *s = a->s;
	__u32 end = pkt->ip_len ? pkt->l3 + pkt->ip_len : a->frame_len;
	__u32 payload = pkt->l4 + pkt->l4_len;
	__u32 len = end;

	if (end < payload)
		return GH_DROP_MALFORMED;
	seg->len = end - payload;
	if (len > payload + GH_HEAD_MAX)
		len = payload + GH_HEAD_MAX;
	if (len < GH_OUT_L4 - GH_OUT_IP4 + ETH_HLEN || len > GH_IN_MASK)
		return GH_DROP_ERROR;
	if (gh_load(a, 0, s->in, len))
		return GH_DROP_ERROR;
	s->end = len;
	seg->seq = bpf_ntohl(GH_GET(__u32, &s->in[(pkt->l4 & 127) + 4]));
	seg->ack = bpf_ntohl(GH_GET(__u32, &s->in[(pkt->l4 & 127) + 8]));
	seg->flags = pkt->tcp_flags;
	return 0;
}

/* Writes the 302; 0: no answer but a reset is possible. */
static __always_inline __u32 gh_redirect(struct gh_answer *a)
{
	const struct gh_pkt *pkt = &a->q->pkt;
	const struct gh_network *net = a->net;
	struct gh_scratch *s = a->s;
	__u32 request = pkt->l4 + pkt->l4_len;
	/* A network may have a portal in the other family only. */
	bool v6 = net->location6_len && (pkt->family == 6 || !net->location4_len);
	__u32 room = GH_OUT_L4 + GH_ANSWER_MAX - (pkt->family == 4 ? 20 : 40);

	s->limit = room;
	if (a->is_xdp && a->start + a->frame_len + GH_XDP_GROWTH < room)
		s->limit = a->start + a->frame_len + GH_XDP_GROWTH;
	return gh_reply_write(s, pkt, request,
		v6 ? net->location6 : net->location4,
		v6 ? net->location6_len : net->location4_len);
}

static __always_inline void gh_put_ip(
	struct gh_answer *a, __u8 proto, __u32 len)
{
	const struct gh_pkt *pkt = &a->q->pkt;

	if (pkt->family == 4)
		gh_put_ipv4(a->s, pkt->dst4, pkt->src4, proto, len);
	else
		gh_put_ipv6(a->s, pkt->dst6, pkt->src6, proto, len);
	a->len = GH_OUT_L4 + len - a->start;
}

static __always_inline enum gh_reason gh_answer_tcp(struct gh_answer *a)
{
	struct gh_segment seg, reply;
	enum gh_reason reason;
	__u32 zero = 0, payload = 0, header;
	struct gh_secret *key;
	int error = gh_read_segment(a, &seg);

	if (error)
		return error;
	key = bpf_map_lookup_elem(&secret, &zero);
	if (!key)
		return GH_DROP_ERROR;
	if (a->q->reason == GH_ANSWER_REDIRECT)
		reason = gh_answer_segment(key->key, &a->q->pkt, &seg, &reply);
	else
		reason = gh_refuse_segment(&seg, &reply);
	if (!gh_answers(reason))
		return reason;
	a->start = gh_put_ethernet(a->s, &a->q->pkt);
	if (reason == GH_ANSWER_REDIRECT) {
		payload = gh_redirect(a);
		if (!payload)
			reason = gh_refuse_segment(&seg, &reply);
	}
	header = gh_put_tcp(a->s, &a->q->pkt, &reply, payload, a->partial);
	gh_put_ip(a, IPPROTO_TCP, header + payload);
	return reason;
}

/*
 * On TC, a datagram whose checksum is still to be made can only become an ICMP
 * message when that checksum would land in the header's unused half: a tunnel's
 * inner checksum, or SCTP's, would land in the quote.
 */
static __always_inline bool gh_can_become_icmp(const struct gh_answer *a)
{
	const struct sk_buff *skb = a->ctx;
	__u64 head = 0, data = 0;
	__u16 start = 0, offset = 0;

	if (!a->partial)
		return true;
	bpf_core_read(&start, sizeof(start), &skb->csum_start);
	bpf_core_read(&offset, sizeof(offset), &skb->csum_offset);
	bpf_core_read(&head, sizeof(head), &skb->head);
	bpf_core_read(&data, sizeof(data), &skb->data);
	return head + start == data + a->q->pkt.l4 && offset == GH_UDP_CHECKSUM;
}

/* An error is the router's to say, if the router has a name. */
static __always_inline void gh_speak_as_router(struct gh_answer *a)
{
	const __be64 *portal6 = (const __be64 *)a->net->portal6;
	struct gh_pkt *pkt = &a->q->pkt;

	if (pkt->family == 4 && a->net->portal4) {
		pkt->dst4 = a->net->portal4;
	} else if (pkt->family == 6 && portal6[0]) {
		pkt->dst6[0] = portal6[0];
		pkt->dst6[1] = portal6[1];
	}
}

/* Quotes as much of the packet as the standards want. */
static __always_inline enum gh_reason gh_answer_icmp(struct gh_answer *a)
{
	const struct gh_pkt *pkt = &a->q->pkt;
	__u32 most = pkt->family == 4 ? GH_QUOTE4_MAX : GH_QUOTE6_MAX;
	__u32 quote = a->frame_len - pkt->l3;
	__u8 proto = pkt->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	if (!gh_may_refuse(pkt) || !gh_can_become_icmp(a))
		return GH_DROP_CAPTIVE;
	if (pkt->ip_len && quote > pkt->ip_len)
		quote = pkt->ip_len;
	if (quote > most)
		quote = most;
	if (quote < 20 || quote > GH_QUOTE6_MAX)
		return GH_DROP_ERROR;
	if (gh_load(a, 0, a->s->in, GH_L2_MAX) ||
		gh_load(a, pkt->l3, &a->s->out[GH_OUT_L4 + 8], quote))
		return GH_DROP_ERROR;
	a->start = gh_put_ethernet(a->s, pkt);
	gh_speak_as_router(a);
	gh_put_icmp(a->s, pkt, quote, a->partial);
	gh_put_ip(a, proto, 8 + quote);
	return GH_ANSWER_PROHIBITED;
}

/* Makes the answer in scratch->out; the reason says whether there is one. */
static __always_inline enum gh_reason gh_respond(struct gh_answer *a)
{
	__u32 zero = 0, network;

	a->s = bpf_map_lookup_elem(&scratch, &zero);
	if (!a->s)
		return GH_DROP_ERROR;
	network = a->q->network;
	a->net = bpf_map_lookup_elem(&networks, &network);
	if (!a->net || a->q->pkt.l3 > GH_L2_MAX)
		return GH_DROP_ERROR;
	if (!gh_may_answer(&a->q->pkt))
		return GH_DROP_CAPTIVE;
	return a->q->reason == GH_ANSWER_PROHIBITED ? gh_answer_icmp(a)
						    : gh_answer_tcp(a);
}

/* False: no answer can be that long. Spares the senders the proof. */
static __always_inline bool gh_has_length(const struct gh_answer *a)
{
	return a->len >= ETH_HLEN && a->len <= GH_L2_MAX + GH_ANSWER_MAX;
}

static __always_inline bool gh_send_xdp(struct xdp_md *ctx, const struct gh_answer *a)
{
	int growth = a->len - a->frame_len;

	if (!gh_has_length(a))
		return false;
	if (growth < 0 && bpf_xdp_adjust_tail(ctx, growth))
		return false;
	if (growth > 0 && bpf_xdp_adjust_head(ctx, -growth) &&
		bpf_xdp_adjust_tail(ctx, growth))
		return false;
	return !bpf_xdp_store_bytes(ctx, 0, &a->s->out[a->start & 63], a->len);
}

static __always_inline bool gh_send_tc(struct __sk_buff *skb, const struct gh_answer *a)
{
	/* Also makes one packet of a super-packet, whatever the length. */
	if (!gh_has_length(a) || bpf_skb_change_tail(skb, a->len, 0) ||
		bpf_skb_store_bytes(skb, 0, &a->s->out[a->start & 63], a->len,
			BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return false;
	skb->mark = GH_MARK_ANSWER;
	return true;
}

SEC("xdp.frags")
int gh_answer_xdp(struct xdp_md *ctx)
{
	struct gh_answer a = {.ctx = ctx, .is_xdp = true};
	enum gh_reason reason = GH_DROP_ERROR;
	__u32 zero = 0;

	a.q = bpf_map_lookup_elem(&question, &zero);
	if (!a.q)
		return XDP_DROP;
	a.frame_len = bpf_xdp_get_buff_len(ctx);
	reason = gh_respond(&a);
	if (gh_answers(reason) && !gh_send_xdp(ctx, &a))
		reason = GH_DROP_ERROR;
	gh_count(reason, 1, a.q->pkt.ip_len);
	return gh_answers(reason) ? XDP_TX : XDP_DROP;
}

SEC("tc")
int gh_answer_tc(struct __sk_buff *skb)
{
	struct gh_answer a = {.ctx = skb};
	enum gh_reason reason = GH_DROP_ERROR;
	__u32 zero = 0;

	a.q = bpf_map_lookup_elem(&question, &zero);
	if (!a.q)
		return TC_ACT_SHOT;
	a.frame_len = skb->len;
	a.partial = BPF_CORE_READ_BITFIELD_PROBED((struct sk_buff *)a.ctx, ip_summed) ==
		    GH_CHECKSUM_PARTIAL;
	reason = gh_respond(&a);
	if (gh_answers(reason) && !gh_send_tc(skb, &a))
		reason = GH_DROP_ERROR;
	gh_count(reason, 1, a.q->pkt.ip_len);
	return gh_answers(reason) ? bpf_redirect(skb->ifindex, 0) : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
