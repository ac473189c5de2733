/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses and prefixes of both families: as text, as socket addresses. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <sys/socket.h>

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
bool ip_is_loopback(const struct ipaddr *addr);
bool ip_equal(const struct ipaddr *a, const struct ipaddr *b);
bool prefix_contains(const struct prefix *prefix, const struct ipaddr *addr);
/* IPv4 in network byte order; only for ip_is_v4(). */
uint32_t ip_v4(const struct ipaddr *addr);
struct ipaddr ip_from_v4(uint32_t net_order);
/* -EAFNOSUPPORT for other families. */
int ip_from_sockaddr(const struct sockaddr_storage *sa, struct ipaddr *ret_addr);
/* Returns the length; `port` in host order. */
socklen_t ip_to_sockaddr(
	const struct ipaddr *addr, int port, struct sockaddr_storage *ret_sa);

#endif
