/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a frame gets: the rules, and only the rules. Pure functions of the
 * parsed packet, the network and what the client's record grants; they say
 * which reason applies, which limit the frame must also be within, and whether
 * the record pays. What depends on the traffic before it is judged elsewhere:
 * limits in limits.h, the quota in usage.h; and so is the garden, in garden.h.
 * Compiles on the host.
 *
 * Start at gh_decide_up() and gh_decide_down(), and read upwards.
 */
#ifndef GH_POLICY_H
#define GH_POLICY_H

#define GH_READ(x) (*(volatile __typeof__(x) *)&(x))

#define GH_PORT_DNS    bpf_htons(53)
#define GH_PORT_HTTP   bpf_htons(80)
#define GH_PORT_HTTPS  bpf_htons(443)
#define GH_PORT_DNS_TLS bpf_htons(853) /* and QUIC */

/* RFC 792, RFC 4443, RFC 2710, RFC 3810 */
#define GH_ICMP_REDIRECT 5
#define GH_ICMP_ECHO     8
#define GH_ICMP6_ECHO    128
#define GH_ICMP6_MLD1_QUERY  130
#define GH_ICMP6_MLD1_DONE   132
#define GH_ICMP6_MLD2_REPORT 143

struct gh_verdict {
	enum gh_reason reason;
	enum gh_meter_kind meter;
	bool charge; /* count it against the record, if its quota agrees */
	bool garden; /* unless the other end is in the garden: then it passes */
};

static __always_inline struct gh_verdict gh_metered(
	enum gh_reason reason, enum gh_meter_kind meter)
{
	return (struct gh_verdict){.reason = reason, .meter = meter};
}

static __always_inline struct gh_verdict gh_verdict(enum gh_reason reason)
{
	return gh_metered(reason, GH_METER_NONE);
}

/* A copy of the policy that is whole (docs/design.md 4.3). */
struct gh_grant {
	enum gh_state state;
	__u64 expires_ns;
	__u64 quota_bytes;
	__u64 networks;
	__u32 group; /* 0: none */
};

/* False: an edit was under way. */
static __always_inline bool gh_grant_try(
	const struct gh_policy *p, struct gh_grant *grant)
{
	__u32 seq = GH_READ(p->seq);

	grant->state = GH_READ(p->state);
	grant->expires_ns = GH_READ(p->expires_ns);
	grant->quota_bytes = GH_READ(p->quota_bytes);
	grant->networks = GH_READ(p->networks);
	grant->group = GH_READ(p->group);
	return !(seq & 1) && GH_READ(p->seq) == seq;
}

/*
 * After 4 tries the record counts as closed for this packet: a mixture of two
 * policies could allow what neither does. Not a loop: the verifier of 6.1
 * refuses one that is entered by falling into it.
 */
static __always_inline void gh_grant_read(
	const struct gh_policy *p, struct gh_grant *grant)
{
	if (!gh_grant_try(p, grant) && !gh_grant_try(p, grant) &&
		!gh_grant_try(p, grant) && !gh_grant_try(p, grant))
		grant->state = GH_STATE_CLOSED;
}

/* 0: may pass; otherwise why this record gives no access now. */
static __always_inline int gh_refusal(
	const struct gh_grant *grant, __u32 network, __u64 now_ns)
{
	switch (grant->state) {
	case GH_STATE_EXEMPT:
	case GH_STATE_RUNNING:
		break;
	case GH_STATE_PAUSED:
		return GH_DROP_PAUSED;
	case GH_STATE_HELD:
		return GH_DROP_HELD;
	case GH_STATE_BLOCKED:
		return GH_DROP_BLOCKED;
	case GH_STATE_CLOSED:
	default: /* a number that this version does not know */
		return GH_DROP_CLOSED;
	}
	if (!(grant->networks >> (network & 63) & 1))
		return GH_DROP_ELSEWHERE;
	if (now_ns >= grant->expires_ns)
		return GH_DROP_EXPIRED;
	return 0;
}

