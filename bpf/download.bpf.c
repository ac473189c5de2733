/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Download: what goes to a client, at TC egress of its interface. Passes what
 * the box made itself and what goes to a group; charges what comes from
 * elsewhere to a running client; drops the rest.
 */
#include "gate.h"

/* DNS and ICMP made by the box have a limit this way too. */
static __always_inline enum gh_meter_kind gh_meter_of_box(const struct gh_pkt *pkt)
{
	if (pkt->proto == IPPROTO_ICMP ||
	    (pkt->proto == IPPROTO_ICMPV6 &&
		    (pkt->icmp_type < GH_ICMP6_RS || pkt->icmp_type > GH_ICMP6_NA)))
		return GH_METER_BOX;
	if (pkt->l4 && pkt->sport == GH_PORT_DNS)
		return GH_METER_DNS;
	return GH_METER_NONE;
}

static __always_inline enum gh_reason gh_download_box_made(
	struct gh_frame *f, struct gh_client *client, bool check_only)
{
	enum gh_meter_kind kind = gh_meter_of_box(&f->pkt);

	/* A captive client's questions were metered on their way up. */
	if (client && kind && !check_only &&
	    !gh_meter_admit(&client->down.box_meter, f->net->box_price, f->bytes,
		    f->now_ns, GH_TOLERANCE_NS))
		return GH_DROP_BOX_LIMIT;
	return GH_PASS_BOX_MADE;
}

static __always_inline enum gh_reason gh_download(
	struct gh_frame *f, bool box_made, bool check_only)
{
	struct gh_client *client;
	struct gh_grant grant = {};
	bool first = false;
	int refusal;
	__u64 mac = f->pkt.dst;

	if (mac & 1)
		return GH_PASS_MULTICAST;
	client = bpf_map_lookup_elem(&clients, &mac);
	if (client)
		gh_grant_read(&client->policy, &grant);
	if (client && grant.state == GH_STATE_BLOCKED)
		return GH_DROP_BLOCKED;
	if (box_made)
		return gh_download_box_made(f, client, check_only);
	if (!f->pkt.family)
		return GH_DROP_ETHERTYPE;
	if (!client)
		return GH_DROP_CAPTIVE;
	refusal = gh_refusal(&grant, f->network, f->now_ns);
	if (refusal)
		return refusal;
	if (!check_only) {
		client->down.seen_ns = f->now_ns;
		refusal = gh_charge(&client->down, &client->up, grant.quota_bytes,
			f->bytes, f->segments, &first);
		if (first)
			gh_tell(GH_EVENT_EXHAUSTED, f->now_ns, mac, f->network,
				client->policy.record_id);
		if (refusal)
			return refusal;
	}
	return grant.state == GH_STATE_EXEMPT ? GH_PASS_EXEMPT : GH_PASS_CHARGED;
}

static __always_inline int gh_send(struct __sk_buff *skb, bool check_only)
{
	/* Our own answers come round again: redirected to where they came from. */
	bool box_made = !skb->ingress_ifindex ||
			(skb->ingress_ifindex == skb->ifindex &&
				skb->mark == GH_MARK_ANSWER);
	struct gh_frame f = {};
	int reason = 0;

	f.now_ns = bpf_ktime_get_coarse_ns();
	gh_pull(skb);
	f.bytes = skb->len;
	f.segments = 1;
	if (!gh_find_network(&f, skb->ifindex))
		reason = GH_DROP_NETWORK;
	if (!reason)
		reason = gh_parse((void *)(long)skb->data,
			(void *)(long)skb->data_end, &f.pkt, skb->vlan_present ? 1 : 0);
	if (!reason)
		reason = gh_measure(&f, skb->len, skb->gso_size);
	/* The box's own frames may be what no parser knows. */
	if (!reason || (box_made && reason != GH_DROP_NETWORK))
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
