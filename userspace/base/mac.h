/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ethernet addresses as text: "02:00:5e:10:00:01", lower case when printed. */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <string.h>

#include "gatehouse/types.h"

#define MAC_TEXT 18 /* with the final NUL */

/* Takes ':' or '-' between the bytes, either case. -EINVAL for anything else,
 * -EADDRNOTAVAIL for a group address or all zero: no client has one. */
int mac_parse(const char *text, struct mac *ret_mac);
/* Returns `buf`. */
const char *mac_format(const struct mac *mac, char buf[static MAC_TEXT]);
/* Here, for who compares a million of them. */
static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
bool mac_is_zero(const struct mac *mac);
/* Locally administered: most likely a phone's private address. */
bool mac_is_random(const struct mac *mac);
/* The address as a number, for hash tables. */
uint64_t mac_hash(const struct mac *mac);

#endif
