/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a network's configuration and the addresses of the box to its record
 * in the kernel. Rules are gathered in their order as prefixes of either
 * family, thinned, and written per family at the end.
 *
 * Order matters between places (reach, box, link, inside) and not among those
 * of one place, so of these, whatever a wider one covers is left out.
 */
#include "daemon/network_record.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "datapath/datapath.h"

/* Far above what can be written: many inside rules are thinned out. */
#define RULES_MAX 1024

struct rule {
	struct prefix prefix;
	enum gh_place place;
	uint16_t port; /* host order */
	uint8_t proto;
};

struct rules {
	struct rule *rule; /* RULES_MAX of them */
	size_t count;
};

/* RFC 1122, 3.2.1.3: what goes from 0.0.0.0 to 0.0.0.0, the box takes for its own. */
static const char *const always_inside[] = {
	"0.0.0.0/8", "127.0.0.0/8", "::1", "fe80::/10"};
static const char *const private_ranges[] = {"10.0.0.0/8", "172.16.0.0/12",
	"192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7"};

static int add(
	struct rules *rules, enum gh_place place, const struct prefix *prefix)
{
	if (rules->count == RULES_MAX)
		return -E2BIG;
	rules->rule[rules->count++] = (struct rule){*prefix, place, 0, 0};
	return 0;
}

static int add_host(
	struct rules *rules, enum gh_place place, const struct ipaddr *addr)
{
	struct prefix host = {*addr, 128};

	return ip_is_zero(addr) ? 0 : add(rules, place, &host);
}

static int add_texts(struct rules *rules, const char *const *texts, size_t n)
{
	struct prefix prefix;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < n; i++) {
		ret = prefix_parse(texts[i], &prefix);
		if (!ret)
			ret = add(rules, GH_PLACE_INSIDE, &prefix);
	}
	return ret;
}

static int add_reach(struct rules *rules, const struct config_network *network)
{
	int i, ret = 0;

	for (i = 0; !ret && i < network->reach_count; i++) {
		const struct config_reach *reach = &network->reach[i];

		ret = add(rules, GH_PLACE_REACH, &reach->prefix);
		if (!ret) {
			rules->rule[rules->count - 1].port = reach->port;
			rules->rule[rules->count - 1].proto = reach->proto;
		}
	}
	return ret;
}

/* Where operators log in. Only who is online gets there: a stranger's device has
 * no business with it. */
static int add_operators(struct rules *rules, const struct config *config,
	const struct config_network *network)
{
	const struct ipaddr *addresses[] = {
		&network->portal4, &network->portal6};
	uint16_t ports[CONFIG_PORTAL_PORTS];
	int n = network->operators ? config_operator_ports(config, ports) : 0;
	size_t i;
	int at, ret = 0;

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		for (at = 0; !ret && at < n; at++) {
			if (ip_is_zero(addresses[i]))
				continue;
			ret = add_host(rules, GH_PLACE_REACH, addresses[i]);
			if (ret)
				continue;
			rules->rule[rules->count - 1].port = ports[at];
			rules->rule[rules->count - 1].proto = IPPROTO_TCP;
		}
	return ret;
}

/* A default route's worth of prefix (a tunnel's ::/0) is not "on a link". */
static bool is_on_link(const struct prefix *prefix)
{
	return prefix->len > (ip_is_v4(&prefix->addr) ? 96 : 0);
}

/*
 * The box takes these for itself as well: IPv4's broadcast, and IPv6's
 * subnet-router anycast address (RFC 4291, 2.6.1), which is all zero bits.
 */
static int add_subnet_address(struct rules *rules, enum gh_place place,
	const struct prefix *prefix)
{
	bool is_ipv4 = ip_is_v4(&prefix->addr);
	struct ipaddr addr = prefix->addr;
	int bit;

	/* RFC 3021, RFC 6164: a link of two has no such address. */
	if (!is_on_link(prefix) || prefix->len >= 127)
		return 0;
	for (bit = prefix->len; bit < 128; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		addr.addr[bit / 8] &= ~mask;
		addr.addr[bit / 8] |= is_ipv4 ? mask : 0;
	}
	return add_host(rules, place, &addr);
}

