/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest asks the captive responder, and how its answers are judged:
 * shared by the unit test, the fuzzer and the test of the loaded programs, which
 * so agree on what a good answer is. Header only, for each links differently.
 */
#ifndef TESTS_ANSWERS_H
#define TESTS_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <string.h>

#define ASK_MAX 2600

#define ASK_FIN 0x01
#define ASK_SYN 0x02
#define ASK_RST 0x04
#define ASK_PSH 0x08
#define ASK_ACK 0x10

#define ASK_GUEST4 "10.77.0.50"
#define ASK_GUEST6 "fd77::50"
#define ASK_SITE4  "192.0.2.80"
#define ASK_SITE6  "2001:db8::80"
#define ASK_ROUTER4 "10.77.0.1"
#define ASK_ROUTER6 "fd77::1"

static const uint8_t ask_guest_mac[6] = {2, 0x77, 0, 0, 0, 9};
static const uint8_t ask_box_mac[6] = {2, 0, 0, 0, 0, 0xfe};

/* A packet from the guest; zero is a good default wherever it can be. */
struct ask {
	int family;       /* 4 or 6 */
	int tags;         /* VLAN tags in the frame */
	const char *from; /* NULL: the guest's address */
	const char *to;   /* NULL: the site's */
	uint8_t proto;    /* 0: TCP */
	uint16_t sport;   /* 0: 40000 */
	uint16_t port;    /* 0: 80 */
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t icmp_type;
	const void *data;
	size_t len;
};

struct ask_frame {
	uint8_t bytes[ASK_MAX];
	size_t len;
	size_t l3, l4, data; /* where the headers and the payload begin */
};

/* RFC 1071 over `len` bytes, added to `sum`. */
static inline uint32_t sum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static inline uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of layer 4 with its pseudo header; ICMP over IPv4 has none. 0xffff: right. */
static inline uint16_t sum_transport(
	const uint8_t *ip, uint8_t proto, const uint8_t *l4, size_t len)
{
	uint32_t sum = sum_add(0, l4, len);

	if (proto == 1)
		return sum_fold(sum);
	sum += proto + len;
	if (ip[0] >> 4 == 4)
		return sum_fold(sum_add(sum, ip + 12, 8));
	return sum_fold(sum_add(sum, ip + 8, 32));
}

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static inline uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline size_t ask_header_len(const struct ask *ask, uint8_t proto)
{
	if (proto == 6)
		return ask->flags & ASK_SYN ? 24 : 20;
	return 8; /* UDP, ICMP, and enough of anything else */
}

static inline void ask_put_transport(
	const struct ask *ask, struct ask_frame *f, uint8_t proto)
{
	uint8_t *ip = f->bytes + f->l3, *l4 = f->bytes + f->l4;
	size_t len = f->len - f->l4, sum_at = proto == 6 ? 16 : proto == 17 ? 6 : 2;

	if (proto == 1 || proto == 58) {
		l4[0] = ask->icmp_type;
	} else {
		put16(l4, ask->sport ? ask->sport : 40000);
		put16(l4 + 2, ask->port ? ask->port : 80);
	}
	if (proto == 6) {
		put32(l4 + 4, ask->seq);
		put32(l4 + 8, ask->ack);
		l4[12] = (f->data - f->l4) << 2;
		l4[13] = ask->flags;
		put16(l4 + 14, 64240);
		if (ask->flags & ASK_SYN)
			put32(l4 + 20, 0x020405b4);
	} else if (proto == 17) {
		put16(l4 + 4, len);
	}
	if (proto == 6 || proto == 17 || proto == 1 || proto == 58)
		put16(l4 + sum_at, ~sum_transport(ip, proto, l4, len));
}

/* Builds the frame, checksums and all. */
static inline void ask_build(const struct ask *ask, struct ask_frame *f)
{
	static const uint8_t inner[4] = {0x81, 0x00, 0x00, 0x65};
	static const uint8_t outer[4] = {0x88, 0xa8, 0x20, 0x64};
	uint8_t proto = ask->proto ? ask->proto : 6, *ip;
	bool v4 = ask->family == 4;
	const char *from = ask->from ? ask->from : v4 ? ASK_GUEST4 : ASK_GUEST6;
	const char *to = ask->to ? ask->to : v4 ? ASK_SITE4 : ASK_SITE6;
	int i;

	memset(f, 0, sizeof(*f));
	memcpy(f->bytes, ask_box_mac, 6);
	memcpy(f->bytes + 6, ask_guest_mac, 6);
	for (i = 0; i < ask->tags; i++)
		memcpy(f->bytes + 12 + 4 * i, i + 1 < ask->tags ? outer : inner, 4);
	f->l3 = 14 + 4 * ask->tags;
	put16(f->bytes + f->l3 - 2, v4 ? 0x0800 : 0x86dd);
	f->l4 = f->l3 + (v4 ? 20 : 40);
	f->data = f->l4 + ask_header_len(ask, proto);
	f->len = f->data + ask->len;
	if (ask->len)
		memcpy(f->bytes + f->data, ask->data, ask->len);
	ip = f->bytes + f->l3;
	if (v4) {
		ip[0] = 0x45;
		put16(ip + 2, f->len - f->l3);
		ip[8] = 64;
		ip[9] = proto;
		inet_pton(AF_INET, from, ip + 12);
		inet_pton(AF_INET, to, ip + 16);
		put16(ip + 10, ~sum_fold(sum_add(0, ip, 20)));
	} else {
		ip[0] = 0x60;
		put16(ip + 4, f->len - f->l4);
		ip[6] = proto;
		ip[7] = 64;
		inet_pton(AF_INET6, from, ip + 8);
		inet_pton(AF_INET6, to, ip + 24);
	}
	ask_put_transport(ask, f, proto);
}

