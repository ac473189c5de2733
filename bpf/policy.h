/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a frame gets: the rules, and only the rules. Pure functions of the
 * parsed packet, the network, the client's policy and the clock; they say
 * which reason applies and which meter or counter has a word still. The hooks
 * (upload.bpf.c, download.bpf.c) ask that meter and carry the verdict out.
 * Compiles on the host; read gh_verdict_up() from top to bottom for the order.
 */
#ifndef GH_POLICY_H
#define GH_POLICY_H

#define GH_PORT_DNS     bpf_htons(53)
#define GH_PORT_HTTP    bpf_htons(80)
#define GH_PORT_DHCPS   bpf_htons(67)
#define GH_PORT_DHCPC   bpf_htons(68)
#define GH_PORT_DHCP6C  bpf_htons(546)
#define GH_PORT_DHCP6S  bpf_htons(547)

/* RFC 792, RFC 4443, RFC 4861, RFC 2710, RFC 3810 */
#define GH_ICMP_ECHO 8
#define GH_ICMP_REDIRECT 5
#define GH_ICMP6_ECHO 128
#define GH_ICMP6_RS 133
#define GH_ICMP6_RA 134
#define GH_ICMP6_NS 135
#define GH_ICMP6_NA 136
#define GH_ICMP6_REDIRECT 137

enum gh_meter_kind {
	GH_METER_NONE = 0,
	GH_METER_DNS, /* counted against the DNS budget of captive clients */
	GH_METER_BOX, /* ARP, ND, ICMP of captive clients; DNS, ICMP of others */
};

struct gh_verdict {
	enum gh_reason reason;
	enum gh_meter_kind meter;
	bool charge; /* count it against the record, if its quota agrees */
};

#define GH_VERDICT(r, m) ((struct gh_verdict){ .reason = (r), .meter = (m) })

/* A copy of the policy that is whole (design: 5.2, sequence word). */
struct gh_grant {
	enum gh_state state;
	__u64 expires_ns;
	__u64 quota_bytes;
	__u64 networks;
};

static __always_inline void gh_grant_read(
	const struct gh_policy *p, struct gh_grant *grant)
{
	/*
	 * After 4 tries what was read is used: passing needs every field, and
	 * the writer sets `state` first when it forbids and last when it allows.
	 */
	for (int i = 0; i < 4; i++) {
		__u32 seq = GH_READ(p->seq);

		grant->state = GH_READ(p->state);
		grant->expires_ns = GH_READ(p->expires_ns);
		grant->quota_bytes = GH_READ(p->quota_bytes);
		grant->networks = GH_READ(p->networks);
		if (!(seq & 1) && GH_READ(p->seq) == seq)
			return;
	}
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
	default: /* a value from a torn read, or of a later version */
		return GH_DROP_CLOSED;
	}
	if (!(grant->networks >> (network & 63) & 1))
		return GH_DROP_ELSEWHERE;
	if (now_ns >= grant->expires_ns)
		return GH_DROP_EXPIRED;
	return 0;
}

static __always_inline bool gh_port_matches(
	__u8 want_proto, __be16 want_port, __u32 proto, __u32 port)
{
	return (!want_proto || want_proto == proto) && (!want_port || want_port == port);
}

/*
 * Where a destination is, by the rules of the network: the first that matches.
 * Functions of their own for the verifier, which would walk the loops once for
 * every way that leads here: a million instructions instead of 2,000. Scalars,
 * so that the packet can stay in registers.
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

		if ((a[0] & p->mask[0]) == p->net[0] && (a[1] & p->mask[1]) == p->net[1] &&
		    gh_port_matches(p->proto, p->port, proto, port))
			return p->place;
	}
	return GH_PLACE_OUTSIDE;
}

static __always_inline enum gh_place gh_place(
	const struct gh_network *net, const struct gh_pkt *pkt)
{
	return pkt->family == 4
		       ? gh_place4(net, pkt->dst4, pkt->proto, pkt->dport)
		       : gh_place6(net, (const struct gh_ip *)pkt->dst6, pkt->proto,
				 pkt->dport);
}

/* fe80::/10, ff02::/16: never forwarded by a router (RFC 4291). */
static __always_inline bool gh_on_link6(const __be64 *addr)
{
	__u64 high = bpf_be64_to_cpu(addr[0]);

	return high >> 54 == 0xfe80 >> 6 || high >> 48 == 0xff02;
}

/* Neighbour discovery and MLD; 0: something else. */
static __always_inline struct gh_verdict gh_control6(
	const struct gh_pkt *pkt, enum gh_place place)
{
	bool on_link = gh_on_link6(pkt->dst6);

	switch (pkt->icmp_type) {
	case GH_ICMP6_RA:
	case GH_ICMP6_REDIRECT:
		return GH_VERDICT(GH_DROP_ROGUE, GH_METER_NONE);
	case GH_ICMP6_RS:
	case GH_ICMP6_NS:
	case GH_ICMP6_NA:
		/* By type alone this is a tunnel: a router forwards it. */
		if (pkt->ttl != 255 || pkt->flags & GH_PKT_HOPBYHOP ||
		    !(on_link || place == GH_PLACE_BOX))
			return GH_VERDICT(GH_DROP_ND, GH_METER_NONE);
		return GH_VERDICT(GH_PASS_ND, GH_METER_BOX);
	case 130 ... 132:
	case 143:
		if (bpf_be64_to_cpu(pkt->dst6[0]) >> 48 != 0xff02)
			return GH_VERDICT(GH_DROP_ND, GH_METER_NONE);
		return GH_VERDICT(GH_PASS_MLD, GH_METER_BOX);
	}
	return GH_VERDICT(GH_NO_REASON, GH_METER_NONE);
}

