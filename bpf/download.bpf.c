/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Download: what goes to a client, at TC egress of its interface. Passes what
 * the box made itself and what goes to a group; charges what comes from
 * elsewhere to a running client; drops the rest.
 */
#include "gate.h"
#include "guard.h"
#include "lease.h"
#include "limits.h"
#include "garden.h"
#include "steer.h"

/* A resolver that is not the box is let through to those whose questions it was
 * sent. */
static __always_inline bool gh_is_steered_answer(struct __sk_buff *skb,
	const struct gh_frame *f, enum gh_maker maker, enum gh_reason refused)
{
	return maker == GH_MAKER_OTHER && refused >= GH_DROPS &&
	       refused != GH_DROP_BLOCKED && !f->fault &&
	       gh_is_resolver_answer(f->pkt, f->net) &&
	       gh_was_steered(skb, f->pkt, f->network);
}

/* Where gh_note_lease() reads to. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_lease);
} lease_scratch GH_MAP;

/* Who had the address before may not go on with it until the second is over. */
static __always_inline void gh_forget_checked(const __be64 *ip)
{
	const struct gh_binding *old = bpf_map_lookup_elem(&bindings, ip);
	struct gh_client *client;
	__u64 mac;

	if (!old)
		return;
	mac = *(__u64 *)&old->mac;
	client = bpf_map_lookup_elem(&clients, &mac);
	if (client)
		client->checked[0] = 0;
}

/* The box's DHCP answers: whose an address is from now on, whoever had it. */
__weak __noinline int gh_note_lease(
	struct __sk_buff *skb, __u32 offset, __u32 network)
{
	__u64 now_ns = gh_now_ns();
	struct gh_binding fresh = {.seen_ns = now_ns, .network = network};
	__u32 zero = 0;
	struct gh_lease *lease = bpf_map_lookup_elem(&lease_scratch, &zero);
	__be64 ip[2] = {};

	if (!lease || bpf_skb_load_bytes(skb, offset, &lease->dhcp,
			      sizeof(lease->dhcp)))
		return 0;
	if (!gh_lease_read(lease))
		return 0;
	fresh.lease_ns = now_ns + lease->lease * GH_SEC;
	__builtin_memcpy(&fresh.mac, lease->dhcp.client_mac, 6);
	ip[1] = (__u64)lease->dhcp.your_ip << 32 | 0xffff0000;
	gh_forget_checked(ip);
	bpf_map_update_elem(&bindings, ip, &fresh, BPF_ANY);
	return 1;
}

static __always_inline bool gh_is_lease(
	const struct gh_frame *f, enum gh_maker maker)
{
	return maker == GH_MAKER_BOX && !f->fault && f->pkt->family == 4 &&
	       f->pkt->proto == IPPROTO_UDP && f->pkt->l4 &&
	       f->pkt->sport == GH_PORT_DHCPS &&
	       f->pkt->dport == GH_PORT_DHCPC &&
	       f->net->flags & GH_NETWORK_CHECK_SOURCE;
}

static __always_inline enum gh_reason gh_download(struct __sk_buff *skb,
	const struct gh_frame *f, enum gh_maker maker, bool check_only)
{
	__u64 mac = f->pkt->dst;
	struct gh_client *client = bpf_map_lookup_elem(&clients, &mac);
	struct gh_grant grant = {.state = GH_STATE_CLOSED};
	int refusal = GH_DROP_CAPTIVE;
	struct gh_captive *seen = NULL;
	struct gh_verdict verdict;

	if (f->fault == GH_DROP_NETWORK)
		return GH_DROP_NETWORK;
	if (client)
		refusal = gh_standing(f, client, &grant);
	verdict = gh_decide_down(
		f->pkt, f->fault, f->net, maker, grant.state, refusal);
	if (verdict.garden)
		verdict = gh_garden(f, false, verdict);
	if (refusal && gh_is_steered_answer(skb, f, maker, verdict.reason))
		verdict = gh_metered(GH_PASS_STEERED, GH_METER_REPLY);
	if (check_only)
		return verdict.reason;
	if (client && verdict.charge &&
		f->net->flags & GH_NETWORK_DROP_SPOOFED &&
		grant.state != GH_STATE_EXEMPT && gh_guard_is_theirs(f, mac))
		return GH_DROP_SPOOFED;
	if (client && verdict.charge) {
		client->down.seen_ns = f->now_ns;
		return gh_pay(skb, f, client, false, &grant, mac, verdict.reason);
	}
	if (verdict.reason == GH_PASS_GARDEN)
		return gh_garden_admit(f, mac, false);
	if (!verdict.meter)
		return verdict.reason;
	if (!client)
		seen = bpf_map_lookup_elem(&captive, &mac);
	return gh_admit(f, verdict.meter,
		       gh_record_meter(client, false, verdict.meter), seen,
		       refusal)
		       ? verdict.reason
		       : GH_DROP_BOX_LIMIT;
}

static __always_inline enum gh_maker gh_made_by(const struct __sk_buff *skb)
{
	if (!skb->ingress_ifindex)
		return GH_MAKER_BOX;
	/* Our own answers come round again: redirected to where they came from. */
	if (skb->ingress_ifindex == skb->ifindex && skb->mark == GH_MARK_ANSWER)
		return GH_MAKER_GATE;
	return GH_MAKER_OTHER;
}

/* By a port of the same bridge, or routed there and back. */
static __always_inline bool gh_is_of_guest(const struct gh_frame *f,
	const struct __sk_buff *skb, enum gh_maker maker)
{
	__u32 ifindex = skb->ingress_ifindex;
	const struct gh_interface *from;

	if (f->fault || !(f->net->flags & GH_NETWORK_MEET) ||
		maker != GH_MAKER_OTHER)
		return false;
	from = bpf_map_lookup_elem(&interfaces, &ifindex);
	return from && from->network == f->network;
}

static __always_inline int gh_send(struct __sk_buff *skb, bool check_only)
{
	struct gh_pkt pkt = {};
	struct gh_frame f = {.pkt = gh_in_memory(&pkt)};
	enum gh_maker maker;
	int reason;

	gh_receive_skb(&f, skb);
	gh_forget(f.pkt);
	maker = gh_made_by(skb);
	if (gh_is_of_guest(&f, skb, maker))
		maker = GH_MAKER_GUEST;
	reason = gh_download(skb, &f, maker, check_only);
	if (!check_only &&
		(reason == GH_PASS_BOX_MADE || reason == GH_PASS_STEERED) &&
		gh_answer_as_asked(skb, f.pkt))
		reason = GH_DROP_ERROR;
	if (!check_only && gh_passes(reason) && gh_is_lease(&f, maker))
		gh_note_lease(skb, f.pkt->l4 + 8, f.network);
	if (!check_only || !gh_passes(reason))
		gh_count(reason, f.segments, f.bytes);
	/* It returns only when there is no learner. */
	if (!check_only && reason == GH_PASS_BOX_MADE && gh_is_lesson(f.pkt, f.network))
		bpf_tail_call(skb, &learner, 0);
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