/* A frame that the gate sent. */
struct answer {
	uint8_t proto;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
	uint8_t type, code; /* ICMP */
	const uint8_t *options;
	size_t options_len;
	const uint8_t *data; /* behind the TCP header, or what ICMP quotes */
	size_t len;
};

/* Back to where the question came from: MACs, tags and the guest's address. */
static inline const char *answer_check_way(const struct ask_frame *f,
	const uint8_t *frame, const uint8_t *ip, bool v4)
{
	const uint8_t *asked = f->bytes + f->l3;
	size_t n = v4 ? 4 : 16, src = v4 ? 12 : 8;

	if (memcmp(frame, f->bytes + 6, 6) || memcmp(frame + 6, f->bytes, 6))
		return "MACs are not turned round";
	if (memcmp(frame + 12, f->bytes + 12, f->l3 - 12))
		return "other tags or ethertype";
	if (memcmp(ip + src + n, asked + src, n))
		return "not to the guest's address";
	return NULL;
}

static inline const char *answer_check_ip(
	const uint8_t *ip, size_t len, uint8_t *ret_proto, size_t *ret_header)
{
	if (ip[0] >> 4 == 4) {
		*ret_header = 20;
		*ret_proto = ip[9];
		if (len < 20 || ip[0] != 0x45 || get16(ip + 2) != len)
			return "IPv4 header does not fit the frame";
		if (sum_fold(sum_add(0, ip, 20)) != 0xffff)
			return "wrong IPv4 checksum";
		if (!ip[8] || get16(ip + 6) & 0xbfff)
			return "IPv4 TTL or fragment field";
		return NULL;
	}
	*ret_header = 40;
	*ret_proto = ip[6];
	if (len < 40 || ip[0] != 0x60 || get16(ip + 4) != len - 40)
		return "IPv6 header does not fit the frame";
	return ip[7] ? NULL : "IPv6 hop limit";
}

static inline const char *answer_check_tcp(const struct ask_frame *f,
	const uint8_t *l4, size_t len, struct answer *ret)
{
	size_t header = (l4[12] >> 4) * 4;

	if (len < 20 || header < 20 || header > len || l4[12] & 15)
		return "TCP header";
	if (memcmp(l4, f->bytes + f->l4 + 2, 2) || memcmp(l4 + 2, f->bytes + f->l4, 2))
		return "ports are not turned round";
	ret->seq = get32(l4 + 4);
	ret->ack = get32(l4 + 8);
	ret->flags = l4[13];
	ret->window = get16(l4 + 14);
	ret->options = l4 + 20;
	ret->options_len = header - 20;
	ret->data = l4 + header;
	ret->len = len - header;
	return NULL;
}

/* Reads the answer to `f`. Returns what is wrong with it, NULL: nothing. */
static inline const char *answer_read(const struct ask_frame *f,
	const uint8_t *frame, size_t len, struct answer *ret)
{
	const uint8_t *ip = frame + f->l3, *l4;
	size_t header = 0, l4_len;
	const char *wrong;

	memset(ret, 0, sizeof(*ret));
	if (len < f->l3 + 40)
		return "too short";
	if (len > f->l3 + 1280)
		return "longer than any link may be narrow";
	wrong = answer_check_ip(ip, len - f->l3, &ret->proto, &header);
	if (!wrong)
		wrong = answer_check_way(f, frame, ip, header == 20);
	if (wrong)
		return wrong;
	l4 = ip + header;
	l4_len = len - f->l3 - header;
	if (l4_len < 8)
		return "no layer 4";
	if (sum_transport(ip, ret->proto, l4, l4_len) != 0xffff)
		return "wrong checksum";
	if (ret->proto == 6)
		return answer_check_tcp(f, l4, l4_len, ret);
	if (ret->proto != (header == 20 ? 1 : 58))
		return "neither TCP nor ICMP";
	ret->type = l4[0];
	ret->code = l4[1];
	ret->data = l4 + 8;
	ret->len = l4_len - 8;
	return NULL;
}

#endif
