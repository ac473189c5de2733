/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses and prefixes of both families as text. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "gatehouse/types.h"

#define IP_TEXT 46 /* INET6_ADDRSTRLEN */

struct prefix {
	struct ipaddr addr; /* host bits may be set: an interface address */
	uint8_t len;        /* in bits of the mapped form: IPv4 /24 is 120 */
};

int ip_parse(const char *text, struct ipaddr *ret_addr);
/* "10.0.0.0/24" or "fd00::/64"; without "/len" one address. -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret_prefix);
const char *ip_format(const struct ipaddr *addr, char buf[static IP_TEXT]);
bool ip_is_v4(const struct ipaddr *addr);
bool ip_is_zero(const struct ipaddr *addr);
bool ip_equal(const struct ipaddr *a, const struct ipaddr *b);
bool prefix_contains(const struct prefix *prefix, const struct ipaddr *addr);
/* IPv4 in network byte order; only for ip_is_v4(). */
uint32_t ip_v4(const struct ipaddr *addr);
struct ipaddr ip_from_v4(uint32_t net_order);

#endif
