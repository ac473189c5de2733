/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Download: what goes to a client, at TC egress of its interface. Passes what
 * the box made itself and what goes to a group; charges what comes from
 * elsewhere to a running client; drops the rest.
 */
#include "gate.h"

static __always_inline enum gh_reason gh_download(
	const struct gh_frame *f, bool box_made, bool check_only)
{
	__u64 mac = f->pkt->dst;
	struct gh_client *client = bpf_map_lookup_elem(&clients, &mac);
	struct gh_grant grant = {.state = GH_STATE_CLOSED};
	int refusal = GH_DROP_CAPTIVE;
	struct gh_verdict verdict;

	if (f->fault == GH_DROP_NETWORK)
		return GH_DROP_NETWORK;
	if (client)
		refusal = gh_standing(f, client, &grant);
	verdict = gh_decide_down(
		f->pkt, f->fault, box_made, grant.state, refusal);
	if (check_only || !client)
		return verdict.reason;
	if (verdict.charge) {
		client->down.seen_ns = f->now_ns;
		return gh_pay(f, client, false, &grant, mac, verdict.reason);
	}
	/* The questions of captive clients were metered on their way up. */
	if (verdict.meter && !gh_meter_admit(&client->down.box_meter,
				     f->net->box_price, f->bytes, f->now_ns,
				     GH_TOLERANCE_NS))
		return GH_DROP_BOX_LIMIT;
	return verdict.reason;
}

static __always_inline int gh_send(struct __sk_buff *skb, bool check_only)
{
	__u32 from = skb->ingress_ifindex;
	/* Our own answers come round again: redirected to where they came from. */
	bool box_made = !from || (from == skb->ifindex &&
					 skb->mark == GH_MARK_ANSWER);
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = gh_in_memory(&pkt)};
	int reason;

	gh_receive_skb(&f, skb);
	reason = gh_download(&f, box_made, check_only);
	if (!check_only || !gh_passes(reason))
		gh_count(reason, f.segments, f.bytes);
	return gh_passes(reason) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

SEC("tc")
int gh_download_tc(struct __sk_buff *skb)
{
	return gh_send(skb, false);
}

SEC("tc")
int gh_check_down(struct __sk_buff *skb)
{
	return gh_send(skb, true);
}

char LICENSE[] SEC("license") = "GPL";
