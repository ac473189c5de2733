/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a frame to struct gh_pkt: everything that the decision and the
 * responder read, and nothing they do not. No maps, no helpers: compiles on
 * the host as well. Words are loaded whole, so the host is little-endian.
 *
 * Headers are read in place between `data` and `end`. Whatever is not there,
 * or is not what it claims to be, is GH_DROP_MALFORMED; the hooks compare
 * what the IP header claims with the frame (gh_measure() in measure.h).
 */
#ifndef GH_PARSE_H
#define GH_PARSE_H

/* Two tags, IPv6, extension headers, TCP: what a hook makes linear. */
#define GH_PARSE_BYTES    (14 + 8 + 40 + 64 + 20)
#define GH_VLANS_MAX      2
#define GH_EXTENSIONS_MAX 4

/* RFC 4861 */
#define GH_ICMP6_RS       133
#define GH_ICMP6_RA       134
#define GH_ICMP6_NS       135
#define GH_ICMP6_NA       136
#define GH_ICMP6_REDIRECT 137

#define GH_TCP_FIN 0x01
#define GH_TCP_SYN 0x02
#define GH_TCP_RST 0x04
#define GH_TCP_PSH 0x08
#define GH_TCP_ACK 0x10

enum gh_pkt_flag {
	GH_PKT_GROUP = 1 << 0,     /* to a group address */
	GH_PKT_FRAGMENT = 1 << 1,  /* any part of a datagram, not the whole */
	GH_PKT_OPTIONS = 1 << 2,   /* IPv4 options */
	GH_PKT_EXTENSION = 1 << 3, /* IPv6 extension headers, but for: */
	GH_PKT_HOPBYHOP = 1 << 4,  /* one hop-by-hop header of 8 bytes (MLD) */
	GH_PKT_FORGED = 1 << 5,    /* ARP, ND or DHCP in another's name */
};

struct gh_pkt {
	__u64 src; /* MACs as map keys (struct gh_mac) */
	__u64 dst;
	union {
		struct {
			__be32 src4, dst4;
		};
		struct {
			__be64 src6[2], dst6[2]; /* NA: src6 is the target */
		};
		struct { /* ARP: what the sender says of itself */
			__be32 arp_ip, arp_reserved;
			__u64 arp_mac;
		};
	};
	__be32 ciaddr;   /* DHCP: the address that the client has, 0: none */
	__u32 ip_len;    /* IP bytes by its header; 0: BIG TCP, or a lie */
	__u16 l3;        /* offset of the IP header */
	__u16 l4;        /* offset of the TCP, UDP or ICMP header, 0: none */
	__u16 l4_len;    /* length of that header */
	__u16 ethertype; /* host order, behind the tags */
	__be16 sport, dport;
	__u8 family; /* 4, 6, or 0: not IP */
	__u8 proto;  /* behind the extension headers that were walked */
	__u8 ttl;
	__u8 icmp_type;
	__u8 tcp_flags;
	__u8 flags; /* enum gh_pkt_flag */
};

struct gh_cursor {
	void *data;
	void *at;
	void *end;
};

/* The header of this type at the cursor, which moves behind it; or NULL. */
#define GH_TAKE(c, type)                                                       \
	({                                                                     \
		type *_p = (c)->at;                                            \
		(void *)(_p + 1) > (c)->end ? (type *)0                        \
					    : ((c)->at = _p + 1, _p);          \
	})

#define GH_OFFSET(c, p) ((__u16)((char *)(p) - (char *)(c)->data))

struct gh_tag {
	__be16 tci;
	__be16 proto;
};

/* RFC 8200 section 4: the first bytes of hop-by-hop, routing, destination. */
struct gh_extension {
	__u8 next;
	__u8 words; /* of 8 bytes, behind the first 8 */
	__u8 rest[6];
};

struct gh_icmp {
	__u8 type;
	__u8 rest[7];
};

/* RFC 826 for IPv4 over Ethernet. */
struct gh_arp {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 operation;
	__u8 sender_mac[6], sender_ip[4];
	__u8 target_mac[6], target_ip[4];
};

/* RFC 4861 section 4.3, 4.4: behind the first 8 bytes. */
struct gh_nd_target {
	__be64 addr[2];
};

