/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS steering: what a captive client asks of a DNS server of its own goes to
 * the network's resolver, and the answer comes back from the server asked
 * (docs/design.md 4.13). policy.h says which packets; here they are changed,
 * behind the verdict on them, and the server is kept for the answer.
 *
 * No packet changes its length or the place of a header.
 */
#ifndef GH_STEER_H
#define GH_STEER_H

/* How long an answer is waited for; resolvers of phones give up before. */
#define GH_STEER_NS (10 * GH_SEC)

#define GH_AT_CHECK4 10 /* where it is in its header, bytes */
#define GH_AT_SOURCE4 12
#define GH_AT_SOURCE6 8
#define GH_AT_UDP_CHECK 6
#define GH_AT_DNS_ID 8 /* behind the UDP header */

/* One address of a packet that becomes another; both as in the header. */
struct gh_change {
	__be32 from[4], to[4];
	__u32 len; /* 4 or 16 */
	__u32 at;  /* in the frame */
};

static __always_inline void gh_change_make(struct gh_change *c,
	const struct gh_pkt *pkt, const struct gh_ip *to, bool source)
{
	const __be32 *words = (const __be32 *)to;

	if (pkt->family == 4) {
		c->len = 4;
		c->at = pkt->l3 + GH_AT_SOURCE4 + (source ? 0 : 4);
		c->from[0] = source ? pkt->src4 : pkt->dst4;
		c->to[0] = words[3];
		return;
	}
	c->len = 16;
	c->at = pkt->l3 + GH_AT_SOURCE6 + (source ? 0 : 16);
	__builtin_memcpy(c->from, source ? pkt->src6 : pkt->dst6, 16);
	__builtin_memcpy(c->to, words, 16);
}

/* The difference that an Internet checksum must take up, added to `seed`. */
static __always_inline __s64 gh_change_sum(struct gh_change *c, __u32 seed)
{
	return c->len == 4 ? bpf_csum_diff(c->from, 4, c->to, 4, seed)
			   : bpf_csum_diff(c->from, 16, c->to, 16, seed);
}

/*
 * The kernel may have summed the skb up, or have a checksum still to be made;
 * its helpers know. The pseudo header's part is of both families; of the
 * skb's own sum, IPv4's header takes its change back, and IPv6 has none.
 */
static __always_inline int gh_change_tc(
	struct __sk_buff *skb, const struct gh_pkt *pkt, struct gh_change *c)
{
	__u32 check = pkt->l4 + GH_AT_UDP_CHECK;
	const __u64 flags = BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0;

	if (bpf_l4_csum_replace(skb, check, 0, gh_change_sum(c, 0), flags))
		return -1;
	if (c->len == 16)
		return bpf_skb_store_bytes(
			skb, c->at, c->to, 16, BPF_F_RECOMPUTE_CSUM);
	if (bpf_l3_csum_replace(
		    skb, pkt->l3 + GH_AT_CHECK4, c->from[0], c->to[0], 4))
		return -1;
	return bpf_skb_store_bytes(skb, c->at, c->to, 4, 0);
}

static __always_inline __u16 gh_check_fold(__s64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff);
	return ~(sum + (sum >> 16));
}

static __always_inline int gh_check_xdp(
	struct xdp_md *ctx, __u32 at, struct gh_change *c, bool udp)
{
	__u16 check;

	if (bpf_xdp_load_bytes(ctx, at, &check, sizeof(check)))
		return -1;
	/* RFC 768: 0 is none, so what comes to 0 is written as the other 0. */
	if (udp && !check)
		return 0;
	check = gh_check_fold(gh_change_sum(c, (__u16)~check));
	if (udp && !check)
		check = 0xffff;
	return bpf_xdp_store_bytes(ctx, at, &check, sizeof(check));
}

static __always_inline int gh_change_xdp(
	struct xdp_md *ctx, const struct gh_pkt *pkt, struct gh_change *c)
{
	if (gh_check_xdp(ctx, pkt->l4 + GH_AT_UDP_CHECK, c, true))
		return -1;
	if (c->len == 16)
		return bpf_xdp_store_bytes(ctx, c->at, c->to, 16);
	if (gh_check_xdp(ctx, pkt->l3 + GH_AT_CHECK4, c, false))
		return -1;
	return bpf_xdp_store_bytes(ctx, c->at, c->to, 4);
}