static int add_box(struct rules *rules, const struct config_network *network,
	const struct box_address *addresses, size_t n)
{
	size_t i;
	int ret;

	ret = add_host(rules, GH_PLACE_BOX, &network->portal4);
	if (!ret)
		ret = add_host(rules, GH_PLACE_BOX, &network->portal6);
	for (i = 0; !ret && i < n; i++) {
		if (addresses[i].owner != ADDRESS_OWNER_SELF)
			continue;
		ret = add_host(rules, GH_PLACE_BOX, &addresses[i].prefix.addr);
		/* Refused as the link's otherwise. */
		if (!ret && !network->isolate)
			ret = add_subnet_address(
				rules, GH_PLACE_BOX, &addresses[i].prefix);
	}
	return ret;
}

/* The guests: whatever else an address of theirs may be. */
static int add_link(struct rules *rules, const struct box_address *addresses,
	size_t n)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < n; i++)
		if (addresses[i].owner == ADDRESS_OWNER_SELF &&
			is_on_link(&addresses[i].prefix))
			ret = add(rules, GH_PLACE_LINK, &addresses[i].prefix);
	return ret;
}

static int add_inside(struct rules *rules, const struct config_network *network,
	const struct box_address *addresses, size_t n)
{
	size_t i;
	int ret;

	ret = add_texts(rules, always_inside, ARRAY_SIZE(always_inside));
	if (!ret && network->block_private)
		ret = add_texts(
			rules, private_ranges, ARRAY_SIZE(private_ranges));
	for (i = 0; !ret && i < n; i++) {
		const struct box_address *a = &addresses[i];

		if (a->owner == ADDRESS_OWNER_SELF)
			continue;
		ret = add_host(rules, GH_PLACE_INSIDE, &a->prefix.addr);
		if (!ret)
			ret = add_subnet_address(
				rules, GH_PLACE_INSIDE, &a->prefix);
		if (!ret && is_on_link(&a->prefix) &&
			(a->owner != ADDRESS_OWNER_OTHER ||
				network->block_private))
			ret = add(rules, GH_PLACE_INSIDE, &a->prefix);
	}
	return ret;
}

/* Among rules of one place without ports, a wider one or an earlier equal
 * one says it already. */
static bool is_covered(const struct rules *rules, size_t i)
{
	const struct rule *rule = &rules->rule[i];
	size_t j;

	if (rule->place == GH_PLACE_REACH)
		return false;
	for (j = 0; j < rules->count; j++) {
		const struct rule *other = &rules->rule[j];

		if (j == i || other->place != rule->place)
			continue;
		if (ip_is_v4(&other->prefix.addr) != ip_is_v4(&rule->prefix.addr))
			continue;
		if (prefix_contains(&other->prefix, &rule->prefix.addr) &&
			(other->prefix.len < rule->prefix.len ||
				(other->prefix.len == rule->prefix.len && j < i)))
			return true;
	}
	return false;
}

static uint32_t mask4(unsigned int bits)
{
	return bits ? htonl(~0U << (32 - bits)) : 0;
}

static uint64_t mask_half(unsigned int bits)
{
	if (bits == 0)
		return 0;
	return htobe64(~0ULL << (bits >= 64 ? 0 : 64 - bits));
}

static int write4(struct gh_network *network, const struct rule *rule)
{
	uint32_t mask = mask4(rule->prefix.len - 96U);

	if (network->n4 == GH_PREFIXES_MAX)
		return -E2BIG;
	network->prefix4[network->n4++] = (struct gh_prefix4){
		.net = ip_v4(&rule->prefix.addr) & mask,
		.mask = mask,
		.port = htons(rule->port),
		.proto = rule->proto,
		.place = rule->place,
	};
	return 0;
}

static int write6(struct gh_network *network, const struct rule *rule)
{
	unsigned int len = rule->prefix.len;
	struct gh_prefix6 out = {
		.mask = {mask_half(MIN(len, 64U)),
			mask_half(len > 64 ? len - 64 : 0)},
		.port = htons(rule->port),
		.proto = rule->proto,
		.place = rule->place,
	};

	if (network->n6 == GH_PREFIXES_MAX)
		return -E2BIG;
	memcpy(out.net, rule->prefix.addr.addr, sizeof(out.net));
	out.net[0] &= out.mask[0];
	out.net[1] &= out.mask[1];
	network->prefix6[network->n6++] = out;
	return 0;
}

static int write_rules(struct gh_network *network, const struct rules *rules)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (is_covered(rules, i))
			continue;
		if (ip_is_v4(&rule->prefix.addr) && rule->prefix.len >= 96)
			ret = write4(network, rule);
		else
			ret = write6(network, rule);
	}
	return ret;
}

