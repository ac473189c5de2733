/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdict reasons by name, and the sum of their per-CPU counters. A reason
 * that is new in abi.h needs its rows here; a unit test finds the one without.
 */
#include "datapath/reasons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/handle.h"

static const char *const names[GH_REASONS] = {
	[GH_NO_REASON] = "no_reason",
	[GH_PASS_CHARGED] = "pass_charged",
	[GH_PASS_EXEMPT] = "pass_exempt",
	[GH_PASS_DHCP] = "pass_dhcp",
	[GH_PASS_DNS] = "pass_dns",
	[GH_PASS_PORTAL] = "pass_portal",
	[GH_PASS_ECHO] = "pass_echo",
	[GH_PASS_ARP] = "pass_arp",
	[GH_PASS_ND] = "pass_nd",
	[GH_PASS_MLD] = "pass_mld",
	[GH_PASS_GARDEN] = "pass_garden",
	[GH_PASS_BOX_MADE] = "pass_box_made",
	[GH_PASS_MULTICAST] = "pass_multicast",
	[GH_PASS_NEIGHBOUR] = "pass_neighbour",
	[GH_PASS_STEERED] = "pass_steered",
	[GH_ANSWER_SYN] = "answer_syn",
	[GH_ANSWER_REDIRECT] = "answer_redirect",
	[GH_ANSWER_FIN] = "answer_fin",
	[GH_ANSWER_RESET] = "answer_reset",
	[GH_ANSWER_PROHIBITED] = "answer_prohibited",
	[GH_DROP_SOURCE] = "drop_source",
	[GH_DROP_NETWORK] = "drop_network",
	[GH_DROP_MALFORMED] = "drop_malformed",
	[GH_DROP_ETHERTYPE] = "drop_ethertype",
	[GH_DROP_BLOCKED] = "drop_blocked",
	[GH_DROP_CLOSED] = "drop_closed",
	[GH_DROP_PAUSED] = "drop_paused",
	[GH_DROP_HELD] = "drop_held",
	[GH_DROP_EXPIRED] = "drop_expired",
	[GH_DROP_QUOTA] = "drop_quota",
	[GH_DROP_ELSEWHERE] = "drop_elsewhere",
	[GH_DROP_RATE] = "drop_rate",
	[GH_DROP_CAPTIVE] = "drop_captive",
	[GH_DROP_FRAGMENT] = "drop_fragment",
	[GH_DROP_EXTENSION] = "drop_extension",
	[GH_DROP_ROGUE] = "drop_rogue",
	[GH_DROP_ND] = "drop_nd",
	[GH_DROP_INSIDE] = "drop_inside",
	[GH_DROP_BOX_LIMIT] = "drop_box_limit",
	[GH_DROP_TCP_STRAY] = "drop_tcp_stray",
	[GH_DROP_ERROR] = "drop_error",
	[GH_DROP_ADDRESS] = "drop_address",
	[GH_DROP_GARDEN] = "drop_garden",
	[GH_DROP_GROUP_QUOTA] = "drop_group_quota",
	[GH_DROP_GROUP_RATE] = "drop_group_rate",
	[GH_DROP_SPOOFED] = "drop_spoofed",
	[GH_DROP_TWIN] = "drop_twin",
};

