/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the benchmarks' guests. Every header field that the kernel or the
 * gate looks at is right, checksums too: what is measured is the path of a
 * good packet.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void guest_mac(uint32_t n, uint8_t ret[static 6])
{
	ret[0] = 0x02;
	ret[1] = 0x10;
	n = htonl(n);
	memcpy(ret + 2, &n, sizeof(n));
}

int64_t guest_of(const uint8_t mac[static 6])
{
	uint32_t n;

	if (mac[0] != 0x02 || mac[1] != 0x10)
		return -1;
	memcpy(&n, mac + 2, sizeof(n));
	return ntohl(n);
}

void mac_of(const char *text, uint8_t ret[static 6])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &ret[0], &ret[1],
		    &ret[2], &ret[3], &ret[4], &ret[5]) != 6)
		die("%s is not a MAC address", text);
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* Ethernet and IPv4 for `len` bytes behind them; returns where these go. */
static uint8_t *frame_begin(uint8_t *frame, const struct ends *ends,
	uint8_t protocol, size_t len)
{
	struct ether_header *eth = (struct ether_header *)frame;
	struct iphdr *ip = (struct iphdr *)(eth + 1);

	memcpy(eth->ether_dhost, ends->dst_mac, 6);
	memcpy(eth->ether_shost, ends->src_mac, 6);
	eth->ether_type = htons(ETHERTYPE_IP);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(sizeof(*ip) + len),
		.ttl = 64,
		.protocol = protocol,
		.saddr = ends->src,
		.daddr = ends->dst,
	};
	ip->check = checksum_fold(checksum_add(0, ip, sizeof(*ip)));
	return (uint8_t *)(ip + 1);
}

static uint16_t transport_checksum(const struct ends *ends, uint8_t protocol,
	const void *segment, size_t len)
{
	uint32_t sum = checksum_add(protocol + len, &ends->src, 4);

	sum = checksum_add(sum, &ends->dst, 4);
	return checksum_fold(checksum_add(sum, segment, len));
}

size_t frame_udp(uint8_t *frame, const struct ends *ends, const void *payload,
	size_t len)
{
	size_t whole = sizeof(struct udphdr) + len;
	uint8_t *p = frame_begin(frame, ends, IPPROTO_UDP, whole);
	struct udphdr *udp = (struct udphdr *)p;

	*udp = (struct udphdr){
		.source = htons(ends->src_port),
		.dest = htons(ends->dst_port),
		.len = htons(whole),
	};
	memcpy(udp + 1, payload, len);
	udp->check = transport_checksum(ends, IPPROTO_UDP, udp, whole);
	return p + whole - frame;
}

size_t frame_tcp(uint8_t *frame, const struct ends *ends,
	const struct tcp_fields *fields, const void *payload, size_t len)
{
	static const uint8_t mss[4] = {TCPOPT_MAXSEG, TCPOLEN_MAXSEG, 5, 0xb4};
	size_t options = fields->flags & TH_SYN ? sizeof(mss) : 0;
	size_t whole = sizeof(struct tcphdr) + options + len;
	uint8_t *p = frame_begin(frame, ends, IPPROTO_TCP, whole);
	struct tcphdr *tcp = (struct tcphdr *)p;

	*tcp = (struct tcphdr){
		.source = htons(ends->src_port),
		.dest = htons(ends->dst_port),
		.seq = htonl(fields->seq),
		.ack_seq = htonl(fields->ack),
		.doff = (sizeof(*tcp) + options) / 4,
		.window = htons(65535),
	};
	tcp->th_flags = fields->flags;
	memcpy(tcp + 1, mss, options);
	memcpy((uint8_t *)(tcp + 1) + options, payload, len);
	tcp->check = transport_checksum(ends, IPPROTO_TCP, tcp, whole);
	return p + whole - frame;
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}
