/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our nftables table, through libnftables in this process: no program is run.
 * It is replaced as a whole in one transaction, so rules never need comparing
 * one by one: what the kernel lists right after is what must be listed later.
 *
 * To look every second costs one small question, the ruleset's generation:
 * only when somebody changed something anywhere is our table listed.
 */
#include "net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "base/ip.h"
#include "base/util.h"
#include "net/netlink.h"

#define TABLE "inet gatehouse"
/* Before connection tracking and any rule of the operator's that accepts. */
#define PRIORITY "-350"

struct nft {
	struct mnl_socket *request; /* for the generation */
	char *listed;		    /* what the kernel made of our table */
	uint32_t generation;	    /* at which it was seen like that */
};

static void free_context(struct nft_ctx **context)
{
	if (*context)
		nft_ctx_free(*context);
}

/* Runs `commands`; `ret_output` may be NULL. A context costs memory, so it
 * lives for one call only. */
static int run(const char *commands, struct nft_error *err, char **ret_output)
{
	_cleanup_(free_context) struct nft_ctx *context =
		nft_ctx_new(NFT_CTX_DEFAULT);
	const char *text;

	if (!context)
		return -ENOMEM;
	nft_ctx_buffer_output(context);
	nft_ctx_buffer_error(context);
	nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_STATELESS);
	if (nft_run_cmd_from_buffer(context, commands) != 0) {
		text = nft_ctx_get_error_buffer(context);
		if (err)
			snprintf(err->text, sizeof(err->text), "%.*s",
				(int)strcspn(text, "\n"), text);
		return -EIO;
	}
	if (ret_output)
		*ret_output = xstrdup(nft_ctx_get_output_buffer(context));
	return 0;
}

