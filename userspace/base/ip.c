/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IP addresses of both families in one form. An IPv4 address is its
 * IPv4-mapped IPv6 address, so comparing and prefix tests know no family.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

int ip_parse(const char *text, struct ipaddr *ret_addr)
{
	uint8_t addr[16];

	if (inet_pton(AF_INET6, text, addr) != 1) {
		memcpy(addr, mapped, sizeof(mapped));
		if (inet_pton(AF_INET, text, addr + 12) != 1)
			return -EINVAL;
	}
	memcpy(ret_addr->addr, addr, sizeof(addr));
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[IP_TEXT];
	struct prefix p;
	long len = 128;
	char *end;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (ip_parse(host, &p.addr))
		return -EINVAL;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		len = strtol(slash + 1, &end, 10);
		if (ip_is_v4(&p.addr))
			len = len > 32 ? -1 : len + 96;
		if (*end || len < 0 || len > 128)
			return -EINVAL;
	}
	p.len = len;
	*ret_prefix = p;
	return 0;
}

const char *ip_format(const struct ipaddr *addr, char buf[static IP_TEXT])
{
	if (ip_is_v4(addr))
		inet_ntop(AF_INET, addr->addr + 12, buf, IP_TEXT);
	else
		inet_ntop(AF_INET6, addr->addr, buf, IP_TEXT);
	return buf;
}

bool ip_is_v4(const struct ipaddr *addr)
{
	return memcmp(addr->addr, mapped, sizeof(mapped)) == 0;
}

bool ip_is_zero(const struct ipaddr *addr)
{
	static const struct ipaddr zero;

	return ip_equal(addr, &zero);
}

bool ip_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool prefix_contains(const struct prefix *prefix, const struct ipaddr *addr)
{
	int whole = prefix->len / 8;
	int rest = prefix->len % 8;

	if (memcmp(prefix->addr.addr, addr->addr, whole) != 0)
		return false;
	if (!rest)
		return true;
	return (prefix->addr.addr[whole] ^ addr->addr[whole]) >> (8 - rest) == 0;
}

uint32_t ip_v4(const struct ipaddr *addr)
{
	uint32_t v4;

	memcpy(&v4, addr->addr + 12, sizeof(v4));
	return v4;
}

struct ipaddr ip_from_v4(uint32_t net_order)
{
	struct ipaddr addr;

	memcpy(addr.addr, mapped, sizeof(mapped));
	memcpy(addr.addr + 12, &net_order, sizeof(net_order));
	return addr;
}

int ip_from_sockaddr(const struct sockaddr_storage *sa, struct ipaddr *ret_addr)
{
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_in *in = (const void *)sa;

	if (sa->ss_family == AF_INET)
		*ret_addr = ip_from_v4(in->sin_addr.s_addr);
	else if (sa->ss_family == AF_INET6)
		memcpy(ret_addr->addr, &in6->sin6_addr, sizeof(ret_addr->addr));
	else
		return -EAFNOSUPPORT;
	return 0;
}

socklen_t ip_to_sockaddr(
	const struct ipaddr *addr, int port, struct sockaddr_storage *ret_sa)
{
	struct sockaddr_in6 *in6 = (void *)ret_sa;
	struct sockaddr_in *in = (void *)ret_sa;

	*ret_sa = (struct sockaddr_storage){0};
	if (ip_is_v4(addr)) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		in->sin_addr.s_addr = ip_v4(addr);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	memcpy(&in6->sin6_addr, addr->addr, sizeof(addr->addr));
	return sizeof(*in6);
}

bool ip_is_loopback(const struct ipaddr *addr)
{
	static const char *const loopbacks[] = {"127.0.0.0/8", "::1/128"};
	struct prefix prefix;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(loopbacks); i++)
		if (!prefix_parse(loopbacks[i], &prefix) &&
			prefix_contains(&prefix, addr))
			return true;
	return false;
}
