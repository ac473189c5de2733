/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames for `explain`, from the outside in. What the gate does not read (the
 * bytes of a UDP datagram) is zero; what it may look at is as a device would
 * have it, the hop limit and checksums included, for its answers quote them.
 */
#include "daemon/sample.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/ip.h"
#include "base/util.h"

#define DATA_BYTES 20
#define WINDOW	   64240

static const char *const names[] = {
	[SAMPLE_TCP] = "tcp",
	[SAMPLE_UDP] = "udp",
	[SAMPLE_ICMP] = "icmp",
	[SAMPLE_ARP] = "arp",
};

int sample_proto_parse(const char *text, enum sample_proto *ret_proto)
{
	int i = NAME_INDEX(names, text);

	if (i < 0)
		return i;
	*ret_proto = (enum sample_proto)i;
	return 0;
}

const char *sample_proto_name(enum sample_proto proto)
{
	return names[proto];
}

struct writer {
	uint8_t *frame;
	size_t len;
};

static void *put(struct writer *w, size_t len)
{
	void *at = w->frame + w->len;

	w->len += len;
	return at;
}

/* RFC 1071, over bytes of even number. */
static uint32_t sum(const void *data, size_t len, uint32_t seed)
{
	const uint8_t *at = data;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		seed += (uint32_t)(at[i] << 8 | at[i + 1]);
	return seed;
}

static uint16_t fold(uint32_t seed)
{
	seed = (seed & 0xffff) + (seed >> 16);
	seed = (seed & 0xffff) + (seed >> 16);
	return htons((uint16_t)~seed);
}

static void put_arp(struct writer *w, const struct sample *s)
{
	static const uint8_t request[] = {0, 1, 8, 0, 6, 4, 0, 1};
	uint32_t from = ip_v4(&s->from), to = ip_v4(&s->to);

	memcpy(put(w, sizeof(request)), request, sizeof(request));
	memcpy(put(w, 6), s->src.addr, 6);
	memcpy(put(w, 4), &from, 4);
	put(w, 6);
	memcpy(put(w, 4), &to, 4);
}

static void put_ipv4(struct writer *w, const struct sample *s, uint8_t proto,
	size_t len)
{
	struct iphdr *ip = put(w, sizeof(*ip));

	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons((uint16_t)(sizeof(*ip) + len));
	ip->frag_off = htons(IP_DF);
	ip->ttl = IPDEFTTL;
	ip->protocol = proto;
	ip->saddr = ip_v4(&s->from);
	ip->daddr = ip_v4(&s->to);
	ip->check = fold(sum(ip, sizeof(*ip), 0));
}

static void put_ipv6(struct writer *w, const struct sample *s, uint8_t proto,
	size_t len)
{
	struct ip6_hdr *ip = put(w, sizeof(*ip));

	ip->ip6_vfc = 6 << 4;
	ip->ip6_plen = htons((uint16_t)len);
	ip->ip6_nxt = proto;
	ip->ip6_hlim = IPDEFTTL;
	memcpy(&ip->ip6_src, s->from.addr, sizeof(ip->ip6_src));
	memcpy(&ip->ip6_dst, s->to.addr, sizeof(ip->ip6_dst));
}

static uint16_t *put_tcp(struct writer *w, const struct sample *s)
{
	struct tcphdr *tcp = put(w, sizeof(*tcp));

	tcp->source = htons(s->sport);
	tcp->dest = htons(s->dport);
	tcp->seq = htonl(1);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->syn = 1;
	tcp->window = htons(WINDOW);
	return &tcp->check;
}

static uint16_t *put_udp(struct writer *w, const struct sample *s)
{
	struct udphdr *udp = put(w, sizeof(*udp) + DATA_BYTES);

	udp->source = htons(s->sport);
	udp->dest = htons(s->dport);
	udp->len = htons(sizeof(*udp) + DATA_BYTES);
	return &udp->check;
}

/* Both ICMPs have their checksum in the same place. */
static uint16_t *put_echo(struct writer *w, bool is_v4)
{
	struct icmphdr *icmp = put(w, sizeof(*icmp) + DATA_BYTES);

	icmp->type = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	icmp->un.echo.sequence = htons(1);
	return &icmp->checksum;
}

static const struct {
	uint8_t number4, number6;
	size_t len;
} protos[] = {
	[SAMPLE_TCP] = {IPPROTO_TCP, IPPROTO_TCP, sizeof(struct tcphdr)},
	[SAMPLE_UDP] = {IPPROTO_UDP, IPPROTO_UDP,
		sizeof(struct udphdr) + DATA_BYTES},
	[SAMPLE_ICMP] = {IPPROTO_ICMP, IPPROTO_ICMPV6,
		sizeof(struct icmphdr) + DATA_BYTES},
};

static void put_ip(struct writer *w, const struct sample *s)
{
	bool is_v4 = ip_is_v4(&s->from);
	size_t len = protos[s->proto].len, at;
	uint8_t number =
		is_v4 ? protos[s->proto].number4 : protos[s->proto].number6;
	uint32_t seed = (uint32_t)len + number;
	uint16_t *check;

	if (is_v4)
		put_ipv4(w, s, number, len);
	else
		put_ipv6(w, s, number, len);
	at = w->len;
	check = s->proto == SAMPLE_TCP   ? put_tcp(w, s)
		: s->proto == SAMPLE_UDP ? put_udp(w, s)
					 : put_echo(w, is_v4);
	/* The pseudo header; the zeros of mapped addresses are gone. */
	if (number == IPPROTO_ICMP)
		seed = 0;
	else
		seed = sum(s->from.addr + (is_v4 ? 12 : 0), is_v4 ? 4 : 16,
			sum(s->to.addr + (is_v4 ? 12 : 0), is_v4 ? 4 : 16, seed));
	*check = fold(sum(w->frame + at, len, seed));
}

size_t sample_build(const struct sample *sample, uint8_t ret_frame[static SAMPLE_MAX])
{
	struct writer w = {ret_frame, 0};
	uint16_t type = sample->proto == SAMPLE_ARP	? ETHERTYPE_ARP
			: ip_is_v4(&sample->from) ? ETHERTYPE_IP
						  : ETHERTYPE_IPV6;

	memset(ret_frame, 0, SAMPLE_MAX);
	type = htons(type);
	memcpy(put(&w, 6), sample->dst.addr, 6);
	memcpy(put(&w, 6), sample->src.addr, 6);
	memcpy(put(&w, 2), &type, 2);
	if (sample->proto == SAMPLE_ARP)
		put_arp(&w, sample);
	else
		put_ip(&w, sample);
	return MAX(w.len, (size_t)ETH_ZLEN);
}