/* RFC 951, RFC 2131: what comes before the server's name. */
struct gh_bootp {
	__u8 op, hardware, hardware_len, hops;
	__be32 xid;
	__be16 secs, flags;
	__be32 ciaddr, yiaddr, siaddr, giaddr;
	__u8 chaddr[6];
};
#define GH_PORT_DHCPS  bpf_htons(67)
#define GH_PORT_DHCPC  bpf_htons(68)
#define GH_PORT_DHCP6C bpf_htons(546)
#define GH_PORT_DHCP6S bpf_htons(547)
#define GH_DHCP6_RELAY 12 /* RFC 8415: this and above is between relays */

/* RFC 4861 section 4.6: an option's first 8 bytes. */
struct gh_nd_option {
	__u8 type;
	__u8 words; /* of 8 bytes, all of it */
	__u8 mac[6];
};
#define GH_ND_OPTIONS_MAX 4
#define GH_ND_SOURCE_MAC  1
#define GH_ND_TARGET_MAC  2

static __always_inline int gh_parse_tcp(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct tcphdr *tcp = GH_TAKE(c, struct tcphdr);

	if (!tcp || tcp->doff < 5)
		return GH_DROP_MALFORMED;
	pkt->l4 = GH_OFFSET(c, tcp);
	pkt->l4_len = tcp->doff * 4;
	pkt->sport = tcp->source;
	pkt->dport = tcp->dest;
	pkt->tcp_flags = ((__u8 *)tcp)[13];
	return 0;
}

/* A MAC in the frame as a map key. Two bytes before it are in the frame. */
static __always_inline __u64 gh_mac_at(const __u8 *mac)
{
	return *(const __u64 *)(mac - 2) >> 16;
}

/*
 * A server answers whom the message names, not who sent it: a client that
 * speaks for another MAC could have that one's lease, and one that says it is
 * a relay could have the answer sent to anywhere.
 */
static __always_inline int gh_parse_dhcp4(struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct gh_bootp *bootp = GH_TAKE(c, struct gh_bootp);

	if (!bootp)
		return GH_DROP_MALFORMED;
	if (bootp->giaddr || gh_mac_at(bootp->chaddr) != pkt->src)
		pkt->flags |= GH_PKT_FORGED;
	__builtin_memcpy(&pkt->ciaddr, &bootp->ciaddr, 4);
	return 0;
}

static __always_inline int gh_parse_dhcp6(struct gh_cursor *c, struct gh_pkt *pkt)
{
	__u8 *type = GH_TAKE(c, __u8);

	if (!type)
		return GH_DROP_MALFORMED;
	if (*type >= GH_DHCP6_RELAY)
		pkt->flags |= GH_PKT_FORGED;
	return 0;
}

static __always_inline int gh_parse_udp(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct udphdr *udp = GH_TAKE(c, struct udphdr);

	if (!udp)
		return GH_DROP_MALFORMED;
	pkt->l4 = GH_OFFSET(c, udp);
	pkt->l4_len = sizeof(*udp);
	pkt->sport = udp->source;
	pkt->dport = udp->dest;
	if (pkt->sport == GH_PORT_DHCPC && pkt->dport == GH_PORT_DHCPS &&
		pkt->family == 4)
		return gh_parse_dhcp4(c, pkt);
	if (pkt->sport == GH_PORT_DHCP6C && pkt->dport == GH_PORT_DHCP6S &&
		pkt->family == 6)
		return gh_parse_dhcp6(c, pkt);
	return 0;
}

/*
 * Neighbours believe what ARP and ND say of MACs: whoever could name another's
 * would have that one pay for what he gets, or get what that one pays for.
 */
static __always_inline int gh_parse_arp(struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct gh_arp *arp = GH_TAKE(c, struct gh_arp);

	if (!arp || arp->hardware_len != 6 || arp->protocol_len != 4)
		return GH_DROP_MALFORMED;
	__builtin_memcpy(&pkt->arp_ip, arp->sender_ip, sizeof(pkt->arp_ip));
	pkt->arp_mac = gh_mac_at(arp->sender_mac);
	if (pkt->arp_mac != pkt->src)
		pkt->flags |= GH_PKT_FORGED;
	return 0;
}

