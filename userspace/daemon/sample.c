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

/* Headers are made aligned and then put where they lie in the frame. */
static void put(struct writer *w, const void *data, size_t len)
{
	memcpy(w->frame + w->len, data, len);
	w->len += len;
}

/* Zeros, which are there already. */
static void skip(struct writer *w, size_t len)
{
	w->len += len;
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

	put(w, request, sizeof(request));
	put(w, s->src.addr, sizeof(s->src.addr));
	put(w, &from, sizeof(from));
	skip(w, sizeof(s->src.addr));
	put(w, &to, sizeof(to));
}

static void put_ipv4(struct writer *w, const struct sample *s, uint8_t proto,
	size_t len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(sizeof(ip) + len)),
		.frag_off = htons(IP_DF),
		.ttl = IPDEFTTL,
		.protocol = proto,
		.saddr = ip_v4(&s->from),
		.daddr = ip_v4(&s->to),
	};

	ip.check = fold(sum(&ip, sizeof(ip), 0));
	put(w, &ip, sizeof(ip));
}

static void put_ipv6(struct writer *w, const struct sample *s, uint8_t proto,
	size_t len)
{
	struct ip6_hdr ip = {0};

	ip.ip6_vfc = 6 << 4;
	ip.ip6_plen = htons((uint16_t)len);
	ip.ip6_nxt = proto;
	ip.ip6_hlim = IPDEFTTL;
	memcpy(&ip.ip6_src, s->from.addr, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, s->to.addr, sizeof(ip.ip6_dst));
	put(w, &ip, sizeof(ip));
}

static void put_tcp(struct writer *w, const struct sample *s)
{
	struct tcphdr tcp = {
		.source = htons(s->sport),
		.dest = htons(s->dport),
		.seq = htonl(1),
		.doff = sizeof(tcp) / 4,
		.syn = 1,
		.window = htons(WINDOW),
	};

	put(w, &tcp, sizeof(tcp));
}

static void put_udp(struct writer *w, const struct sample *s)
{
	struct udphdr udp = {
		.source = htons(s->sport),
		.dest = htons(s->dport),
		.len = htons(sizeof(udp) + DATA_BYTES),
	};

	put(w, &udp, sizeof(udp));
	skip(w, DATA_BYTES);
}

static void put_echo(struct writer *w, bool is_v4)
{
	struct icmphdr icmp = {
		.type = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
		.un.echo.sequence = htons(1),
	};

	put(w, &icmp, sizeof(icmp));
	skip(w, DATA_BYTES);
}

static const struct {
	uint8_t number4, number6;
	size_t len;
	size_t check; /* where the checksum is; the same in both ICMPs */
} protos[] = {
	[SAMPLE_TCP] = {IPPROTO_TCP, IPPROTO_TCP, sizeof(struct tcphdr),
		offsetof(struct tcphdr, check)},
	[SAMPLE_UDP] = {IPPROTO_UDP, IPPROTO_UDP,
		sizeof(struct udphdr) + DATA_BYTES,
		offsetof(struct udphdr, check)},
	[SAMPLE_ICMP] = {IPPROTO_ICMP, IPPROTO_ICMPV6,
		sizeof(struct icmphdr) + DATA_BYTES,
		offsetof(struct icmphdr, checksum)},
};

/* Of the pseudo header; the zeros of mapped addresses are gone. */
static uint32_t pseudo_sum(
	const struct sample *s, bool is_v4, uint8_t number, size_t len)
{
	size_t at = is_v4 ? 12 : 0, bytes = is_v4 ? 4 : 16;
	uint32_t seed = (uint32_t)len + number;

	if (number == IPPROTO_ICMP)
		return 0;
	return sum(s->from.addr + at, bytes, sum(s->to.addr + at, bytes, seed));
}

static void put_ip(struct writer *w, const struct sample *s)
{
	bool is_v4 = ip_is_v4(&s->from);
	size_t len = protos[s->proto].len, at;
	uint8_t number =
		is_v4 ? protos[s->proto].number4 : protos[s->proto].number6;
	uint16_t check;

	if (is_v4)
		put_ipv4(w, s, number, len);
	else
		put_ipv6(w, s, number, len);
	at = w->len;
	if (s->proto == SAMPLE_TCP)
		put_tcp(w, s);
	else if (s->proto == SAMPLE_UDP)
		put_udp(w, s);
	else
		put_echo(w, is_v4);
	check = fold(sum(
		w->frame + at, len, pseudo_sum(s, is_v4, number, len)));
	memcpy(w->frame + at + protos[s->proto].check, &check, sizeof(check));
}

size_t sample_build(const struct sample *sample, uint8_t ret_frame[static SAMPLE_MAX])
{
	struct writer w = {ret_frame, 0};
	uint16_t type = sample->proto == SAMPLE_ARP	? ETHERTYPE_ARP
			: ip_is_v4(&sample->from) ? ETHERTYPE_IP
						  : ETHERTYPE_IPV6;

	memset(ret_frame, 0, SAMPLE_MAX);
	type = htons(type);
	put(&w, sample->dst.addr, sizeof(sample->dst.addr));
	put(&w, sample->src.addr, sizeof(sample->src.addr));
	put(&w, &type, sizeof(type));
	if (sample->proto == SAMPLE_ARP)
		put_arp(&w, sample);
	else
		put_ip(&w, sample);
	return MAX(w.len, (size_t)ETH_ZLEN);
}
