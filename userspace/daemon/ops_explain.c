/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would become of a packet of this client, and why: `explain`. It makes
 * the packet up, filling in what was not said with what is most likely meant,
 * asks the gate's own programs (datapath/explain.h), and says the verdict
 * together with the packet and the kernel's record. Nothing is changed by it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sample.h"
#include "datapath/explain.h"
#include "datapath/reasons.h"

/* Somewhere in the internet (RFC 5737, RFC 3849), and a web server there. */
#define OUTSIDE4 "203.0.113.1"
#define OUTSIDE6 "2001:db8::1"
#define WEB_PORT 443
#define CLIENT_PORT 40000

static const char *const state_names[] = {
	[GH_STATE_CLOSED] = "closed",
	[GH_STATE_RUNNING] = "running",
	[GH_STATE_PAUSED] = "paused",
	[GH_STATE_HELD] = "held",
	[GH_STATE_BLOCKED] = "blocked",
	[GH_STATE_EXEMPT] = "exempt",
};

/* The question as it takes shape. */
struct inquiry {
	struct gatehoused *g;
	const struct args_explain *args;
	const struct config_network *network;
	struct attach_row port; /* where the packet is */
	struct sample sample;
	bool is_guess; /* the client's address is made up */
	struct explain_question question;
	uint8_t frame[SAMPLE_MAX];
};

/* Where: the network that was named, or where the client was seen last, or
 * the first one; and of that a port that is gated. */

static const struct config_network *choose_network(const struct inquiry *q)
{
	const struct config *config = &q->g->config;
	const struct config_network *network;
	uint32_t number;
	int64_t seen_ns;

	if (q->args->network_set)
		return config_network_named(config, q->args->network);
	client_sight(q->g, &q->args->mac, &number, &seen_ns);
	network = config_network_numbered(config, number);
	return network || !config->network_count ? network
						 : &config->networks[0];
}

static void choose_port(void *data, const struct attach_row *row)
{
	struct inquiry *q = data;

	if (row->network && row->network->number == q->network->number &&
		row->state == ATTACH_STATE_ATTACHED && !row->is_master &&
		!q->port.ifindex)
		q->port = *row;
}

static json_t *find_place(struct inquiry *q)
{
	q->network = choose_network(q);
	if (!q->network)
		return reply_refuse(CTL_not_found,
			"There is no such network; see `gatehousectl status`.");
	attach_each(q->g->attach, choose_port, q);
	if (!q->port.ifindex)
		return reply_refuse(CTL_conflict,
			"No interface of network %s is gated now; see "
			"`gatehousectl status`.",
			q->network->name);
	return NULL;
}

/* What: the packet. */

static json_t *take_address(
	const char *name, const char *text, struct ipaddr *ret_addr)
{
	if (ip_parse(text, ret_addr) == 0)
		return NULL;
	return reply_refuse(CTL_bad_request,
		"%s must be an IP address such as 192.0.2.1 or 2001:db8::1",
		name);
}

/* The client's own: as it was seen, else one that its network might give. */
static json_t *guess_client(struct inquiry *q, bool is_v6, struct ipaddr *ret_addr)
{
	const struct ipaddr *portal =
		is_v6 ? &q->network->portal6 : &q->network->portal4;
	int ret = explain_address(q->g->dp, &q->args->mac, is_v6, ret_addr);

	if (!ret)
		return NULL;
	if (ret != -ENOENT)
		return reply_failed("explain", ret);
	if (ip_is_zero(portal))
		return reply_refuse(CTL_bad_request,
			"%s is missing: this client's address is not known",
			q->args->down ? "to" : "from");
	*ret_addr = *portal;
	ret_addr->addr[15] ^= 0x40;
	q->is_guess = true;
	return NULL;
}