/* Options of RS, NS and NA; more than a host would send are forged. */
static __always_inline int gh_parse_nd(struct gh_cursor *c, struct gh_pkt *pkt)
{
	void *ip_end = (char *)c->data + pkt->l3 + pkt->ip_len;
	struct gh_nd_target *target;
	struct gh_nd_option *option;

	if (pkt->icmp_type != GH_ICMP6_RS) {
		target = GH_TAKE(c, struct gh_nd_target);
		if (!target)
			return 0; /* no host takes it for more than it is */
		/* It speaks for this one, whatever it comes from. */
		if (pkt->icmp_type == GH_ICMP6_NA) {
			pkt->src6[0] = target->addr[0];
			pkt->src6[1] = target->addr[1];
		}
	}
#pragma unroll
	for (int i = 0; i < GH_ND_OPTIONS_MAX; i++) {
		if (c->at >= ip_end)
			return 0;
		option = GH_TAKE(c, struct gh_nd_option);
		if (!option || !option->words)
			return GH_DROP_MALFORMED;
		if ((option->type == GH_ND_SOURCE_MAC ||
			    option->type == GH_ND_TARGET_MAC) &&
			gh_mac_at(option->mac) != pkt->src)
			pkt->flags |= GH_PKT_FORGED;
		c->at = (char *)c->at + option->words * 8 - 8;
		if (c->at > c->end)
			return GH_DROP_MALFORMED;
	}
	if (c->at < ip_end)
		pkt->flags |= GH_PKT_FORGED;
	return 0;
}

static __always_inline int gh_parse_icmp(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct gh_icmp *icmp = GH_TAKE(c, struct gh_icmp);

	if (!icmp)
		return GH_DROP_MALFORMED;
	pkt->l4 = GH_OFFSET(c, icmp);
	pkt->l4_len = sizeof(*icmp);
	pkt->icmp_type = icmp->type;
	if (pkt->family == 6 &&
		(icmp->type == GH_ICMP6_RS || icmp->type == GH_ICMP6_NS ||
			icmp->type == GH_ICMP6_NA))
		return gh_parse_nd(c, pkt);
	return 0;
}