/* fe80::/10 and ff02::/16: a router forwards neither (RFC 4291). */
static __always_inline bool gh_is_linklocal6(const __be64 *addr)
{
	return (addr[0] & 0xc0ff) == 0x80fe;
}
static __always_inline bool gh_is_linkgroup6(const __be64 *addr)
{
	return (addr[0] & 0xffff) == 0x02ff;
}

static __always_inline bool gh_port_matches(
	__u8 want_proto, __be16 want_port, __u32 proto, __u32 port)
{
	return (!want_proto || want_proto == proto) &&
	       (!want_port || want_port == port);
}

/*
 * Where an address is, by the rules of the network: the first that matches.
 * Functions of their own for the verifier, which would walk the loops once for
 * every way that leads here: a million instructions instead of 2,000.
 */
__weak __noinline int gh_place4(
	const struct gh_network *net, __be32 addr, __u32 proto, __u32 port)
{
	if (!net)
		return GH_PLACE_INSIDE;
	for (__u32 i = 0; i < GH_PREFIXES_MAX && i < net->n4; i++) {
		const struct gh_prefix4 *p = &net->prefix4[i];

		if ((addr & p->mask) == p->net &&
			gh_port_matches(p->proto, p->port, proto, port))
			return p->place;
	}
	return GH_PLACE_OUTSIDE;
}

__weak __noinline int gh_place6(const struct gh_network *net,
	const struct gh_ip *addr, __u32 proto, __u32 port)
{
	const __be64 *a = (const __be64 *)addr;

	if (!net || !addr)
		return GH_PLACE_INSIDE;
	for (__u32 i = 0; i < GH_PREFIXES_MAX && i < net->n6; i++) {
		const struct gh_prefix6 *p = &net->prefix6[i];

		if ((a[0] & p->mask[0]) == p->net[0] &&
			(a[1] & p->mask[1]) == p->net[1] &&
			gh_port_matches(p->proto, p->port, proto, port))
			return p->place;
	}
	/* What no router forwards goes to a neighbour, if anywhere. */
	return gh_is_linklocal6(a) ? GH_PLACE_INSIDE : GH_PLACE_OUTSIDE;
}

static __always_inline enum gh_place gh_destination(
	const struct gh_network *net, const struct gh_pkt *pkt)
{
	__be64 addr[2];

	if (pkt->family == 4)
		return gh_place4(net, pkt->dst4, pkt->proto, pkt->dport);
	/* A copy, so that the packet itself can stay in registers. */
	addr[0] = pkt->dst6[0];
	addr[1] = pkt->dst6[1];
	return gh_place6(
		net, (const struct gh_ip *)addr, pkt->proto, pkt->dport);
}

static __always_inline enum gh_place gh_source(
	const struct gh_network *net, const struct gh_pkt *pkt)
{
	__be64 addr[2];

	if (pkt->family == 4)
		return gh_place4(net, pkt->src4, pkt->proto, pkt->sport);
	addr[0] = pkt->src6[0];
	addr[1] = pkt->src6[1];
	return gh_place6(
		net, (const struct gh_ip *)addr, pkt->proto, pkt->sport);
}

/* Which address a frame speaks for, as a map key. False: for none. */
static __always_inline bool gh_claims(const struct gh_pkt *pkt, __be64 *ret_ip)
{
	__be32 ip4 = pkt->ethertype == ETH_P_ARP ? pkt->arp_ip : pkt->src4;

	if (pkt->family == 6) {
		ret_ip[0] = pkt->src6[0];
		ret_ip[1] = pkt->src6[1];
		return ret_ip[0];
	}
	ret_ip[0] = 0;
	ret_ip[1] = (__u64)ip4 << 32 | 0xffff0000;
	return ip4 && (pkt->family || pkt->ethertype == ETH_P_ARP);
}

/* By MAC or by address. */
static __always_inline bool gh_is_to_group(const struct gh_pkt *pkt)
{
	return pkt->dst & 1 || pkt->flags & GH_PKT_GROUP;
}

/*
 * Why what comes from there gets nothing of the box; 0: it may. Answers to
 * other sources than the link's would leave by another interface.
 */
