/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verdict reasons by name, and the sum of their per-CPU counters. A reason
 * that is new in abi.h needs its row here; a unit test finds the one without.
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
};

const char *reason_name(enum gh_reason reason)
{
	const char *name = NULL;

	if ((unsigned int)reason < GH_REASONS)
		name = names[reason];
	return name ? name : "?";
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
