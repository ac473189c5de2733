/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upload: what a client sends. One decision, compiled for native XDP and for
 * TC ingress; the hooks below only find the packet and carry out the verdict.
 * Everything that is not said to pass is dropped.
 */
#include "gate.h"

/*
 * The verdict on a parsed frame of an active network. `check_only`: repeat
 * the verdict of a port on its bridge, without meters, counters or answers.
 */
static __always_inline enum gh_reason gh_upload(
	struct gh_frame *f, bool check_only)
{
	struct gh_captive *seen = NULL;
	struct gh_client *client;
	struct gh_grant grant = {};
	struct gh_verdict verdict;
	enum gh_place place;
	bool first = false;
	int refusal = GH_DROP_CAPTIVE;
	__u64 mac = f->pkt.src;

	client = bpf_map_lookup_elem(&clients, &mac);
	if (client) {
		gh_grant_read(&client->policy, &grant);
		refusal = gh_refusal(&grant, f->network, f->now_ns);
		if (refusal == GH_DROP_BLOCKED)
			return refusal;
		/* Only a record with a quota pays for its third cache line. */
		if (!refusal && grant.quota_bytes != GH_UNLIMITED &&
		    (GH_READ(client->up.exhausted) || GH_READ(client->down.exhausted)))
			refusal = GH_DROP_QUOTA;
		if (!check_only) {
			if (f->now_ns - client->up.seen_ns > GH_SEC) {
				gh_note_address(f, &mac);
				client->up.network = f->network;
				if (refusal == GH_DROP_EXPIRED)
					gh_tell(GH_EVENT_EXPIRED, f->now_ns, mac,
						f->network, client->policy.record_id);
			}
			client->up.seen_ns = f->now_ns;
		}
	} else if (!check_only) {
		seen = gh_captive_find(f, &mac);
		if (!seen)
			return GH_DROP_ERROR;
	}

	place = gh_place(f->net, &f->pkt);
	verdict = gh_service(&f->pkt, f->net, place);
	if (verdict.reason == GH_NO_REASON) {
		if (!f->pkt.family)
			return GH_DROP_ETHERTYPE;
		verdict = refusal ? gh_verdict_captive(&f->pkt, refusal)
				  : gh_verdict_running(&f->pkt, grant.state, place);
	}
	if (check_only)
		return verdict.reason;
	if (verdict.charge) {
		refusal = gh_charge(&client->up, &client->down, grant.quota_bytes,
			f->bytes, f->segments, &first);
		if (first)
			gh_tell(GH_EVENT_EXHAUSTED, f->now_ns, mac, f->network,
				client->policy.record_id);
		return refusal ? refusal : verdict.reason;
	}
	if (verdict.reason == GH_DROP_ROGUE && client == NULL && seen &&
	    f->now_ns - seen->first_ns > GH_SEC)
		gh_tell(GH_EVENT_ROGUE, f->now_ns, mac, f->network, 0);
	if (verdict.meter && !gh_admit_box(f, &verdict, client, seen, refusal))
		return GH_DROP_BOX_LIMIT;
	return verdict.reason;
}

/* Fills *f; 0, or the reason to drop the frame at once. */
static __always_inline int gh_receive(struct gh_frame *f, void *data, void *end,
	__u32 ifindex, __u32 tags)
{
	int reason;

	/* First, when there is nothing in registers yet that a call would spill. */
	f->now_ns = bpf_ktime_get_coarse_ns();
	if (!gh_find_network(f, ifindex))
		return GH_DROP_NETWORK;
	reason = gh_parse(data, end, &f->pkt, tags);
	if (f->pkt.src & 1 || !f->pkt.src || f->pkt.src == *(__u64 *)f->interface->mac)
		return GH_DROP_SOURCE;
	return reason;
}

/* Hands the frame to the responder. */
static __always_inline bool gh_ask(struct gh_frame *f, enum gh_reason reason)
{
	__u32 zero = 0;
	struct gh_question *q = bpf_map_lookup_elem(&question, &zero);

	if (!q)
		return false;
	q->pkt = f->pkt;
	q->reason = reason;
	q->network = f->network;
	return true;
}

SEC("xdp.frags")
int gh_upload_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct gh_frame f = {};
	__u32 len = end - data;
	int reason;

	f.bytes = len;
	f.segments = 1;
	reason = gh_receive(&f, data, end, ctx->ingress_ifindex, 0);
	if (!reason && f.pkt.family && f.pkt.l3 + f.pkt.ip_len > len)
		len = bpf_xdp_get_buff_len(ctx);
	if (!reason)
		reason = gh_measure(&f, len, 0);
	if (!reason)
		reason = gh_upload(&f, false);
	if (gh_answers(reason)) {
		if (gh_ask(&f, reason))
			bpf_tail_call(ctx, &responder_xdp, 0);
		reason = GH_DROP_ERROR;
	}
	gh_count(reason, f.segments, f.bytes);
	return gh_passes(reason) ? XDP_PASS : XDP_DROP;
}

static __always_inline int gh_receive_skb(struct __sk_buff *skb, struct gh_frame *f)
{
	int reason;

	gh_pull(skb);
	f->bytes = skb->len;
	f->segments = 1;
	reason = gh_receive(f, (void *)(long)skb->data, (void *)(long)skb->data_end,
		skb->ifindex, skb->vlan_present ? 1 : 0);
	return reason ? reason : gh_measure(f, skb->len, skb->gso_size);
}

SEC("tc")
int gh_upload_tc(struct __sk_buff *skb)
{
	struct gh_frame f = {};
	int reason = gh_receive_skb(skb, &f);

	if (!reason)
		reason = gh_upload(&f, false);
	if (gh_answers(reason)) {
		if (gh_ask(&f, reason))
			bpf_tail_call(skb, &responder_tc, 0);
		reason = GH_DROP_ERROR;
	}
	gh_count(reason, f.segments, f.bytes);
	return gh_passes(reason) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* On the bridge of gated ports: closes a port that has no hook yet. */
SEC("tc")
int gh_check_up(struct __sk_buff *skb)
{
	struct gh_frame f = {};
	int reason = gh_receive_skb(skb, &f);

	if (!reason)
		reason = gh_upload(&f, true);
	if (gh_passes(reason))
		return TC_ACT_UNSPEC;
	if (gh_answers(reason))
		reason = GH_DROP_CAPTIVE;
	gh_count(reason, f.segments, f.bytes);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