static __always_inline int gh_source_fault(
	const struct gh_pkt *pkt, const struct gh_network *net)
{
	enum gh_place place = gh_source(net, pkt);

	if (place == GH_PLACE_BOX)
		return GH_DROP_ROGUE;
	if (place == GH_PLACE_LINK)
		return 0;
	return pkt->family == 6 && gh_is_linklocal6(pkt->src6) ? 0
							: GH_DROP_ADDRESS;
}

/*
 * The same for an IPv4 address that may be none yet: what ARP (RFC 5227) and
 * DHCP say of their sender goes into the box's neighbour table, or is answered.
 */
static __always_inline int gh_home_fault(
	const struct gh_network *net, __be32 addr)
{
	enum gh_place place;

	if (!addr)
		return 0;
	place = gh_place4(net, addr, 0, 0);
	return place == GH_PLACE_BOX    ? GH_DROP_ROGUE
	       : place == GH_PLACE_LINK ? 0
					: GH_DROP_ADDRESS;
}

static __always_inline int gh_dhcp_fault(
	const struct gh_pkt *pkt, const struct gh_network *net)
{
	if (pkt->family == 6)
		return gh_source_fault(pkt, net);
	return gh_home_fault(net, pkt->src4) ?: gh_home_fault(net, pkt->ciaddr);
}

static __always_inline int gh_nd_fault(
	const struct gh_pkt *pkt, const struct gh_network *net)
{
	/* A host that asks whether an address is free has none. */
	return pkt->src6[0] | pkt->src6[1] ? gh_source_fault(pkt, net) : 0;
}

/* What gives and finds addresses on the link. */
static __always_inline struct gh_verdict gh_link_service(
	const struct gh_pkt *pkt, int fault, enum gh_reason pass)
{
	if (pkt->flags & GH_PKT_FORGED)
		return gh_verdict(GH_DROP_ROGUE);
	return fault ? gh_verdict(fault) : gh_metered(pass, GH_METER_LINK);
}

/* Another guest's address, and the network lets guests reach each other. */
static __always_inline bool gh_may_meet(
	const struct gh_network *net, enum gh_place place)
{
	return net->flags & GH_NETWORK_MEET && place == GH_PLACE_LINK;
}

/* Neighbour discovery and MLD; GH_NO_REASON: something else. */
static __always_inline struct gh_verdict gh_control6(
	const struct gh_pkt *pkt, const struct gh_network *net,
	enum gh_place place)
{
	bool to_group = gh_is_linkgroup6(pkt->dst6);

	switch (pkt->icmp_type) {
	case GH_ICMP6_RA:
	case GH_ICMP6_REDIRECT:
		return gh_verdict(GH_DROP_ROGUE);
	case GH_ICMP6_RS:
	case GH_ICMP6_NS:
	case GH_ICMP6_NA:
		/* By type alone this is a tunnel: a router forwards it. */
		if (pkt->ttl != 255 || pkt->flags & GH_PKT_HOPBYHOP)
			return gh_verdict(GH_DROP_ND);
		if (!to_group && !gh_is_linklocal6(pkt->dst6) &&
			place != GH_PLACE_BOX && !gh_may_meet(net, place))
			return gh_verdict(GH_DROP_ND);
		return gh_link_service(pkt, gh_nd_fault(pkt, net), GH_PASS_ND);
	case GH_ICMP6_MLD1_QUERY ... GH_ICMP6_MLD1_DONE:
	case GH_ICMP6_MLD2_REPORT:
		if (!to_group)
			return gh_verdict(GH_DROP_ND);
		return gh_metered(GH_PASS_MLD, GH_METER_LINK);
	}
	return gh_verdict(GH_NO_REASON);
}

static __always_inline bool gh_is_dhcp(
	const struct gh_pkt *pkt, enum gh_place place)
{
	if (pkt->family == 4)
		return pkt->sport == GH_PORT_DHCPC &&
		       pkt->dport == GH_PORT_DHCPS &&
		       (pkt->dst4 == 0xffffffff || place == GH_PLACE_BOX);
	/* ff02::1:2, all DHCP relay agents and servers (RFC 8415) */
	return pkt->sport == GH_PORT_DHCP6C && pkt->dport == GH_PORT_DHCP6S &&
	       ((pkt->dst6[0] == bpf_cpu_to_be64(0xff02ULL << 48) &&
			pkt->dst6[1] == bpf_cpu_to_be64(0x10002)) ||
		       place == GH_PLACE_BOX);
}

