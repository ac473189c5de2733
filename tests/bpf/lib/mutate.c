/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that nobody thought of, from a seed: half of them begin as something
 * that the box serves, the others as any mixture of what a header can say, and
 * then bytes change. Where a parser branches, both ways come often.
 */
#include "mutate.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/util.h"
#include "gate.h"

static uint64_t random_state;

void mutate_seed(uint64_t seed)
{
	random_state = seed;
}

/* xorshift64* */
uint32_t draw(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 2685821657736338717ULL >> 32) % n;
}

static const char *const to_addresses[] = {"198.51.100.7", "2001:db8::7",
	GATE_BOX, GATE_BOX, GATE_BOX6, GATE_BOX6, "fe80::1", "fe80::9", "10.77.0.9", "fd77::9",
	"10.78.0.80", "255.255.255.255", "224.0.0.251", "ff02::1", "ff02::1:2",
	"ff02::16", "ff0e::1"};
static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP,
	IPPROTO_ICMPV6, IPPROTO_ESP, IPPROTO_IPV6, IPPROTO_FRAGMENT, 0};
static const uint16_t ports[] = {53, 67, 68, 80, 443, 546, 547, 5353, 9};
static const uint8_t types[] = {0, 3, 5, 8, 128, 130, 133, 134, 135, 136, 137,
	143};
static const uint8_t extensions[] = {0, 43, 44, 51, 60, 135, 59, 6};

/* What the box serves: half of the frames begin as one of these. */
static const struct frame_spec services[] = {
	{.ethertype = 0x0806, .payload = 28},
	{.to = GATE_BOX, .proto = IPPROTO_UDP, .port = 53, .payload = 30},
	{.to = GATE_BOX6, .proto = IPPROTO_TCP, .port = 80, .pad = 2},
	{.to = GATE_BOX, .proto = IPPROTO_ICMP, .type = 8, .tags = 1},
	{.to = GATE_BOX6, .proto = IPPROTO_ICMPV6, .type = 128, .tags = 2},
	{.to = "255.255.255.255", .from = "0.0.0.0", .proto = IPPROTO_UDP,
		.sport = 68, .port = 67, .payload = 240},
	{.to = "ff02::1:2", .proto = IPPROTO_UDP, .sport = 546, .port = 547},
	{.to = GATE_BOX6, .proto = IPPROTO_ICMPV6, .type = 135, .ttl = 255,
		.payload = 16, .nd_option = 1},
	{.to = "ff02::16", .proto = IPPROTO_ICMPV6, .type = 143, .exts = 1},
};

void mutate_draw(struct frame_spec *spec)
{
	if (draw(2)) {
		*spec = PICK(services);
		return;
	}
	*spec = (struct frame_spec){
		.to = PICK(to_addresses),
		.tags = draw(4) ? 0 : draw(4),
		.proto = PICK(protos),
		.ttl = draw(2) ? 255 : 64,
		.options = draw(8) ? 0 : draw(11) * 4,
		.offset = draw(8) ? 0 : draw(65536),
		.exts = draw(4) ? 0 : draw(6),
		.sport = draw(3) ? 0 : PICK(ports),
		.port = PICK(ports),
		.tcp_flags = draw(2) ? 0 : draw(256),
		.type = PICK(types),
		.payload = draw(4) ? draw(100) : draw(1400),
		.pad = draw(4) ? 0 : draw(64),
		.claim = draw(8) ? 0 : (int)draw(80) - 40,
	};
	for (int i = 0; i < spec->exts; i++)
		spec->ext[i] = PICK(extensions);
}

void mutate_spoil(struct frame *f)
{
	uint32_t faults = draw(2) ? 0 : draw(5);

	while (faults--) {
		size_t at = draw(2) ? draw(MIN(f->len, 64)) : draw(f->len);

		if (draw(2))
			f->bytes[at] = draw(256);
		else
			f->bytes[at] ^= 1 << draw(8);
	}
	if (!draw(6))
		f->len = 14 + draw(f->len - 13);
}

void mutate_bytes(struct frame *f, size_t max)
{
	static const uint16_t ethertypes[] = {0x0800, 0x86dd, 0x8100, 0x88a8,
		0x0806, 0x8864};

	f->len = draw(3) ? 14 + draw(200) : 14 + draw(max - 13);
	for (size_t i = 0; i < f->len; i++)
		f->bytes[i] = draw(256);
	/* Else nearly all of it would be of a type that is not IP. */
	if (draw(4)) {
		uint16_t type = htons(PICK(ethertypes));

		memcpy(f->bytes + 12, &type, 2);
		if (f->len > 14 && draw(2))
			f->bytes[14] = draw(2) ? 0x45 : 0x60;
	}
}
