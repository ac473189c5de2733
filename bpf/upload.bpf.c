/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Upload: what a client sends. One decision (policy.h), compiled for native
 * XDP and for TC ingress; the hooks at the end only find the packet and carry
 * out the verdict. Everything that is not said to pass is dropped.
 */
#include "gate.h"
#include "guard.h"
#include "twin.h"
#include "twins.h"
#include "limits.h"
#include "garden.h"
#include "steer.h"

/* Nobody's record: a group and zero are faults, the box's own is meant. */
static __always_inline void gh_note_source(const struct gh_frame *f, __u64 mac)
{
	__u32 network = f->network;
	struct gh_alarm *alarm;

	if (mac != f->box_mac || f->fault)
		return;
	alarm = bpf_map_lookup_elem(&alarms, &network);
	if (alarm && gh_may_tell(&alarm->told_ns, f->now_ns))
		gh_tell_frame(GH_EVENT_BOX_MAC, f->pkt, f->now_ns, f->network, 0);
}

/* When this client was heard, where, and what user space should know. */
static __always_inline void gh_note_client(const struct gh_frame *f,
	struct gh_client *client, __u64 mac, int refusal,
	enum gh_reason reason)
{
	__u64 record_id = client->policy.record_id;

	/* Who moved may be at the portal the next moment. */
	if (f->now_ns - client->up.seen_ns >= GH_SEC ||
		client->up.network != f->network) {
		client->up.network = f->network;
		gh_note_sighting(f->pkt, f->now_ns, f->network);
	}
	client->up.seen_ns = f->now_ns;
	if (refusal == GH_DROP_EXPIRED &&
		gh_may_tell(&client->told_ns, f->now_ns))
		gh_tell(GH_EVENT_EXPIRED, f->now_ns, mac, f->network,
			record_id);
	else if (reason == GH_DROP_ROGUE &&
		 gh_may_tell(&client->told_ns, f->now_ns))
		gh_tell_frame(gh_rogue_type(f->pkt), f->pkt, f->now_ns,
			f->network, record_id);
}

/* The same for a client without a record. The LRU may forget it; NULL when it
 * has no room, which costs the client nothing but its own share of a limit. */
static __always_inline struct gh_captive *gh_note_captive(
	const struct gh_frame *f, __u64 mac, enum gh_reason reason)
{
	struct gh_captive *seen = bpf_map_lookup_elem(&captive, &mac);

	if (!seen) {
		struct gh_captive fresh = {
			.first_ns = f->now_ns, .network = f->network};

		if (!bpf_map_update_elem(&captive, &mac, &fresh, BPF_NOEXIST))
			gh_tell(GH_EVENT_FIRST_SEEN, f->now_ns, mac, f->network,
				0);
		seen = bpf_map_lookup_elem(&captive, &mac);
		if (!seen)
			return NULL;
	}
	if (f->now_ns - seen->seen_ns >= GH_SEC)
		gh_note_sighting(f->pkt, f->now_ns, f->network);
	seen->seen_ns = f->now_ns;
	seen->network = f->network;
	seen->packets++;
	if (reason == GH_DROP_ROGUE && gh_may_tell(&seen->told_ns, f->now_ns))
		gh_tell_frame(gh_rogue_type(f->pkt), f->pkt, f->now_ns,
			f->network, 0);
	return seen;
}

/*
 * The source check, if the network wants it: 0, or why a frame that would pass
 * goes. Asked before there is a verdict, of which the verifier knows dozens.
 */
static __always_inline int gh_check_source(const struct gh_frame *f, __u64 mac,
	struct gh_client *client, enum gh_state state, int refusal)
{
	__u64 mark = 0, *checked = NULL;
	__be64 ip[2];
	int fault;

	if (!(f->net->flags & GH_NETWORK_CHECK_SOURCE) || f->fault ||
		state == GH_STATE_EXEMPT || gh_is_bad_source(mac, f->box_mac) ||
		!gh_claims(f->pkt, ip))
		return 0;
	if (client && !refusal) {
		checked = &client->checked[f->pkt->family == 6];
		mark = gh_mark_of(f, ip);
		if (mark && *checked == mark)
			return 0;
	}
	fault = gh_guard_judge(f->pkt, f->now_ns, f->network,
		client ? client->policy.record_id : 0, !refusal);
	if (checked && !fault)
		*checked = mark;
	return f->net->flags & GH_NETWORK_DROP_SPOOFED ? fault : 0;
}

/*
 * The verdict on a frame of an active network, carried out as far as it needs
 * no hook. Of `xdp` and `skb` one is NULL. `check_only`: repeat the verdict of a
 * port on its bridge, without meters, counters or answers.
 */
static __always_inline enum gh_reason gh_upload(struct xdp_md *xdp,
	struct __sk_buff *skb, const struct gh_frame *f, bool check_only)
{
	__u64 mac = f->pkt->src;
	struct gh_client *client = bpf_map_lookup_elem(&clients, &mac);
	struct gh_grant grant = {.state = GH_STATE_CLOSED};
	int refusal = GH_DROP_CAPTIVE, fault;
	struct gh_captive *seen = NULL;
	struct gh_verdict verdict;