static json_t *set_addresses(struct inquiry *q)
{
	const struct args_explain *a = q->args;
	struct sample *s = &q->sample;
	struct ipaddr *client = a->down ? &s->to : &s->from;
	struct ipaddr *other = a->down ? &s->from : &s->to;
	bool client_set = a->down ? a->to_set : a->from_set;
	bool other_set = a->down ? a->from_set : a->to_set;
	json_t *refusal = NULL;

	if (a->to_set)
		refusal = take_address("to", a->to, &s->to);
	if (!refusal && a->from_set)
		refusal = take_address("from", a->from, &s->from);
	if (refusal)
		return refusal;
	if (!client_set)
		refusal = guess_client(
			q, other_set && !ip_is_v4(other), client);
	if (!other_set && s->proto == SAMPLE_ARP)
		*other = q->network->portal4;
	else if (!other_set)
		ip_parse(ip_is_v4(client) ? OUTSIDE4 : OUTSIDE6, other);
	return refusal;
}

static json_t *check_packet(const struct inquiry *q)
{
	const struct sample *s = &q->sample;

	if (ip_is_v4(&s->from) != ip_is_v4(&s->to))
		return reply_refuse(CTL_bad_request,
			"to and from must be of one family.");
	if (s->proto == SAMPLE_ARP && !ip_is_v4(&s->to))
		return reply_refuse(CTL_bad_request,
			"proto arp is of IPv4; IPv6 has no ARP.");
	return NULL;
}

static json_t *set_packet(struct inquiry *q)
{
	const struct args_explain *a = q->args;
	struct sample *s = &q->sample;
	json_t *refusal;

	if (a->proto_set && sample_proto_parse(a->proto, &s->proto))
		return reply_refuse(CTL_bad_request,
			"proto is tcp, udp, icmp or arp.");
	if (a->port_set && s->proto != SAMPLE_TCP && s->proto != SAMPLE_UDP)
		return reply_refuse(
			CTL_bad_request, "port goes with tcp or udp only.");
	refusal = set_addresses(q);
	if (!refusal)
		refusal = check_packet(q);
	s->sport = CLIENT_PORT;
	s->dport = a->port_set ? (uint16_t)a->port : WEB_PORT;
	if (a->down) {
		s->sport = s->dport;
		s->dport = CLIENT_PORT;
	}
	return refusal;
}

/* How: which hook sees it there. */
static json_t *set_question(struct inquiry *q)
{
	struct gh_interface interface;
	int ret = datapath_interface_lookup(
		q->g->dp, q->port.ifindex, &interface);
	struct mac box;

	if (ret)
		return reply_failed("explain", ret);
	memcpy(box.addr, interface.mac, sizeof(box.addr));
	q->sample.src = q->args->down ? box : q->args->mac;
	q->sample.dst = q->args->down ? q->args->mac : box;
	q->question = (struct explain_question){
		.hook = q->args->down			? EXPLAIN_DOWN
			: !strcmp(q->port.up, "xdp") ? EXPLAIN_UP_XDP
						     : EXPLAIN_UP_TC,
		.ifindex = q->port.ifindex,
		.client = q->args->mac,
		.frame = q->frame,
		.len = sample_build(&q->sample, q->frame),
	};
	/* Any other interface is "elsewhere" to the download's hook. */
	if (q->args->down && q->sample.proto != SAMPLE_ARP &&
		!links_has_address(attach_links(q->g->attach), &q->sample.from))
		q->question.from_ifindex = q->port.ifindex == 1 ? 2 : 1;
	return NULL;
}

/* Saying it. */

static const char *verdict_name(enum gh_reason reason)
{
	return reason >= GH_DROPS     ? "dropped"
	       : reason >= GH_ANSWERS ? "answered"
				      : "passed";
}

static json_t *packet_json(const struct inquiry *q)
{
	const struct sample *s = &q->sample;
	bool has_ports = s->proto == SAMPLE_TCP || s->proto == SAMPLE_UDP;
	char from[IP_TEXT], to[IP_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:s, s:s}",
		"direction", q->args->down ? "down" : "up", "proto",
		sample_proto_name(s->proto), "from", ip_format(&s->from, from),
		"to", ip_format(&s->to, to), "addressGuessed", q->is_guess,
		"port",
		has_ports ? json_integer(q->args->down ? s->sport : s->dport)
			  : json_null(),
		"interface", q->port.name, "network", q->network->name, "hook",
		q->args->down ? q->port.down : q->port.up);
}