/* What a server of either DHCP sends, to whoever is on the link. */
static __always_inline bool gh_is_dhcp_server(
	const struct gh_pkt *pkt, enum gh_place place)
{
	if (place == GH_PLACE_OUTSIDE && !(pkt->flags & GH_PKT_GROUP))
		return false;
	return pkt->family == 4 ? pkt->sport == GH_PORT_DHCPS &&
					  pkt->dport == GH_PORT_DHCPC
				: pkt->sport == GH_PORT_DHCP6S &&
					  pkt->dport == GH_PORT_DHCP6C;
}

/* Of the box itself: DNS, ICMP echo, the portal (docs/design.md G8). */
static __always_inline struct gh_verdict gh_box_service(
	const struct gh_pkt *pkt, const struct gh_network *net)
{
	bool tcp = pkt->proto == IPPROTO_TCP;
	bool udp = pkt->proto == IPPROTO_UDP;
	int fault = gh_source_fault(pkt, net);

	if (fault)
		return gh_verdict(fault);
	if ((tcp || udp) && pkt->dport == GH_PORT_DNS)
		return gh_metered(GH_PASS_DNS, GH_METER_DNS);
	if (tcp && pkt->dport &&
		(pkt->dport == net->portal_ports[0] ||
			pkt->dport == net->portal_ports[1]))
		return gh_metered(GH_PASS_PORTAL,
			pkt->tcp_flags & GH_TCP_SYN ? GH_METER_SYN
						    : GH_METER_NONE);
	if (!tcp && !udp &&
		pkt->icmp_type ==
			(pkt->family == 4 ? GH_ICMP_ECHO : GH_ICMP6_ECHO))
		return gh_metered(GH_PASS_ECHO, GH_METER_ECHO);
	return gh_verdict(GH_NO_REASON);
}

/*
 * What only a router or a DHCP server says, or somebody in another's name,
 * behind headers that hosts walk (RFC 7113). A function of its own for the
 * verifier, and off the fast path.
 */
__weak __noinline int gh_is_hidden_rogue(const struct gh_pkt *pkt, __u32 place)
{
	if (!pkt || !pkt->l4)
		return 0;
	if (pkt->proto == IPPROTO_UDP)
		return gh_is_dhcp_server(pkt, place);
	if (pkt->family == 4)
		return pkt->proto == IPPROTO_ICMP &&
		       pkt->icmp_type == GH_ICMP_REDIRECT;
	return pkt->proto == IPPROTO_ICMPV6 &&
	       (pkt->flags & GH_PKT_FORGED || pkt->icmp_type == GH_ICMP6_RA ||
		       pkt->icmp_type == GH_ICMP6_REDIRECT);
}

/*
 * What is the same for everyone who is not blocked, running or captive.
 * GH_NO_REASON: nothing of this.
 */
