/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a frame to struct gh_pkt: everything that the decision reads, and
 * nothing it does not. No maps, no helpers: compiles on the host as well.
 *
 * Headers are read in place between `data` and `end`; the caller makes sure
 * that GH_PARSE_BYTES of them are linear. Whatever is not there, or is not
 * what it claims to be, is GH_DROP_MALFORMED.
 */
#ifndef GH_PARSE_H
#define GH_PARSE_H

/* Two tags, IPv6, one hop-by-hop header, TCP with options. */
#define GH_PARSE_BYTES (14 + 8 + 40 + 64 + 60)
#define GH_VLANS_MAX   2


enum gh_pkt_flag {
	GH_PKT_GROUP     = 1 << 0, /* to a group MAC or a group address */
	GH_PKT_FRAGMENT  = 1 << 1, /* any fragment but a whole one */
	GH_PKT_OPTIONS   = 1 << 2, /* IPv4 options */
	GH_PKT_EXTENSION = 1 << 3, /* IPv6 extension headers, not one hop-by-hop */
	GH_PKT_HOPBYHOP  = 1 << 4, /* exactly one hop-by-hop header (MLD) */
};

struct gh_pkt {
	__u64 src; /* MACs as map keys (struct gh_mac) */
	__u64 dst;
	union {
		struct {
			__be32 src4, dst4;
		};
		struct {
			__be64 src6[2], dst6[2];
		};
	};
	__u32 ip_len;  /* IP bytes of this frame by its header */
	__u16 l3;      /* offset of the IP header */
	__u16 l4;      /* offset of the TCP, UDP or ICMP header, 0: none */
	__u16 l4_len;  /* length of that header */
	__u16 ethertype; /* host order, behind the tags */
	__be16 sport, dport;
	__u8 family;   /* 4, 6, or 0: not IP */
	__u8 proto;
	__u8 ttl;
	__u8 icmp_type;
	__u8 tcp_flags;
	__u8 flags; /* enum gh_pkt_flag */
};

struct gh_cursor {
	void *at;
	void *end;
};

#define GH_TAKE(c, type)                                               \
	({                                                             \
		type *_p = (c)->at;                                    \
		(void *)(_p + 1) > (c)->end ? (type *)0                \
					    : ((c)->at = _p + 1, _p);  \
	})

#define GH_OFFSET(p, data) ((__u16)((char *)(p) - (char *)(data)))

struct gh_tag {
	__be16 tci;
	__be16 proto;
};

static __always_inline int gh_parse_l4(
	struct gh_cursor *c, void *data, struct gh_pkt *pkt)
{
	if (pkt->proto == IPPROTO_TCP) {
		struct tcphdr *tcp = GH_TAKE(c, struct tcphdr);

		if (!tcp || tcp->doff < 5)
			return GH_DROP_MALFORMED;
		pkt->l4 = GH_OFFSET(tcp, data);
		pkt->l4_len = tcp->doff * 4;
		pkt->sport = tcp->source;
		pkt->dport = tcp->dest;
		pkt->tcp_flags = ((__u8 *)tcp)[13];
	} else if (pkt->proto == IPPROTO_UDP) {
		struct udphdr *udp = GH_TAKE(c, struct udphdr);

		if (!udp)
			return GH_DROP_MALFORMED;
		pkt->l4 = GH_OFFSET(udp, data);
		pkt->l4_len = sizeof(*udp);
		pkt->sport = udp->source;
		pkt->dport = udp->dest;
	} else if (pkt->proto == IPPROTO_ICMP || pkt->proto == IPPROTO_ICMPV6) {
		struct gh_tag *icmp = GH_TAKE(c, struct gh_tag);

		if (!icmp)
			return GH_DROP_MALFORMED;
		pkt->l4 = GH_OFFSET(icmp, data);
		pkt->l4_len = 8;
		pkt->icmp_type = *(__u8 *)icmp;
	}
	return 0;
}