static __always_inline bool gh_is_dhcp(
	const struct gh_pkt *pkt, enum gh_place place)
{
	if (pkt->family == 4)
		return pkt->sport == GH_PORT_DHCPC && pkt->dport == GH_PORT_DHCPS &&
		       (pkt->dst4 == 0xffffffff || place == GH_PLACE_BOX);
	/* ff02::1:2, all DHCP relay agents and servers (RFC 8415) */
	return pkt->sport == GH_PORT_DHCP6C && pkt->dport == GH_PORT_DHCP6S &&
	       ((pkt->dst6[0] == bpf_cpu_to_be64(0xff02ULL << 48) &&
			pkt->dst6[1] == bpf_cpu_to_be64(0x10002)) ||
		       place == GH_PLACE_BOX);
}

/* What everyone may have of the box, whoever he is (requirements: G8). */
static __always_inline struct gh_verdict gh_service(const struct gh_pkt *pkt,
	const struct gh_network *net, enum gh_place place)
{
	struct gh_verdict none = GH_VERDICT(GH_NO_REASON, GH_METER_NONE);

	if (pkt->ethertype == ETH_P_ARP)
		return GH_VERDICT(GH_PASS_ARP, GH_METER_BOX);
	if (!pkt->l4 || pkt->flags & (GH_PKT_FRAGMENT | GH_PKT_EXTENSION | GH_PKT_OPTIONS))
		return none;
	if (pkt->family == 6 && pkt->proto == IPPROTO_ICMPV6) {
		struct gh_verdict control = gh_control6(pkt, place);

		if (control.reason)
			return control;
	}
	if (pkt->flags & GH_PKT_HOPBYHOP)
		return none;
	if (pkt->family == 4 && pkt->proto == IPPROTO_ICMP &&
	    pkt->icmp_type == GH_ICMP_REDIRECT)
		return GH_VERDICT(GH_DROP_ROGUE, GH_METER_NONE);
	if (pkt->proto == IPPROTO_UDP && gh_is_dhcp(pkt, place))
		return GH_VERDICT(GH_PASS_DHCP, GH_METER_NONE);
	if (place != GH_PLACE_BOX)
		return none;
	if (pkt->proto == IPPROTO_ICMP || pkt->proto == IPPROTO_ICMPV6)
		return pkt->icmp_type == (pkt->family == 4 ? GH_ICMP_ECHO : GH_ICMP6_ECHO)
			       ? GH_VERDICT(GH_PASS_ECHO, GH_METER_BOX)
			       : none;
	if (pkt->dport == GH_PORT_DNS &&
	    (pkt->proto == IPPROTO_UDP || pkt->proto == IPPROTO_TCP))
		return GH_VERDICT(GH_PASS_DNS, GH_METER_DNS);
	if (pkt->proto == IPPROTO_TCP && pkt->dport &&
	    (pkt->dport == net->portal_ports[0] || pkt->dport == net->portal_ports[1]))
		return GH_VERDICT(GH_PASS_PORTAL, GH_METER_NONE);
	return none;
}

/* A client that runs, or is exempt: `place` is where it wants to go. */
static __always_inline struct gh_verdict gh_verdict_running(
	const struct gh_pkt *pkt, enum gh_state state, enum gh_place place)
{
	struct gh_verdict pass = { .charge = true };

	if (place == GH_PLACE_BOX && pkt->flags & GH_PKT_FRAGMENT)
		return GH_VERDICT(GH_DROP_FRAGMENT, GH_METER_NONE);
	if (pkt->flags & GH_PKT_GROUP || place == GH_PLACE_BOX || place == GH_PLACE_INSIDE)
		return GH_VERDICT(GH_DROP_INSIDE, GH_METER_NONE);
	pass.reason = state == GH_STATE_EXEMPT ? GH_PASS_EXEMPT : GH_PASS_CHARGED;
	return pass;
}

/* Everyone else; `why` is the reason when nothing more telling applies. */
static __always_inline struct gh_verdict gh_verdict_captive(
	const struct gh_pkt *pkt, enum gh_reason why)
{
	if (pkt->flags & GH_PKT_FRAGMENT)
		return GH_VERDICT(GH_DROP_FRAGMENT, GH_METER_NONE);
	if (pkt->flags & (GH_PKT_EXTENSION | GH_PKT_OPTIONS | GH_PKT_HOPBYHOP))
		return GH_VERDICT(GH_DROP_EXTENSION, GH_METER_NONE);
	if (pkt->flags & GH_PKT_GROUP)
		return GH_VERDICT(why, GH_METER_NONE);
	if (pkt->proto == IPPROTO_TCP)
		return pkt->dport == GH_PORT_HTTP
			       ? GH_VERDICT(GH_ANSWER_REDIRECT, GH_METER_NONE)
			       : GH_VERDICT(GH_ANSWER_RESET, GH_METER_NONE);
	return GH_VERDICT(GH_ANSWER_PROHIBITED, GH_METER_BOX);
}

#endif