/* What becomes of the packet and why, said to an operator. */
static const char *const meanings[GH_REASONS] = {
	[GH_NO_REASON] = "",
	[GH_PASS_CHARGED] = "passes, counted against the client's session",
	[GH_PASS_EXEMPT] = "passes, counted; this client needs no session",
	[GH_PASS_DHCP] = "passes free of charge: DHCP, to get an address",
	[GH_PASS_DNS] = "passes free of charge: DNS of the box",
	[GH_PASS_PORTAL] = "passes free of charge: the portal",
	[GH_PASS_ECHO] = "passes free of charge: ping of the box",
	[GH_PASS_ARP] = "passes free of charge: ARP",
	[GH_PASS_ND] = "passes free of charge: neighbour discovery",
	[GH_PASS_MLD] = "passes free of charge: multicast listener discovery",
	[GH_PASS_GARDEN] = "passes free of charge: the garden",
	[GH_PASS_BOX_MADE] = "passes: the box itself made it",
	[GH_PASS_MULTICAST] = "passes: to a group, so to nobody alone",
	[GH_PASS_NEIGHBOUR] = "passes free of charge: to another guest of the "
			      "network",
	[GH_PASS_STEERED] = "passes free of charge: DNS for another server, "
			    "answered by the network's resolver",
	[GH_ANSWER_SYN] = "the gate takes the connection in the server's name, "
			  "to send the browser to the portal",
	[GH_ANSWER_REDIRECT] = "the gate sends the browser to the portal",
	[GH_ANSWER_FIN] = "the gate ends a connection that it has answered",
	[GH_ANSWER_RESET] = "the gate refuses the connection at once: the "
			    "client may not have it now",
	[GH_ANSWER_PROHIBITED] = "the gate says by ICMP that the client may "
				 "not have this now",
	[GH_DROP_SOURCE] = "dropped: no client can have this sender's MAC",
	[GH_DROP_NETWORK] = "dropped: the interface is in no active network",
	[GH_DROP_MALFORMED] = "dropped: damaged, or not what it claims to be",
	[GH_DROP_ETHERTYPE] = "dropped: neither IP nor ARP",
	[GH_DROP_BLOCKED] = "dropped: the client is blocked",
	[GH_DROP_CLOSED] = "dropped: the client's session is just ending or "
			   "moving",
	[GH_DROP_PAUSED] = "dropped: the client's session is paused",
	[GH_DROP_HELD] = "dropped: the client's session is held",
	[GH_DROP_EXPIRED] = "dropped: the session's time is used up",
	[GH_DROP_QUOTA] = "dropped: the session's bytes are used up",
	[GH_DROP_ELSEWHERE] = "dropped: the session is not for this network",
	[GH_DROP_RATE] = "dropped: faster than the session's rate",
	[GH_DROP_CAPTIVE] = "dropped: the client has no session",
	[GH_DROP_FRAGMENT] = "dropped: a fragment, which only clients who are "
			     "online may send, and not to the box",
	[GH_DROP_EXTENSION] = "dropped: IP options or extension headers, "
			      "which only clients who are online may send",
	[GH_DROP_ROGUE] = "dropped: plays router, or names another's MAC",
	[GH_DROP_ND] = "dropped: neighbour discovery that leaves the link",
	[GH_DROP_INSIDE] = "dropped: a port of the box, a guest or another "
			   "network of the box; see `reach` in "
			   "gatehouse.conf(5)",
	[GH_DROP_BOX_LIMIT] = "dropped: too much DNS, ping, ARP or neighbour "
			      "discovery at once",
	[GH_DROP_TCP_STRAY] = "dropped: a segment that needs no answer",
	[GH_DROP_ERROR] = "dropped: a helper of the kernel failed",
	[GH_DROP_ADDRESS] = "dropped: from an address that is not of this "
			    "network",
	[GH_DROP_GARDEN] = "dropped: more of the garden than its limit",
	[GH_DROP_GROUP_QUOTA] = "dropped: the bytes of the client's group are "
				"used up",
	[GH_DROP_GROUP_RATE] = "dropped: faster than the rate of the client's "
			       "group",
	[GH_DROP_SPOOFED] = "dropped: the address belongs to another client; "
			    "see gatehousectl events",
	[GH_DROP_TWIN] = "dropped: from the second device with this MAC; see "
			 "gatehousectl events",
};

static const char *lookup(const char *const *table, enum gh_reason reason)
{
	const char *text = NULL;

	if ((unsigned int)reason < GH_REASONS)
		text = table[reason];
	return text ? text : "?";
}

const char *reason_meaning(enum gh_reason reason)
{
	return lookup(meanings, reason);
}

const char *reason_name(enum gh_reason reason)
{
	return lookup(names, reason);
}

int reasons_read(
	struct datapath *dp, struct gh_count ret_counts[static GH_REASONS])
{
	_cleanup_free_ struct gh_count *per_cpu = NULL;
	struct gh_count sums[GH_REASONS] = {0};
	int cpus = libbpf_num_possible_cpus();
	uint32_t reason;
	int cpu;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	for (reason = 0; reason < GH_REASONS; reason++) {
		if (bpf_map_lookup_elem(
			    dp->maps[MAP_REASONS], &reason, per_cpu) < 0)
			return -errno;
		for (cpu = 0; cpu < cpus; cpu++) {
			sums[reason].packets += per_cpu[cpu].packets;
			sums[reason].bytes += per_cpu[cpu].bytes;
		}
	}
	memcpy(ret_counts, sums, sizeof(sums));
	return 0;
}
