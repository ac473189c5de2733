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

/* The frame as the hooks have it. */
struct gh_hook {
	void *ctx;
	bool is_xdp;
};

/*
 * A length of `least` to GH_OUT_MASK bytes, which a helper may have; 0: it is
 * shorter. By a mask, hidden from the compiler, which makes one comparison of
 * two: then the verifier, before 6.18, knows nothing.
 */
static __always_inline __u32 gh_bounded(__u32 len, __u32 least)
{
	asm volatile("" : "+r"(len));
	len &= GH_OUT_MASK;
	asm volatile("" : "+r"(len));
	return len < least ? 0 : len;
}

/* `len` is of gh_bounded(). */
static __always_inline int gh_load(
	const struct gh_hook *h, __u32 at, void *to, __u32 len)
{
	return h->is_xdp ? bpf_xdp_load_bytes(h->ctx, at, to, len)
			 : bpf_skb_load_bytes(h->ctx, at, to, len);
}

/* Reads the headers and the first GH_HEAD_MAX bytes behind them; returns where
 * the data ends, 0: the frame is not whole. */
static __always_inline __u32 gh_read_segment(
	const struct gh_hook *h, struct gh_answer *a)
{
	const struct gh_pkt *pkt = a->pkt;
	__u32 end = pkt->ip_len ? pkt->l3 + pkt->ip_len : a->frame_len;
	__u32 payload = pkt->l4 + pkt->l4_len;
	__u32 len = end;

	if (end < payload)
		return 0;
	if (len > payload + GH_HEAD_MAX)
		len = payload + GH_HEAD_MAX;
	len = gh_bounded(len, ETH_HLEN + 40);
	if (!len || gh_load(h, 0, a->s->in, len))
		return 0;
	a->s->end = len;
	return end;
}

static __always_inline enum gh_reason gh_respond_tcp(
	const struct gh_hook *h, struct gh_answer *a, bool redirect)
{
	__u32 zero = 0, end;
	struct gh_secret *key = bpf_map_lookup_elem(&secret, &zero);

	if (!key)
		return GH_DROP_ERROR;
	end = gh_read_segment(h, a);
	if (!end)
		return GH_DROP_ERROR;
	return gh_answer_tcp(a, key->key, end, redirect);
}

/*
 * On TC, a datagram whose checksum is still to be made can only become an ICMP
 * message when that checksum would land in the header's unused half: a tunnel's
 * inner checksum, or SCTP's, would land in the quote.
 */
static __always_inline bool gh_can_become_icmp(
	const struct gh_hook *h, const struct gh_answer *a)
{
	const struct sk_buff *skb = h->ctx;
	__u64 head = 0, data = 0;
	__u16 start = 0, offset = 0;

	if (!a->partial)
		return true;
	bpf_core_read(&start, sizeof(start), &skb->csum_start);
	bpf_core_read(&offset, sizeof(offset), &skb->csum_offset);
	bpf_core_read(&head, sizeof(head), &skb->head);
	bpf_core_read(&data, sizeof(data), &skb->data);
	return head + start == data + a->pkt->l4 && offset == GH_UDP_CHECKSUM;
}

static __always_inline enum gh_reason gh_respond_icmp(
	const struct gh_hook *h, struct gh_answer *a)
{
	__u32 quote = gh_bounded(gh_quote_len(a), 20);

	if (!gh_may_refuse(a->pkt) || !gh_can_become_icmp(h, a))
		return GH_DROP_CAPTIVE;
	if (!quote || gh_load(h, 0, a->s->in, GH_L2_MAX) ||
		gh_load(h, a->pkt->l3, &a->s->out[GH_OUT_L4 + 8], quote))
		return GH_DROP_ERROR;
	gh_answer_icmp(a, quote);
	return GH_ANSWER_PROHIBITED;
}

/* Makes the answer in scratch->out; the reason says whether there is one. */
static __always_inline enum gh_reason gh_respond(const struct gh_hook *h,
	struct gh_answer *a, const struct gh_question *q)
{
	__u32 zero = 0, network = q->network;

	a->s = bpf_map_lookup_elem(&scratch, &zero);
	if (!a->s)
		return GH_DROP_ERROR;
	a->net = bpf_map_lookup_elem(&networks, &network);
	if (!a->net || a->pkt->l3 > GH_L2_MAX)
		return GH_DROP_ERROR;
	if (!gh_may_answer(a->pkt))
		return GH_DROP_CAPTIVE;
	if (q->reason == GH_ANSWER_PROHIBITED)
		return gh_respond_icmp(h, a);
	return gh_respond_tcp(h, a, q->reason == GH_ANSWER_REDIRECT);
}

static __always_inline bool gh_send_xdp(struct xdp_md *ctx, const struct gh_answer *a)
{
	__u32 len = gh_bounded(a->len, ETH_HLEN);
	int growth = len - a->frame_len;

	if (!len)
		return false;
	if (growth < 0 && bpf_xdp_adjust_tail(ctx, growth))
		return false;
	if (growth > 0 && bpf_xdp_adjust_head(ctx, -growth) &&
		bpf_xdp_adjust_tail(ctx, growth))
		return false;
	return !bpf_xdp_store_bytes(ctx, 0, &a->s->out[a->start & 63], len);
}

static __always_inline bool gh_send_tc(struct __sk_buff *skb, const struct gh_answer *a)
{
	__u32 len = gh_bounded(a->len, ETH_HLEN);

	/* Also makes one packet of a super-packet, whatever the length. */
	if (!len || bpf_skb_change_tail(skb, len, 0) ||
		bpf_skb_store_bytes(skb, 0, &a->s->out[a->start & 63], len,
			BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return false;
	skb->mark = GH_MARK_ANSWER;
	return true;
}

SEC("xdp.frags")
int gh_answer_xdp(struct xdp_md *ctx)
{
	struct gh_hook h = {.ctx = ctx, .is_xdp = true};
	struct gh_answer a = {.growth = GH_XDP_GROWTH};
	enum gh_reason reason;
	struct gh_question *q;
	__u32 zero = 0;

	q = bpf_map_lookup_elem(&question, &zero);
	if (!q)
		return XDP_DROP;
	a.pkt = &q->pkt;
	a.frame_len = bpf_xdp_get_buff_len(ctx);
	reason = gh_respond(&h, &a, q);
	if (gh_answers(reason) && !gh_send_xdp(ctx, &a))
		reason = GH_DROP_ERROR;
	gh_count(reason, q->packets, q->bytes);
	return gh_answers(reason) ? XDP_TX : XDP_DROP;
}

SEC("tc")
int gh_answer_tc(struct __sk_buff *skb)
{
	struct gh_hook h = {.ctx = skb};
	struct gh_answer a = {.growth = GH_ANSWER_MAX};
	enum gh_reason reason;
	struct gh_question *q;
	__u32 zero = 0;

	q = bpf_map_lookup_elem(&question, &zero);
	if (!q)
		return TC_ACT_SHOT;
	a.pkt = &q->pkt;
	a.frame_len = skb->len;
	a.partial = BPF_CORE_READ_BITFIELD_PROBED((struct sk_buff *)h.ctx,
			    ip_summed) == GH_CHECKSUM_PARTIAL;
	reason = gh_respond(&h, &a, q);
	if (gh_answers(reason) && !gh_send_tc(skb, &a))
		reason = GH_DROP_ERROR;
	gh_count(reason, q->packets, q->bytes);
	return gh_answers(reason) ? bpf_redirect(skb->ifindex, 0) : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