/* What is above IP must be inside the IP packet, not in Ethernet's padding. */
static __always_inline int gh_parse_l4(struct gh_cursor *c, struct gh_pkt *pkt)
{
	int fault = 0;

	if (pkt->proto == IPPROTO_TCP)
		fault = gh_parse_tcp(c, pkt);
	else if (pkt->proto == IPPROTO_UDP)
		fault = gh_parse_udp(c, pkt);
	else if (pkt->proto == (pkt->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		fault = gh_parse_icmp(c, pkt);
	if (fault)
		return fault;
	if (pkt->l4 && pkt->ip_len && pkt->l4 + pkt->l4_len > pkt->l3 + pkt->ip_len)
		return GH_DROP_MALFORMED;
	return 0;
}

static __always_inline int gh_parse_ipv4(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct iphdr *ip = GH_TAKE(c, struct iphdr);
	__u32 header;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return GH_DROP_MALFORMED;
	header = ip->ihl * 4;
	pkt->family = 4;
	pkt->l3 = GH_OFFSET(c, ip);
	pkt->ip_len = bpf_ntohs(ip->tot_len);
	pkt->proto = ip->protocol;
	pkt->ttl = ip->ttl;
	pkt->src4 = ip->saddr;
	pkt->dst4 = ip->daddr;
	if ((ip->daddr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
		ip->daddr == 0xffffffff)
		pkt->flags |= GH_PKT_GROUP;
	if (pkt->ip_len && pkt->ip_len < header)
		return GH_DROP_MALFORMED;
	if (header > sizeof(*ip)) {
		pkt->flags |= GH_PKT_OPTIONS;
		c->at = (char *)ip + header;
		if (c->at > c->end)
			return GH_DROP_MALFORMED;
	}
	if (ip->frag_off & bpf_htons(0x3fff))
		pkt->flags |= GH_PKT_FRAGMENT;
	if (ip->frag_off & bpf_htons(0x1fff))
		return 0; /* no header of layer 4 in this part */
	return gh_parse_l4(c, pkt);
}

/*
 * Walks the extension headers that every node may skip. Stops, with no layer
 * 4, at those it may not: fragment, authentication, encryption, unknown.
 */
static __always_inline int gh_parse_extensions(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct gh_extension *ext;

#pragma unroll
	for (int i = 0; i < GH_EXTENSIONS_MAX; i++) {
		if (pkt->proto != IPPROTO_HOPOPTS &&
			pkt->proto != IPPROTO_ROUTING &&
			pkt->proto != IPPROTO_DSTOPTS)
			break;
		ext = GH_TAKE(c, struct gh_extension);
		if (!ext)
			return GH_DROP_MALFORMED;
		if (i == 0 && pkt->proto == IPPROTO_HOPOPTS && !ext->words)
			pkt->flags |= GH_PKT_HOPBYHOP;
		else
			pkt->flags |= GH_PKT_EXTENSION;
		pkt->proto = ext->next;
		c->at = (char *)c->at + ext->words * 8;
		if (c->at > c->end)
			return GH_DROP_MALFORMED;
	}
	return 0;
}

static __always_inline int gh_parse_ipv6(
	struct gh_cursor *c, struct gh_pkt *pkt)
{
	struct ipv6hdr *ip = GH_TAKE(c, struct ipv6hdr);
	const __be64 *addr;
	int fault;

	if (!ip || ip->version != 6)
		return GH_DROP_MALFORMED;
	addr = (const __be64 *)&ip->saddr;
	pkt->family = 6;
	pkt->l3 = GH_OFFSET(c, ip);
	pkt->ip_len = bpf_ntohs(ip->payload_len);
	if (pkt->ip_len)
		pkt->ip_len += sizeof(*ip);
	pkt->proto = ip->nexthdr;
	pkt->ttl = ip->hop_limit;
	pkt->src6[0] = addr[0];
	pkt->src6[1] = addr[1];
	pkt->dst6[0] = addr[2];
	pkt->dst6[1] = addr[3];
	if ((pkt->dst6[0] & 0xff) == 0xff)
		pkt->flags |= GH_PKT_GROUP;
	fault = gh_parse_extensions(c, pkt);
	if (fault)
		return fault;
	if (pkt->ip_len && GH_OFFSET(c, c->at) > pkt->l3 + pkt->ip_len)
		return GH_DROP_MALFORMED;
	switch (pkt->proto) {
	case IPPROTO_FRAGMENT:
		pkt->flags |= GH_PKT_FRAGMENT;
		return 0;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_MH:
		pkt->flags |= GH_PKT_EXTENSION;
		return 0;
	}
	return gh_parse_l4(c, pkt);
}

/*
 * Fills *pkt, which is all zero. Returns 0, or the reason to drop the frame.
 * MACs are set whenever the frame has a whole Ethernet header. `tags`: how
 * many VLAN tags the skb has in its metadata; two in all is the most, a third
 * one is an ethertype like any other that is not IP.
 */
static __always_inline int gh_parse(
	void *data, void *end, struct gh_pkt *pkt, __u32 tags)
{
	struct gh_cursor c = {data, data, end};
	struct ethhdr *eth = GH_TAKE(&c, struct ethhdr);
	struct gh_tag *tag;

	if (!eth)
		return GH_DROP_MALFORMED;
	/* Whole words: keys built from bytes stall the hash of the map. */
	pkt->dst = *(__u64 *)eth & 0xffffffffffffULL;
	pkt->src = *(__u64 *)((char *)eth + 6) & 0xffffffffffffULL;
	pkt->ethertype = bpf_ntohs(eth->h_proto);
#pragma unroll
	for (__u32 i = 0; i < GH_VLANS_MAX; i++) {
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
	pkt->l3 = GH_OFFSET(&c, c.at);
	if (pkt->ethertype == ETH_P_IP)
		return gh_parse_ipv4(&c, pkt);
	if (pkt->ethertype == ETH_P_IPV6)
		return gh_parse_ipv6(&c, pkt);
	if (pkt->ethertype == ETH_P_ARP)
		return gh_parse_arp(&c, pkt);
	return 0;
}

#endif
