/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds the frames that the tests describe, from the outside in. Whatever
 * does not parse in a description (a wrong address) ends the test program:
 * a frame is never silently another one than its row says.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *what, const char *text)
{
	fprintf(stderr, "%s: %s\n", what, text);
	abort();
}

/* Where the next header goes; what is left over stays zero. */
static void *put(struct frame *f, size_t len)
{
	void *at = f->bytes + f->len;

	if (f->len + len > sizeof(f->bytes))
		give_up("frame", "longer than FRAME_MAX");
	f->len += len;
	return at;
}

static void put_mac(struct frame *f, const char *text)
{
	if (!ether_aton_r(text, put(f, 6)))
		give_up("not a MAC", text);
}

static void put_type(struct frame *f, uint16_t type)
{
	uint16_t be = htons(type);

	memcpy(put(f, 2), &be, 2);
}

static void put_ethernet(
	struct frame *f, const struct frame_spec *s, uint16_t by_address)
{
	put_mac(f, s->dst_mac ? s->dst_mac : FRAME_BOX);
	put_mac(f, s->src_mac ? s->src_mac : FRAME_GUEST);
	for (int i = 0; i < s->tags; i++) {
		put_type(f, i == 0 && s->tags > 1 ? 0x88a8 : ETHERTYPE_VLAN);
		put_type(f, 100 + i);
	}
	put_type(f, s->ethertype ? s->ethertype : by_address);
	f->l3 = f->len;
}

static void address(int family, const char *text, void *ret)
{
	if (inet_pton(family, text, ret) != 1)
		give_up("not an address", text);
}

static struct iphdr *put_ipv4(struct frame *f, const struct frame_spec *s)
{
	struct iphdr *ip = put(f, sizeof(*ip));

	ip->version = s->version ? s->version : 4;
	ip->ihl = s->ihl ? s->ihl : 5 + s->options / 4;
	ip->ttl = s->ttl ? s->ttl : 64;
	ip->protocol = s->proto;
	ip->frag_off = htons(s->offset);
	address(AF_INET, s->from ? s->from : FRAME_HOST4, &ip->saddr);
	address(AF_INET, s->to, &ip->daddr);
	memset(put(f, s->options), IPOPT_NOP, s->options);
	return ip;
}

static struct ip6_hdr *put_ipv6(struct frame *f, const struct frame_spec *s)
{
	struct ip6_hdr *ip = put(f, sizeof(*ip));

	ip->ip6_vfc = (s->version ? s->version : 6) << 4;
	ip->ip6_hlim = s->ttl ? s->ttl : 64;
	ip->ip6_nxt = s->exts ? s->ext[0] : s->proto;
	address(AF_INET6, s->from ? s->from : FRAME_HOST6, &ip->ip6_src);
	address(AF_INET6, s->to, &ip->ip6_dst);
	for (int i = 0; i < s->exts; i++) {
		uint8_t *ext = put(f, 8 + s->ext_words * 8);

		ext[0] = i + 1 < s->exts ? s->ext[i + 1] : s->proto;
		ext[1] = s->ext_words;
	}
	return ip;
}

static void put_transport(struct frame *f, const struct frame_spec *s)
{
	uint16_t sport = htons(s->sport ? s->sport : 40000);
	uint16_t port = htons(s->port);
	struct tcphdr *tcp;
	struct udphdr *udp;

	switch (s->proto) {
	case IPPROTO_TCP:
		tcp = put(f, sizeof(*tcp));
		tcp->source = sport;
		tcp->dest = port;
		tcp->doff = s->doff ? s->doff : 5;
		tcp->th_flags = s->tcp_flags ? s->tcp_flags : TH_SYN;
		break;
	case IPPROTO_UDP:
		udp = put(f, sizeof(*udp));
		udp->source = sport;
		udp->dest = port;
		udp->len = htons(sizeof(*udp) + s->payload);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		*(uint8_t *)put(f, 8) = s->type;
		break;
	}
}

/* Where the sender's MAC goes, or somebody else's. */
static void put_own_mac(struct frame *f, const struct frame_spec *s, uint8_t *at)
{
	memcpy(at, f->bytes + 6, 6);
	if (s->forged)
		at[5] ^= 1;
	else
		f->own_mac = at - f->bytes;
}

static void put_arp(struct frame *f, const struct frame_spec *s)
{
	static const uint8_t header[] = {0, 1, 8, 0, 6, 4, 0, 2};
	uint8_t *arp = put(f, s->payload);

	memcpy(arp, header, s->payload < sizeof(header) ? s->payload : sizeof(header));
	if (s->payload < 28)
		return;
	put_own_mac(f, s, arp + sizeof(header));
	if (s->claims)
		inet_pton(AF_INET, s->claims, arp + 14);
}

/* BOOTP as far as the gate reads it, or DHCPv6's type. */
static void put_dhcp(struct frame *f, const struct frame_spec *s)
{
	uint8_t *message = put(f, s->payload);

	if (s->port == 547 && s->payload)
		message[0] = s->type;
	if (s->port != 67 || s->payload < 34)
		return;
	memcpy(message, (uint8_t[]){1, 1, 6}, 3);
	if (s->claims)
		inet_pton(AF_INET, s->claims, message + 12);
	if (s->relay)
		inet_pton(AF_INET, s->relay, message + 24);
	put_own_mac(f, s, message + 28);
}

static void put_nd_option(struct frame *f, const struct frame_spec *s)
{
	uint8_t *option = put(f, 8);

	option[0] = s->nd_option;
	option[1] = 1;
	put_own_mac(f, s, option + 2);
}

void frame_set_source(struct frame *f, const uint8_t mac[static 6])
{
	memcpy(f->bytes + 6, mac, 6);
	if (f->own_mac)
		memcpy(f->bytes + f->own_mac, mac, 6);
}

void frame_build(struct frame *f, const struct frame_spec *s)
{
	bool is_v6 = s->to && strchr(s->to, ':');
	struct iphdr *ip4 = NULL;
	struct ip6_hdr *ip6 = NULL;
	uint16_t claim;

	memset(f, 0, sizeof(*f));
	put_ethernet(f, s, is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	if (is_v6)
		ip6 = put_ipv6(f, s);
	else if (s->to)
		ip4 = put_ipv4(f, s);
	/* A later fragment has no header of layer 4. */
	if (s->to && !(s->offset & 0x1fff))
		put_transport(f, s);
	if (s->ethertype == ETHERTYPE_ARP && !s->to)
		put_arp(f, s);
	else if (s->proto == IPPROTO_UDP && (s->port == 67 || s->port == 547))
		put_dhcp(f, s);
	else
		put(f, s->payload);
	if (s->nd_option)
		put_nd_option(f, s);
	if (!s->to)
		return;
	f->ip_len = f->len - f->l3;
	claim = s->zero_len ? 0 : f->ip_len + s->claim - (ip6 ? sizeof(*ip6) : 0);
	if (ip4)
		ip4->tot_len = htons(claim);
	else
		ip6->ip6_plen = htons(claim);
	put(f, s->pad);
}
