/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes DNS answers (RFC 1035). Names are not compressed, but for the one that
 * was asked; lengths are the caller's to falsify afterwards.
 */
#include "dns.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>

static void put(struct dns *d, const void *bytes, size_t len)
{
	assert_true(d->len + len <= sizeof(d->bytes));
	memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

void dns_u16(struct dns *d, uint16_t value)
{
	uint16_t word = htons(value);

	put(d, &word, sizeof(word));
}

void dns_name(struct dns *d, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");
		uint8_t byte = (uint8_t)len;

		put(d, &byte, 1);
		put(d, name, len);
		name += len + (name[len] == '.');
	}
	put(d, "", 1);
}

void dns_begin(struct dns *d, const char *name)
{
	static const uint8_t head[12] = {0x12, 0x34, 0x81, 0x80, 0, 1};

	memset(d, 0, sizeof(*d));
	put(d, head, sizeof(head));
	dns_name(d, name);
	dns_u16(d, DNS_A);
	dns_u16(d, 1);
}

void dns_record(struct dns *d, const char *name, uint16_t type, uint32_t ttl,
	const void *data, size_t len)
{
	if (name)
		dns_name(d, name);
	else
		dns_u16(d, 0xc00c);
	dns_u16(d, type);
	dns_u16(d, 1);
	dns_u16(d, (uint16_t)(ttl >> 16));
	dns_u16(d, (uint16_t)ttl);
	dns_u16(d, (uint16_t)len);
	put(d, data, len);
	if (!++d->bytes[7])
		d->bytes[6]++;
}

void dns_address(
	struct dns *d, const char *name, uint32_t ttl, const char *address)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1) {
		dns_record(d, name, DNS_A, ttl, bytes, 4);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, bytes), 1);
		dns_record(d, name, DNS_AAAA, ttl, bytes, 16);
	}
}

void dns_alias(struct dns *d, const char *name, const char *target)
{
	struct dns wire = {.len = 0};

	dns_name(&wire, target);
	dns_record(d, name, DNS_CNAME, 60, wire.bytes, wire.len);
}