/* "http://10.77.0.1:8080/?url="; nothing for a family without a portal. */
static int write_location(const struct config *config,
	const struct ipaddr *portal, char *ret_text, uint32_t *ret_len)
{
	char text[GH_LOCATION_MAX + 1], address[IP_TEXT], port[8] = "";
	bool brackets = !ip_is_v4(portal);
	int len;

	if (ip_is_zero(portal))
		return 0;
	if (config->portal_http_port != 80)
		snprintf(port, sizeof(port), ":%u",
			(uint16_t)config->portal_http_port);
	ip_format(portal, address);
	if (config->portal_name[0])
		len = snprintf(text, sizeof(text),
			"http://%s%s/?url=", config->portal_name, port);
	else
		len = snprintf(text, sizeof(text),
			"http://%s%s%s%s/?url=", brackets ? "[" : "", address,
			brackets ? "]" : "", port);
	if (len < 0 || len > GH_LOCATION_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_text, text, len);
	*ret_len = len;
	return 0;
}

static int write_portal(const struct config *config,
	const struct config_network *network, struct gh_network *out)
{
	int ret;

	out->portal_ports[0] = htons(config->portal_http_port);
	if (config->tls_cert[0])
		out->portal_ports[1] = htons(config->portal_https_port);
	if (!ip_is_zero(&network->portal4))
		out->portal4 = ip_v4(&network->portal4);
	memcpy(out->portal6, network->portal6.addr, sizeof(out->portal6));
	ret = write_location(
		config, &network->portal4, out->location4, &out->location4_len);
	if (!ret)
		ret = write_location(config, &network->portal6, out->location6,
			&out->location6_len);
	return ret;
}

struct ipaddr network_resolver(const struct config_network *network, bool is_v6)
{
	const struct ipaddr *set =
		is_v6 ? &network->resolver6 : &network->resolver4;
	const struct ipaddr *portal =
		is_v6 ? &network->portal6 : &network->portal4;

	if (!network->steer_dns)
		return (struct ipaddr){{0}};
	return ip_is_zero(set) ? *portal : *set;
}

static void write_resolver(
	const struct config_network *network, struct gh_network *out)
{
	struct ipaddr v4 = network_resolver(network, false);
	struct ipaddr v6 = network_resolver(network, true);

	if (!ip_is_zero(&v4))
		out->resolver4 = ip_v4(&v4);
	memcpy(out->resolver6, v6.addr, sizeof(out->resolver6));
}

static uint32_t flags_of(const struct config_network *network)
{
	uint32_t flags = GH_NETWORK_ACTIVE;

	if (!network->isolate)
		flags |= GH_NETWORK_MEET;
	if (network->source_check != CONFIG_SOURCE_OFF)
		flags |= GH_NETWORK_CHECK_SOURCE;
	if (network->source_check == CONFIG_SOURCE_DROP)
		flags |= GH_NETWORK_DROP_SPOOFED;
	if (network->on_spoof == CONFIG_SPOOF_DROP)
		flags |= GH_NETWORK_DROP_TWINS;
	return flags;
}

int network_record_make(const struct config *config,
	const struct config_network *network, const struct box_address *addresses,
	size_t n, struct gh_network *ret_network)
{
	_cleanup_free_ struct rule *rule = xcalloc(RULES_MAX, sizeof(*rule));
	struct rules rules = {rule, 0};
	struct gh_network out;
	int ret;

	memset(&out, 0, sizeof(out)); /* padding is compared, too */
	out.flags = flags_of(network);
	out.captive_price = datapath_price(network->captive_kbps);
	out.network_price = datapath_price(network->network_kbps);
	out.box_price = datapath_price(network->box_kbps);
	write_resolver(network, &out);
	ret = write_portal(config, network, &out);
	if (!ret)
		ret = add_reach(&rules, network);
	if (!ret)
		ret = add_operators(&rules, config, network);
	if (!ret)
		ret = add_box(&rules, network, addresses, n);
	if (!ret)
		ret = add_link(&rules, addresses, n);
	if (!ret)
		ret = add_inside(&rules, network, addresses, n);
	if (!ret)
		ret = write_rules(&out, &rules);
	if (!ret)
		*ret_network = out;
	return ret;
}