static __always_inline int gh_parse_ipv4(
	struct gh_cursor *c, void *data, struct gh_pkt *pkt)
{
	struct iphdr *ip = GH_TAKE(c, struct iphdr);
	__u32 header;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return GH_DROP_MALFORMED;
	header = ip->ihl * 4;
	pkt->family = 4;
	pkt->l3 = GH_OFFSET(ip, data);
	pkt->ip_len = bpf_ntohs(ip->tot_len);
	pkt->proto = ip->protocol;
	pkt->ttl = ip->ttl;
	pkt->src4 = ip->saddr;
	pkt->dst4 = ip->daddr;
	if ((ip->daddr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
	    ip->daddr == 0xffffffff)
		pkt->flags |= GH_PKT_GROUP;
	if (header > sizeof(*ip)) {
		pkt->flags |= GH_PKT_OPTIONS;
		c->at = (char *)c->at + (header - sizeof(*ip));
	}
	/* 0 is a super-packet beyond 64 KiB (BIG TCP); the hook knows its length */
	if (pkt->ip_len && pkt->ip_len < header)
		return GH_DROP_MALFORMED;
	if (ip->frag_off & bpf_htons(0x3fff)) {
		pkt->flags |= GH_PKT_FRAGMENT;
		if (ip->frag_off & bpf_htons(0x1fff))
			return 0;
	}
	return gh_parse_l4(c, data, pkt);
}

static __always_inline int gh_parse_ipv6(
	struct gh_cursor *c, void *data, struct gh_pkt *pkt)
{
	struct ipv6hdr *ip = GH_TAKE(c, struct ipv6hdr);

	if (!ip || ip->version != 6)
		return GH_DROP_MALFORMED;
	pkt->family = 6;
	pkt->l3 = GH_OFFSET(ip, data);
	pkt->ip_len = bpf_ntohs(ip->payload_len);
	if (pkt->ip_len)
		pkt->ip_len += sizeof(*ip);
	pkt->proto = ip->nexthdr;
	pkt->ttl = ip->hop_limit;
	__builtin_memcpy(pkt->src6, &ip->saddr, 16);
	__builtin_memcpy(pkt->dst6, &ip->daddr, 16);
	if (ip->daddr.s6_addr[0] == 0xff)
		pkt->flags |= GH_PKT_GROUP;
	if (pkt->proto == IPPROTO_HOPOPTS) {
		__u8 *hop = c->at;

		/* Eight bytes are what MLD has: a router alert and padding. */
		if ((void *)(hop + 8) > c->end)
			return GH_DROP_MALFORMED;
		if (hop[1] != 0) {
			pkt->flags |= GH_PKT_EXTENSION;
			return 0;
		}
		pkt->flags |= GH_PKT_HOPBYHOP;
		pkt->proto = hop[0];
		c->at = hop + 8;
	}
	switch (pkt->proto) {
	case IPPROTO_FRAGMENT:
		pkt->flags |= GH_PKT_FRAGMENT;
		return 0;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case 135: /* mobility, RFC 6275 */
		pkt->flags |= GH_PKT_EXTENSION;
		return 0;
	}
	return gh_parse_l4(c, data, pkt);
}

/*
 * Fills *pkt, which is all zero. Returns 0, or the reason to drop the frame.
 * MACs are set whenever the frame has a whole Ethernet header. `tags`: how
 * many VLAN tags the skb has in its metadata; two in all is the most.
 */
static __always_inline int gh_parse(
	void *data, void *end, struct gh_pkt *pkt, int tags)
{
	struct gh_cursor c = { data, end };
	struct ethhdr *eth = GH_TAKE(&c, struct ethhdr);

	if (!eth)
		return GH_DROP_MALFORMED;
	/* Whole-word loads: keys built from bytes stall the map's hash. */
	pkt->dst = *(__u64 *)eth & 0xffffffffffffULL;
	pkt->src = *(__u64 *)((char *)eth + 6) & 0xffffffffffffULL;
	if (eth->h_dest[0] & 1)
		pkt->flags |= GH_PKT_GROUP;
	pkt->ethertype = bpf_ntohs(eth->h_proto);
#pragma unroll
	for (int i = 0; i < GH_VLANS_MAX; i++) {
		struct gh_tag *tag;

		if (pkt->ethertype != ETH_P_8021Q &&
		    pkt->ethertype != ETH_P_8021AD)
			break;
		if (i + tags >= GH_VLANS_MAX)
			break;
		tag = GH_TAKE(&c, struct gh_tag);
		if (!tag)
			return GH_DROP_MALFORMED;
		pkt->ethertype = bpf_ntohs(tag->proto);
	}
	pkt->l3 = GH_OFFSET(c.at, data);
	if (pkt->ethertype == ETH_P_IP)
		return gh_parse_ipv4(&c, data, pkt);
	if (pkt->ethertype == ETH_P_IPV6)
		return gh_parse_ipv6(&c, data, pkt);
	return 0;
}

#endif