static __always_inline void gh_steer_key_make(struct gh_steer_key *key,
	const struct gh_pkt *pkt, __u32 network, __be16 id, bool up)
{
	*(__u64 *)&key->mac = up ? pkt->src : pkt->dst;
	if (pkt->family == 4)
		gh_ip_from4(&key->client, up ? pkt->src4 : pkt->dst4);
	else
		gh_ip_from6(&key->client, up ? pkt->src6 : pkt->dst6);
	key->port = up ? pkt->sport : pkt->dport;
	key->id = id;
	key->network = network;
}

/*
 * Keeps whom the client asked, and says what the packet's target becomes; < 0:
 * it cannot be steered. One that asks two servers alike, in one breath and
 * from one port (musl), hears both answers from the last of them.
 */
static __always_inline int gh_steer_note(const struct gh_pkt *pkt,
	__u32 network, __be16 id, struct gh_change *c)
{
	struct gh_network *net = bpf_map_lookup_elem(&networks, &network);
	struct gh_steered asked = {.asked_ns = gh_now_ns()};
	struct gh_steer_key key = {};
	struct gh_ip to;

	if (!net)
		return -1;
	gh_steer_key_make(&key, pkt, network, id, true);
	if (pkt->family == 4) {
		gh_ip_from4(&to, net->resolver4);
		gh_ip_from4(&asked.server, pkt->dst4);
	} else {
		gh_ip_from6(&to, (const __be64 *)net->resolver6);
		gh_ip_from6(&asked.server, pkt->dst6);
	}
	gh_change_make(c, pkt, &to, false);
	return bpf_map_update_elem(&steered, &key, &asked, BPF_ANY);
}

/* Functions of their own for the verifier, and to keep them off the fast path. */
__weak __noinline int gh_steer_tc(
	struct __sk_buff *skb, const struct gh_pkt *pkt, __u32 network)
{
	struct gh_change c = {};
	__be16 id;

	if (!pkt || bpf_skb_load_bytes(skb, pkt->l4 + GH_AT_DNS_ID, &id, 2) ||
		gh_steer_note(pkt, network, id, &c))
		return -1;
	return gh_change_tc(skb, pkt, &c);
}

__weak __noinline int gh_steer_xdp(
	struct xdp_md *ctx, const struct gh_pkt *pkt, __u32 network)
{
	struct gh_change c = {};
	__be16 id;

	if (!pkt || bpf_xdp_load_bytes(ctx, pkt->l4 + GH_AT_DNS_ID, &id, 2) ||
		gh_steer_note(pkt, network, id, &c))
		return -1;
	return gh_change_xdp(ctx, pkt, &c);
}

/* Whom the client asked what this answers; NULL: the resolver itself. */
static __always_inline struct gh_steered *gh_steer_find(
	struct __sk_buff *skb, const struct gh_pkt *pkt, __u32 network)
{
	struct gh_steer_key key = {};
	struct gh_steered *asked;
	__be16 id;

	if (!pkt || bpf_skb_load_bytes(skb, pkt->l4 + GH_AT_DNS_ID, &id, 2))
		return NULL;
	gh_steer_key_make(&key, pkt, network, id, false);
	asked = bpf_map_lookup_elem(&steered, &key);
	return asked && gh_now_ns() - asked->asked_ns < GH_STEER_NS ? asked
								   : NULL;
}

/* Whether an answer that comes from elsewhere is one to what was steered. */
__weak __noinline int gh_was_steered(
	struct __sk_buff *skb, const struct gh_pkt *pkt, __u32 network)
{
	return gh_steer_find(skb, pkt, network) != NULL;
}

/*
 * Gives an answer the source that was asked, if it was another; 0, or -1. Finds
 * the network anew, so that the fast path need not keep it.
 */
__weak __noinline int gh_answer_as_asked(
	struct __sk_buff *skb, const struct gh_pkt *pkt)
{
	struct gh_frame f = {};
	struct gh_steered *asked;
	struct gh_change c = {};

	if (!pkt || !gh_find_network(&f, skb->ifindex) ||
		!gh_is_resolver_answer(pkt, f.net))
		return 0;
	asked = gh_steer_find(skb, pkt, f.network);
	if (!asked)
		return 0;
	gh_change_make(&c, pkt, &asked->server, true);
	return gh_change_tc(skb, pkt, &c);
}

#endif