	if (f->fault == GH_DROP_NETWORK)
		return GH_DROP_NETWORK;
	if (client && !check_only && gh_check_twin(xdp, skb, f, client))
		return GH_DROP_TWIN;
	if (client)
		refusal = gh_standing(f, client, &grant);
	fault = check_only ? 0
			   : gh_check_source(
				     f, mac, client, grant.state, refusal);
	verdict = gh_decide_up(f->pkt, f->fault, f->net, f->box_mac,
		grant.state, refusal);
	if (verdict.garden)
		verdict = gh_garden(f, true, verdict);
	/* A group's frames go to other ports; the box is not one of the guests. */
	if (verdict.reason == GH_PASS_MULTICAST &&
		!(f->interface & GH_INTERFACE_MEET))
		verdict = gh_verdict(GH_DROP_INSIDE);
	/* What a port steered is for the resolver by now. */
	if (check_only && verdict.reason == GH_PASS_STEERED &&
		!gh_is_resolver(f->net, f->pkt->family, f->pkt->dst4, f->pkt->dst6))
		return refusal;
	if (check_only)
		return verdict.reason;
	if (verdict.reason == GH_DROP_SOURCE) {
		gh_note_source(f, mac);
		return GH_DROP_SOURCE;
	}
	if (fault && gh_passes(verdict.reason))
		return fault;
	if (client)
		gh_note_client(f, client, mac, refusal, verdict.reason);
	else
		seen = gh_note_captive(f, mac, verdict.reason);
	if (client && verdict.charge)
		return gh_pay(skb, f, client, true, &grant, mac, verdict.reason);
	if (verdict.reason == GH_PASS_GARDEN)
		return gh_garden_admit(f, mac, true);
	if (!verdict.meter ||
		gh_admit(f, verdict.meter,
			gh_record_meter(client, true, verdict.meter), seen,
			refusal))
		return verdict.reason;
	if (verdict.meter != GH_METER_ANSWER)
		return GH_DROP_BOX_LIMIT;
	return refusal ? refusal : GH_DROP_INSIDE;
}

/* What the responder is to answer. */
static __always_inline bool gh_ask(
	const struct gh_frame *f, enum gh_reason reason)
{
	__u32 zero = 0;
	struct gh_question *q = bpf_map_lookup_elem(&question, &zero);

	if (!q)
		return false;
	q->pkt = *f->pkt;
	q->reason = reason;
	q->network = f->network;
	q->packets = f->segments;
	q->bytes = f->bytes;
	return true;
}

SEC("xdp.frags")
int gh_upload_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 len = end - data;
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = gh_in_memory(&pkt), .bytes = len, .segments = 1};
	int reason;

	f.now_ns = gh_now_ns();
	if (!gh_find_network(&f, ctx->ingress_ifindex)) {
		f.fault = GH_DROP_NETWORK;
	} else {
		f.fault = gh_parse(data, end, f.pkt, 0);
		gh_forget(f.pkt);
		/* A big frame continues in other buffers. */
		if (f.pkt->l3 + f.pkt->ip_len > len)
			len = bpf_xdp_get_buff_len(ctx);
		if (!f.fault)
			f.fault = gh_measure(&f, len, 0);
	}
	reason = gh_upload(ctx, NULL, &f, false);
	if (gh_answers(reason)) {
		if (gh_ask(&f, reason))
			bpf_tail_call(ctx, &responder_xdp, 0);
		reason = GH_DROP_ERROR;
	}
	if (reason == GH_PASS_STEERED && gh_steer_xdp(ctx, f.pkt, f.network))
		reason = GH_DROP_ERROR;
	gh_count(reason, f.segments, f.bytes);
	return gh_passes(reason) ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int gh_upload_tc(struct __sk_buff *skb)
{
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = gh_in_memory(&pkt)};
	int reason;

	if (gh_is_looped(skb))
		return TC_ACT_UNSPEC;
	gh_receive_skb(&f, skb);
	gh_forget(f.pkt);
	reason = gh_upload(NULL, skb, &f, false);
	if (gh_answers(reason)) {
		if (gh_ask(&f, reason))
			bpf_tail_call(skb, &responder_tc, 0);
		reason = GH_DROP_ERROR;
	}
	if (reason == GH_PASS_STEERED && gh_steer_tc(skb, f.pkt, f.network))
		reason = GH_DROP_ERROR;
	gh_count(reason, f.segments, f.bytes);
	return gh_passes(reason) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* On the bridge of gated ports: closes a port that has no hook yet. */
SEC("tc")
int gh_check_up(struct __sk_buff *skb)
{
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = gh_in_memory(&pkt)};
	int reason;

	if (gh_is_looped(skb))
		return TC_ACT_UNSPEC;
	gh_receive_skb(&f, skb);
	reason = gh_upload(NULL, skb, &f, true);
	if (gh_passes(reason))
		return TC_ACT_UNSPEC;
	if (gh_answers(reason))
		reason = GH_DROP_CAPTIVE;
	gh_count(reason, f.segments, f.bytes);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