static int parse_generation_attr(const struct nlattr *attr, void *data)
{
	uint32_t *generation = data;

	if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		*generation = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

static int parse_generation(const struct nlmsghdr *message, void *data)
{
	mnl_attr_parse(
		message, sizeof(struct nfgenmsg), parse_generation_attr, data);
	return MNL_CB_STOP;
}

static int request_generation(struct nft *nft, uint32_t *ret_generation)
{
	char buf[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	uint32_t generation = 0;
	int ret;

	message->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
	message->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(message, sizeof(struct nfgenmsg));
	ret = netlink_ask(nft->request, message, parse_generation, &generation);
	if (!ret)
		*ret_generation = generation;
	return ret;
}

int nft_open(struct nft **ret_nft)
{
	struct nft *nft = xcalloc(1, sizeof(*nft));
	int ret;

	ret = netlink_open(NETLINK_NETFILTER, 0, &nft->request);
	if (ret)
		free(nft);
	else
		*ret_nft = nft;
	return ret;
}

void nft_close(struct nft *nft)
{
	if (!nft)
		return;
	mnl_socket_close(nft->request);
	free(nft->listed);
	free(nft);
}

/* Names come from the configuration, but a quote would still be a rule. */
static bool is_plain_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && !strpbrk(name, "\"\\*\n");
}

/* As an anonymous set: of a single name nft makes a plain comparison. */
static int write_names(FILE *out, const struct nft_wish *wish)
{
	size_t i;

	fprintf(out, "define guests = { ");
	for (i = 0; i < wish->network_count; i++) {
		const struct nft_network *network = &wish->networks[i];

		if (!is_plain_name(network->interface) ||
			!is_plain_name(network->input))
			return -EINVAL;
		fprintf(out, "%s\"%s\"", i ? ", " : "", network->interface);
	}
	fprintf(out, " }\n");
	return 0;
}

static const struct ipaddr *portal_of(
	const struct nft_network *network, bool is_v4)
{
	return is_v4 ? &network->portal4 : &network->portal6;
}

/* The portals' addresses, each alone or with where it may be spoken to. */
static void write_portals(FILE *out, const struct nft_wish *wish, bool is_v4,
	bool with_input)
{
	const char *comma = "";
	char text[IP_TEXT];
	size_t i;

	fprintf(out, "{ ");
	for (i = 0; i < wish->network_count; i++) {
		const struct nft_network *network = &wish->networks[i];
		const struct ipaddr *portal = portal_of(network, is_v4);

		if (ip_is_zero(portal))
			continue;
		fprintf(out, "%s%s", comma, ip_format(portal, text));
		if (with_input)
			fprintf(out, " . \"%s\"", network->input);
		comma = ", ";
	}
	fprintf(out, " } ");
}

/*
 * To a portal from another interface than its network's, where a MAC would say
 * nothing. Only its ports: the address may be used for other things, and the
 * box itself may look at the page.
 */
static void write_portal_rule(
	FILE *out, const struct nft_wish *wish, bool is_v4)
{
	const char *family = is_v4 ? "ip" : "ip6";
	size_t i = 0;
	int port;

	while (i < wish->network_count &&
		ip_is_zero(portal_of(&wish->networks[i], is_v4)))
		i++;
	if (i == wish->network_count || wish->port_count == 0)
		return;
	fprintf(out, "tcp dport { ");
	for (port = 0; port < wish->port_count; port++)
		fprintf(out, "%s%u", port ? ", " : "", wish->ports[port]);
	fprintf(out, " } iif != \"lo\" %s daddr ", family);
	write_portals(out, wish, is_v4, false);
	fprintf(out, "%s daddr . iifname != ", family);
	write_portals(out, wish, is_v4, true);
	fprintf(out, "drop\n");
}

static void write_chains(FILE *out, const struct nft_wish *wish)
{
	uint32_t group = wish->group;

	fprintf(out,
		"chain forward {\n"
		"type filter hook forward priority " PRIORITY ";\n"
		"iifgroup != %u iifname $guests drop\n"
		"oifgroup != %u oifname $guests drop\n"
		"}\n"
		"chain input {\n"
		"type filter hook input priority " PRIORITY ";\n"
		"iifgroup != %u iifname $guests drop\n",
		group, group, group);
	write_portal_rule(out, wish, true);
	write_portal_rule(out, wish, false);
	fprintf(out, "}\n");
}

/*
 * Adding before deleting makes deleting work when there is none. An empty set
 * cannot be written, and then there is nothing to guard. Every forwarded
 * packet meets these rules, so the group, which is cheap to compare and right
 * for all guests that are gated, comes before the name (60 ns less a packet).
 */
static int write_rules(FILE *out, const struct nft_wish *wish)
{
	int ret = wish->network_count ? write_names(out, wish) : 0;

	if (ret)
		return ret;
	fprintf(out, "add table " TABLE "\ndelete table " TABLE "\n"
		     "table " TABLE " {\n");
	if (wish->network_count)
		write_chains(out, wish);
	fprintf(out, "}\n");
	return 0;
}

/* What is listed at which generation; requested in this order, so that a change
 * in between is noticed at the next check. */
static int list(struct nft *nft, uint32_t *ret_generation, char **ret_listed)
{
	int ret = request_generation(nft, ret_generation);

	return ret ?: run("list table " TABLE, NULL, ret_listed);
}

int nft_apply(
	struct nft *nft, const struct nft_wish *wish, struct nft_error *err)
{
	_cleanup_free_ char *rules = NULL;
	char *listed;
	size_t len;
	FILE *out;
	int ret;

	err->text[0] = '\0';
	out = open_memstream(&rules, &len);
	if (!out)
		return -errno;
	ret = write_rules(out, wish);
	if (fclose(out) != 0 && !ret)
		ret = -ENOMEM;
	if (!ret)
		ret = run(rules, err, NULL);
	if (!ret)
		ret = list(nft, &nft->generation, &listed);
	if (ret)
		return ret;
	free(nft->listed);
	nft->listed = listed;
	return 0;
}

int nft_check(struct nft *nft)
{
	_cleanup_free_ char *listed = NULL;
	uint32_t generation;
	int ret;

	ret = request_generation(nft, &generation);
	if (ret)
		return ret;
	if (nft->listed && generation == nft->generation)
		return 0;
	ret = list(nft, &generation, &listed);
	if (ret == -EIO)
		return 1; /* not there */
	if (ret)
		return ret;
	if (!nft->listed || strcmp(listed, nft->listed) != 0)
		return 1;
	nft->generation = generation;
	return 0;
}

int nft_remove(struct nft *nft, struct nft_error *err)
{
	err->text[0] = '\0';
	free(nft->listed);
	nft->listed = NULL;
	return run("add table " TABLE "\ndelete table " TABLE "\n", err, NULL);
}