static __always_inline struct gh_verdict gh_service(const struct gh_pkt *pkt,
	const struct gh_network *net, enum gh_place place)
{
	bool icmp = pkt->proto ==
		    (pkt->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	/* Only what is plain to see: no fragments, no options, no detours. */
	if (!pkt->l4 || pkt->flags & (GH_PKT_FRAGMENT | GH_PKT_OPTIONS |
					     GH_PKT_EXTENSION))
		return gh_verdict(gh_is_hidden_rogue(pkt, place)
					  ? GH_DROP_ROGUE
					  : GH_NO_REASON);
	if (icmp && pkt->family == 6) {
		struct gh_verdict control = gh_control6(pkt, net, place);

		if (control.reason)
			return control;
	}
	if (pkt->flags & GH_PKT_HOPBYHOP)
		return gh_verdict(GH_NO_REASON);
	if (icmp && pkt->family == 4 && pkt->icmp_type == GH_ICMP_REDIRECT)
		return gh_verdict(GH_DROP_ROGUE);
	if (pkt->proto == IPPROTO_UDP && gh_is_dhcp(pkt, place))
		return gh_link_service(pkt, gh_dhcp_fault(pkt, net), GH_PASS_DHCP);
	if (pkt->proto == IPPROTO_UDP && gh_is_dhcp_server(pkt, place))
		return gh_verdict(GH_DROP_ROGUE);
	if (place == GH_PLACE_BOX)
		return gh_box_service(pkt, net);
	return gh_verdict(GH_NO_REASON);
}

/* What GH_DROP_ROGUE was said of. */
static __always_inline enum gh_event_type gh_rogue_type(
	const struct gh_pkt *pkt)
{
	bool icmp6 = pkt->family == 6 && pkt->proto == IPPROTO_ICMPV6;

	if (pkt->flags & GH_PKT_FORGED)
		return pkt->family ? GH_EVENT_FORGED_ND : GH_EVENT_FORGED_ARP;
	if (icmp6 && pkt->icmp_type == GH_ICMP6_RA)
		return GH_EVENT_ROGUE_RA;
	if (icmp6 ? pkt->icmp_type == GH_ICMP6_REDIRECT
		  : pkt->family == 4 && pkt->proto == IPPROTO_ICMP &&
				  pkt->icmp_type == GH_ICMP_REDIRECT)
		return GH_EVENT_ROGUE_REDIRECT;
	if (pkt->proto == IPPROTO_UDP && (pkt->dport == GH_PORT_DHCPC ||
						 pkt->dport == GH_PORT_DHCP6C))
		return GH_EVENT_ROGUE_DHCP;
	return GH_EVENT_BOX_ADDRESS;
}

/* The MAC that it names and that is not its own; 0: none. */
static __always_inline __u64 gh_named_mac(const struct gh_pkt *pkt)
{
	return pkt->family || pkt->arp_mac == pkt->src ? 0 : pkt->arp_mac;
}

/*
 * What a host might put together, or find behind its headers, as a router's or
 * a DHCP server's word: both speak to a group or to a link-local address.
 */
static __always_inline int gh_hidden_fault(const struct gh_pkt *pkt)
{
	if (pkt->family != 6 || pkt->l4 ||
		(!gh_is_to_group(pkt) && !gh_is_linklocal6(pkt->dst6)))
		return 0;
	if (pkt->flags & GH_PKT_FRAGMENT)
		return GH_DROP_FRAGMENT;
	return pkt->flags & (GH_PKT_EXTENSION | GH_PKT_HOPBYHOP)
		       ? GH_DROP_EXTENSION
		       : 0;
}

/*
 * To other guests of a network that lets them meet; GH_NO_REASON: not to them.
 * It does not leave the link, so nobody pays for it. What goes to a group keeps
 * everybody's radio busy and has a limit.
 */
static __always_inline struct gh_verdict gh_among_guests(
	const struct gh_pkt *pkt, const struct gh_network *net,
	enum gh_place place)
{
	bool to_group = gh_is_to_group(pkt);
	int fault;

	if (!(net->flags & GH_NETWORK_MEET))
		return gh_verdict(GH_NO_REASON);
	/* A link-local address of the box is its own place. */
	if (!to_group && place != GH_PLACE_LINK &&
		(place != GH_PLACE_INSIDE || pkt->family != 6 ||
			!gh_is_linklocal6(pkt->dst6)))
		return gh_verdict(GH_NO_REASON);
	fault = gh_hidden_fault(pkt) ?: gh_source_fault(pkt, net);
	if (fault)
		return gh_verdict(fault);
	return to_group ? gh_metered(GH_PASS_MULTICAST, GH_METER_LINK)
			: gh_verdict(GH_PASS_NEIGHBOUR);
}

/* What the box is not for. Said at once where devices fall back upon it: from
 * DNS over TLS, QUIC or HTTPS. Other datagrams are not worth the limit that
 * answers have in common with DNS; behind extensions nothing is answered. */
static __always_inline struct gh_verdict gh_refuse_at_box(const struct gh_pkt *pkt)
{
	const __u32 odd = GH_PKT_EXTENSION | GH_PKT_OPTIONS | GH_PKT_HOPBYHOP;

	if (gh_is_to_group(pkt) || pkt->flags & odd)
		return gh_verdict(GH_DROP_INSIDE);
	if (pkt->proto == IPPROTO_TCP && pkt->dport != GH_PORT_HTTP)
		return gh_verdict(GH_ANSWER_RESET);
	if (pkt->proto == IPPROTO_UDP && (pkt->dport == GH_PORT_DNS_TLS ||
						 pkt->dport == GH_PORT_HTTPS))
		return gh_metered(GH_ANSWER_PROHIBITED, GH_METER_ANSWER);
	return gh_verdict(GH_DROP_INSIDE);
}

/* A client that runs, or is exempt: whereto, beyond the services. */
static __always_inline struct gh_verdict gh_running(const struct gh_pkt *pkt,
	const struct gh_network *net, enum gh_state state, enum gh_place place)
{
	struct gh_verdict among;

	if (!gh_is_to_group(pkt) &&
		(place == GH_PLACE_OUTSIDE || place == GH_PLACE_REACH))
		return (struct gh_verdict){
			.reason = state == GH_STATE_EXEMPT ? GH_PASS_EXEMPT
							   : GH_PASS_CHARGED,
			.charge = true,
		};
	if (place == GH_PLACE_BOX && pkt->flags & GH_PKT_FRAGMENT)
		return gh_verdict(GH_DROP_FRAGMENT);
	among = gh_among_guests(pkt, net, place);
	if (among.reason)
		return among;
	return place == GH_PLACE_BOX ? gh_refuse_at_box(pkt)
				     : gh_verdict(GH_DROP_INSIDE);
}

/* An acknowledgement and nothing else, which the responder would not answer:
 * a third of what it is sent. */
static __always_inline bool gh_is_bare_ack(const struct gh_pkt *pkt)
{
	const __u8 mask = GH_TCP_FIN | GH_TCP_SYN | GH_TCP_RST | GH_TCP_ACK;

	return (pkt->tcp_flags & mask) == GH_TCP_ACK &&
	       pkt->l4 + pkt->l4_len == pkt->l3 + pkt->ip_len;
}

/* An answer where one helps, else dropped because of `why`. A closed record is
 * about to go or to be another one: a reset now would end connections that the
 * next one may keep. */
static __always_inline struct gh_verdict gh_refuse(
	const struct gh_pkt *pkt, enum gh_reason why)
{
	if (gh_is_to_group(pkt) || why == GH_DROP_CLOSED)
		return gh_verdict(why);
	if (pkt->proto == IPPROTO_TCP)
		return gh_verdict(pkt->dport != GH_PORT_HTTP ? GH_ANSWER_RESET
				  : gh_is_bare_ack(pkt)      ? GH_DROP_TCP_STRAY
							     : GH_ANSWER_REDIRECT);
	return gh_metered(GH_ANSWER_PROHIBITED, GH_METER_ANSWER);
}

/* No name and no prefix opens the box, or what is inside: only what everybody
 * may reach who pays. */
static __always_inline bool gh_may_be_garden(
	const struct gh_pkt *pkt, enum gh_place place)
{
	return !gh_is_to_group(pkt) &&
	       (place == GH_PLACE_OUTSIDE || place == GH_PLACE_REACH);
}

/* RFC 1035 section 4.1.1; what is shorter asks nothing. */
#define GH_DNS_HEADER 12

/* Who answers in the place of other DNS servers; all zero: nobody. */
static __always_inline bool gh_has_resolver(
	const struct gh_network *net, __u8 family)
{
	const __be64 *addr = (const __be64 *)net->resolver6;

	return family == 4 ? net->resolver4 : addr[0] | addr[1];
}

static __always_inline bool gh_is_resolver(
	const struct gh_network *net, __u8 family, __be32 addr4, const __be64 *addr6)
{
	const __be64 *addr = (const __be64 *)net->resolver6;

	return family == 4 ? addr4 == net->resolver4
			   : addr6[0] == addr[0] && addr6[1] == addr[1];
}

/*
 * A question for a DNS server that is not the box, and not on the link, where
 * the box is not on the way: the resolver is asked instead, as the box would be.
 * 0: something else. These two are functions of their own for the verifier.
 */
__weak __noinline int gh_steer(
	const struct gh_pkt *pkt, const struct gh_network *net, __u32 place)
{
	if (!pkt || !net || pkt->proto != IPPROTO_UDP || !pkt->l4 ||
		pkt->dport != GH_PORT_DNS)
		return 0;
	if (0U + pkt->l4 + pkt->l4_len + GH_DNS_HEADER > pkt->l3 + pkt->ip_len)
		return 0;
	if (place == GH_PLACE_BOX || place == GH_PLACE_LINK ||
		gh_is_to_group(pkt) || !gh_has_resolver(net, pkt->family))
		return 0;
	if (pkt->family == 6 && gh_is_linklocal6(pkt->dst6))
		return 0;
	return gh_source_fault(pkt, net) ?: GH_PASS_STEERED;
}

/* An answer of that resolver, perhaps to what was steered. */
__weak __noinline int gh_is_resolver_answer(
	const struct gh_pkt *pkt, const struct gh_network *net)
{
	if (!pkt || !net || pkt->proto != IPPROTO_UDP || !pkt->l4 ||
		pkt->sport != GH_PORT_DNS || pkt->flags & GH_PKT_FRAGMENT ||
		!gh_has_resolver(net, pkt->family))
		return 0;
	return gh_is_resolver(net, pkt->family, pkt->src4, pkt->src6);
}

/* Everyone else: the garden, DNS by our resolver, or a refusal. */
static __always_inline struct gh_verdict gh_captive(const struct gh_pkt *pkt,
	const struct gh_network *net, enum gh_place place, enum gh_reason why)
{
	struct gh_verdict verdict;
	int steered;

	if (pkt->flags & GH_PKT_FRAGMENT)
		return gh_verdict(GH_DROP_FRAGMENT);
	if (pkt->flags & (GH_PKT_EXTENSION | GH_PKT_OPTIONS | GH_PKT_HOPBYHOP))
		return gh_verdict(GH_DROP_EXTENSION);
	steered = gh_steer(pkt, net, place);
	verdict = steered == GH_PASS_STEERED ? gh_metered(steered, GH_METER_DNS)
		  : steered		       ? gh_verdict(steered)
					       : gh_refuse(pkt, why);
	verdict.garden = gh_may_be_garden(pkt, place);
	return verdict;
}

static __always_inline bool gh_is_bad_source(__u64 mac, __u64 box_mac)
{
	return mac & 1 || !mac || mac == box_mac;
}

/*
 * What a client sends, in the order of docs/design.md 4.4. `fault`: what the
 * parser said. `state`, `refusal`: of its record (gh_refusal()), and
 * GH_STATE_CLOSED, GH_DROP_CAPTIVE for a client without one.
 */
static __always_inline struct gh_verdict gh_decide_up(const struct gh_pkt *pkt,
	int fault, const struct gh_network *net, __u64 box_mac,
	enum gh_state state, int refusal)
{
	struct gh_verdict service;
	enum gh_place place;

	if (gh_is_bad_source(pkt->src, box_mac))
		return gh_verdict(GH_DROP_SOURCE);
	if (refusal == GH_DROP_BLOCKED)
		return gh_verdict(GH_DROP_BLOCKED);
	if (fault)
		return gh_verdict(fault);
	if (pkt->ethertype == ETH_P_ARP)
		return gh_link_service(pkt, gh_home_fault(net, pkt->arp_ip),
			GH_PASS_ARP);
	if (!pkt->family)
		return gh_verdict(GH_DROP_ETHERTYPE);
	place = gh_destination(net, pkt);
	service = gh_service(pkt, net, place);
	if (service.reason)
		return service;
	if (refusal)
		return gh_captive(pkt, net, place, refusal);
	return gh_running(pkt, net, state, place);
}

/* Who sent a frame on its way to a client. */
enum gh_maker {
	GH_MAKER_OTHER, /* it came in by an interface */
	GH_MAKER_GUEST, /* of the same network, where guests may meet */
	GH_MAKER_BOX,   /* it did not */
	GH_MAKER_GATE,  /* an answer in somebody's name */
};

/*
 * A frame that came in by no interface is the box's own; but fragments of what
 * was forwarded can look the same, when the kernel makes them anew (seen with
 * IPv6 behind conntrack), so the source address decides.
 */
static __always_inline bool gh_is_box_made(const struct gh_pkt *pkt,
	const struct gh_network *net, enum gh_maker maker)
{
	enum gh_place place;

	if (maker != GH_MAKER_BOX || !pkt->family)
		return maker >= GH_MAKER_BOX;
	place = gh_source(net, pkt);
	return pkt->flags & GH_PKT_FRAGMENT ? place == GH_PLACE_BOX
					    : place != GH_PLACE_OUTSIDE;
}

/* Which of the box's own frames have a limit; ND keeps the link alive. */
static __always_inline enum gh_meter_kind gh_box_made_meter(
	const struct gh_pkt *pkt)
{
	bool icmp4 = pkt->family == 4 && pkt->proto == IPPROTO_ICMP;
	bool icmp6 = pkt->family == 6 && pkt->proto == IPPROTO_ICMPV6 &&
		     (pkt->icmp_type < GH_ICMP6_MLD1_QUERY ||
			     pkt->icmp_type > GH_ICMP6_NA);
	bool dns = pkt->l4 && pkt->sport == GH_PORT_DNS;

	return icmp4 || icmp6 || dns ? GH_METER_REPLY : GH_METER_NONE;
}

/*
 * Whether everybody on the link may have it. An IP packet to one address does
 * not become that by the group MAC that its receiver claims to have.
 */
static __always_inline bool gh_is_multicast(
	const struct gh_pkt *pkt, int fault, bool box_made)
{
	if (!(pkt->dst & 1))
		return false;
	return box_made || (!fault && (!pkt->family || pkt->flags & GH_PKT_GROUP));
}

/* What its sender was let send to other guests; to the broadcast address of
 * the link as well. */
static __always_inline bool gh_is_from_guest(const struct gh_pkt *pkt,
	int fault, const struct gh_network *net, enum gh_maker maker)
{
	if (maker != GH_MAKER_GUEST || fault)
		return false;
	return pkt->family ? !gh_source_fault(pkt, net)
			   : pkt->ethertype == ETH_P_ARP;
}

/*
 * What goes to a client. What the box or the gate made passes even when the
 * parser knows nothing like it.
 */
static __always_inline struct gh_verdict gh_decide_down(
	const struct gh_pkt *pkt, int fault, const struct gh_network *net,
	enum gh_maker maker, enum gh_state state, int refusal)
{
	bool box_made = gh_is_box_made(pkt, net, maker);
	bool from_guest = gh_is_from_guest(pkt, fault, net, maker);

	if (gh_is_multicast(pkt, fault, box_made) ||
		(from_guest && pkt->dst & 1))
		return gh_verdict(GH_PASS_MULTICAST);
	if (refusal == GH_DROP_BLOCKED)
		return gh_verdict(GH_DROP_BLOCKED);
	if (box_made)
		return gh_metered(GH_PASS_BOX_MADE, gh_box_made_meter(pkt));
	if (fault)
		return gh_verdict(fault);
	if (from_guest && !refusal)
		return gh_verdict(GH_PASS_NEIGHBOUR);
	if (!pkt->family)
		return gh_verdict(GH_DROP_ETHERTYPE);
	if (refusal)
		return (struct gh_verdict){.reason = refusal,
			.garden = gh_may_be_garden(pkt, gh_source(net, pkt))};
	return (struct gh_verdict){
		.reason = state == GH_STATE_EXEMPT ? GH_PASS_EXEMPT
						   : GH_PASS_CHARGED,
		.charge = true,
	};
}

#endif
