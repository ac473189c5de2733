/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ethernet addresses as text and as numbers. Only unicast addresses parse: a
 * group address can never be a client (IEEE 802-2014, 8.2.2).
 */
#include "base/mac.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac mac;

	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return -EINVAL;
		mac.addr[i] = high << 4 | low;
		if (i < 5 ? text[2] != ':' && text[2] != '-' : text[2] != '\0')
			return -EINVAL;
	}
	if (mac.addr[0] & 1 || mac_is_zero(&mac))
		return -EADDRNOTAVAIL;
	*ret_mac = mac;
	return 0;
}

const char *mac_format(const struct mac *mac, char buf[static MAC_TEXT])
{
	const uint8_t *a = mac->addr;

	snprintf(buf, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1],
		a[2], a[3], a[4], a[5]);
	return buf;
}

bool mac_is_zero(const struct mac *mac)
{
	static const struct mac zero;

	return mac_equal(mac, &zero);
}

bool mac_is_random(const struct mac *mac)
{
	return mac->addr[0] & 2;
}

uint64_t mac_hash(const struct mac *mac)
{
	uint64_t h = 0;

	memcpy(&h, mac->addr, sizeof(mac->addr));
	/* The finalizer of MurmurHash3: every input bit reaches every output bit. */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}