static json_t *networks_of(struct gatehoused *g, uint64_t mask)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < g->config.network_count; i++)
		if (mask >> g->config.networks[i].number & 1)
			json_array_append_new(list,
				json_string(g->config.networks[i].name));
	return list;
}

/* Kernel times and limits as replies have them; its "none" is ours. */
static int64_t limit_of(uint64_t value)
{
	return value >= (uint64_t)UNLIMITED ? UNLIMITED : (int64_t)value;
}

static int64_t quota_of(uint64_t quota)
{
	return quota == GH_UNLIMITED ? UNLIMITED
				     : (int64_t)(quota & GH_QUOTA_BYTES);
}

/* What the quota is about: "both", "up", "down". */
static const char *counts_of(uint64_t quota)
{
	return counts_name(quota == GH_UNLIMITED    ? COUNTS_BOTH
			   : quota & GH_QUOTA_UP   ? COUNTS_UP
			   : quota & GH_QUOTA_DOWN ? COUNTS_DOWN
						   : COUNTS_BOTH);
}

/* A price is the inverse of a rate; what it lost in digits is not shown. */
static json_t *rate_json(uint32_t price)
{
	uint64_t kbps = datapath_price(price), step = 1;

	if (!price)
		return json_null();
	while (kbps / step >= 10000)
		step *= 10;
	return json_integer((json_int_t)((kbps + step / 2) / step * step));
}

static json_t *record_json(struct gatehoused *g, const struct gh_client *record)
{
	const struct gh_policy *p = &record->policy;
	struct moment now = moment_now();
	int64_t left = limit_of(p->expires_ns);
	bool has_state = p->state < ARRAY_SIZE(state_names);

	/* Of what stands it is no time of day. */
	if (left != UNLIMITED && p->state != GH_STATE_PAUSED &&
		p->state != GH_STATE_HELD)
		left = MAX(left - now.mono_ns, 0);
	return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:b, s:o,"
			 " s:o, s:o, s:o}",
		"state", has_state ? state_names[p->state] : "?", "recordId",
		(json_int_t)p->record_id, "sessionId", (json_int_t)p->session,
		"networks", networks_of(g, p->networks), "remainingSeconds",
		json_seconds(left),
		"quotaBytes", json_limit(quota_of(p->quota_bytes)),
		"quotaCounts", counts_of(p->quota_bytes), "bytesUp",
		(json_int_t)record->up.bytes, "bytesDown",
		(json_int_t)record->down.bytes, "packetsUp",
		(json_int_t)record->up.packets, "packetsDown",
		(json_int_t)record->down.packets, "exhausted",
		record->up.exhausted || record->down.exhausted, "upKbps",
		rate_json(p->up_price), "downKbps", rate_json(p->down_price),
		"slowUpKbps", rate_json(p->slow_up_price), "slowDownKbps",
		rate_json(p->slow_down_price));
}

static json_t *verdict_json(struct inquiry *q, const char *state,
	const struct explain_verdict *verdict)
{
	return reply_fields("{s:o, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "mac",
		json_mac(&q->args->mac), "state", state, "verdict", verdict_name(verdict->reason),
		"reason", reason_name(verdict->reason), "meaning",
		reason_meaning(verdict->reason), "charged",
		(json_int_t)verdict->charged, "packet", packet_json(q), "record",
		verdict->has_record ? record_json(q->g, &verdict->record)
				    : json_null());
}

json_t *op_explain(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct inquiry q = {.g = g, .args = args};
	struct explain_verdict verdict;
	struct datapath_error err;
	json_t *refusal = find_place(&q);
	struct guest guest = {.mac = &q.args->mac};
	const char *state;
	int ret;

	if (!refusal)
		refusal = set_packet(&q);
	if (!refusal)
		refusal = set_question(&q);
	if (refusal)
		return refusal;
	guest.network = q.network->name;
	ret = client_state_at(g, &guest, &state);
	if (ret)
		return reply_failed("explain", ret);
	ret = explain_frame(g->dp, &g->explain, &q.question, &verdict, &err);
	if (ret)
		return reply_failed(err.text[0] ? err.text : "explain", ret);
	return verdict_json(&q, state, &verdict);
}
