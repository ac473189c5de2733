/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate's steps that need maps: find the network and the record, ask the
 * meters, charge, count the reason, tell user space. policy.h decides which
 * of them apply; the hooks only turn a reason into what their hook returns.
 */
#ifndef GH_GATE_H
#define GH_GATE_H

#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gatehouse/abi.h"

#include "parse.h"
#include "measure.h"
#include "dns.h"
#include "maps.h"
#include "clock.h"
#include "ratelimit.h"
#include "policy.h"
#include "usage.h"
#include "group.h"
#include "events.h"

static __always_inline struct gh_pkt *gh_in_memory(struct gh_pkt *pkt)
{
	asm volatile("" : "+r"(pkt) : : "memory");
	return pkt;
}

/*
 * The verifier forgets here what it knows of a parsed packet, for all that it
 * sees is memory lent to a function it does not look into: so the ways through
 * the parser meet again, and what follows is walked a few times, not once for
 * each of them (800,000 instructions of its 1,000,000 without this).
 */
__weak __noinline int gh_forget(struct gh_pkt *pkt)
{
	asm volatile("" : : "r"(pkt) : "memory");
	return 0;
}

static __always_inline bool gh_passes(enum gh_reason reason)
{
	return reason > GH_NO_REASON && reason < GH_ANSWERS;
}

static __always_inline bool gh_answers(enum gh_reason reason)
{
	return reason >= GH_ANSWERS && reason < GH_DROPS;
}

static __always_inline void gh_count(
	enum gh_reason reason, __u32 packets, __u32 bytes)
{
	__u32 key = reason;
	struct gh_count *count = bpf_map_lookup_elem(&reasons, &key);

	if (!count)
		return;
	count->packets += packets;
	count->bytes += bytes;
	count->reason = reason; /* for who reads the map: its key has no name */
}

/* False: the interface carries no active network. */
static __always_inline bool gh_find_network(struct gh_frame *f, __u32 ifindex)
{
	struct gh_interface *interface =
		bpf_map_lookup_elem(&interfaces, &ifindex);
	__u32 network;

	if (!interface)
		return false;
	network = interface->network;
	f->network = network;
	f->interface = interface->flags;
	f->box_mac = *(__u64 *)interface->mac;
	f->net = bpf_map_lookup_elem(&networks, &network);
	return f->net && f->net->flags & GH_NETWORK_ACTIVE;
}

/*
 * What the box itself sent to a group and hears again: it comes to ingress
 * without its MAC header, so none of it may be parsed. Receiving a frame sets
 * the type anew; no guest can send this one.
 */
#define GH_PACKET_LOOPBACK 5

static __always_inline bool gh_is_looped(const struct __sk_buff *skb)
{
	return skb->pkt_type == GH_PACKET_LOOPBACK;
}

/* Linear headers: a driver may leave them in a page. */
static __always_inline bool gh_pull(struct __sk_buff *skb)
{
	__u32 len = skb->len;
	__u32 want = len < GH_PARSE_BYTES ? len : GH_PARSE_BYTES;
	long have = (long)skb->data_end - (long)skb->data;

	return have < want && !bpf_skb_pull_data(skb, want);
}

/* Finds network and packet of an skb. *f is all zero. */
static __always_inline void gh_receive_skb(
	struct gh_frame *f, struct __sk_buff *skb)
{
	__u32 tags = skb->vlan_present ? 1 : 0;
	__u32 gso_size = skb->gso_size;
	__u32 len = skb->len;

	f->now_ns = gh_now_ns();
	f->bytes = len;
	f->segments = 1;
	if (!gh_find_network(f, skb->ifindex)) {
		f->fault = GH_DROP_NETWORK;
		return;
	}
	f->fault = gh_parse((void *)(long)skb->data,
		(void *)(long)skb->data_end, f->pkt, tags);
	/*
	 * Only when the parser met the end: super-packets have just their
	 * headers in the linear part, and pulling would copy them.
	 */
	if (f->fault && gh_pull(skb)) {
		*f->pkt = (struct gh_pkt){};
		f->fault = gh_parse((void *)(long)skb->data,
			(void *)(long)skb->data_end, f->pkt, tags);
	}
	if (!f->fault)
		f->fault = gh_measure(f, len, gso_size);
}

/*
 * Reads what a record grants now. Returns gh_refusal(), or GH_DROP_QUOTA once
 * the quota has refused a packet for good; only records with a quota pay for that.
 */
static __always_inline int gh_standing(const struct gh_frame *f,
	struct gh_client *client, struct gh_grant *grant)
{
	int refusal;

	gh_grant_read(&client->policy, grant);
	refusal = gh_refusal(grant, f->network, f->now_ns);
	if (grant->state == GH_STATE_EXEMPT) {
		grant->quota_bytes = GH_UNLIMITED;
		grant->group = 0;
	}
	if (!refusal && gh_is_spent(client, grant->quota_bytes))
		return GH_DROP_QUOTA;
	if (!refusal && grant->group)
		return gh_group_refusal(grant->group);
	return refusal;
}

/*
 * A packet that is before its time waits for it in fq, where there is one: it
 * is the same meter, and where nobody heeds the time, the tolerance polices.
 * The time survives forwarding. Rates of which fq has no room for the tolerance
 * are policed: it would drop what was charged. True: it waits. A function of
 * its own for the verifier.
 */
#define GH_PACED_BYTES 1500 /* of a packet, where rates are fast */
#define GH_TSTAMP_MONO 1    /* BPF_SKB_TSTAMP_DELIVERY_MONO */

__weak __noinline int gh_pace(
	struct __sk_buff *skb, bool up, __u32 price, __u64 due_ns)
{
	__u32 way = up ? GH_INTERFACE_PACED_UP : GH_INTERFACE_PACED_DOWN;
	__u32 ifindex = skb->ifindex;
	struct gh_interface *interface;

	interface = bpf_map_lookup_elem(&interfaces, &ifindex);
	if (!interface || !(interface->flags & way) ||
		gh_meter_cost(price, interface->paced_packets * GH_PACED_BYTES) <
			GH_RATE_TOLERANCE_NS * GH_NS)
		return 0;
	return !bpf_skb_set_tstamp(skb, due_ns, GH_TSTAMP_MONO);
}

/* The same for the group: the packet leaves when both say so. */
static __always_inline int gh_pay_group(struct __sk_buff *skb,
	const struct gh_frame *f, __u32 group, struct gh_bill *bill,
	__u64 leaves_ns, __u64 mac)
{
	int refusal = gh_group_pay(group, bill);

	if (bill->first)
		gh_tell(GH_EVENT_GROUP_EXHAUSTED, f->now_ns, mac, f->network,
			group);
	if (!refusal && skb && bill->due_ns > leaves_ns)
		gh_pace(skb, bill->up, bill->price, bill->due_ns);
	return refusal;
}

/*
 * Charges a frame that passes if rate and quota agree; the reason in the end.
 * The rate is asked first: what it refuses must not be charged. Then the
 * group, which takes back what the client's own quota refuses. `skb`: NULL at
 * XDP, where there is no departure time.
 */
static __always_inline enum gh_reason gh_pay(struct __sk_buff *skb,
	const struct gh_frame *f, struct gh_client *client, bool up,
	const struct gh_grant *grant, __u64 mac, enum gh_reason reason)
{
	__u32 price = gh_price(client, up, grant->quota_bytes, f->bytes);
	struct gh_half *half = up ? &client->up : &client->down;
	struct gh_bill bill = {.now_ns = f->now_ns, .bytes = f->bytes,
		.packets = f->segments, .up = up};
	__u64 leaves_ns = f->now_ns;
	bool first = false;

	if (price) {
		__u64 due_ns = gh_meter_book(&half->meter, price, f->bytes,
			f->now_ns, GH_RATE_TOLERANCE_NS);

		if (!due_ns)
			return GH_DROP_RATE;
		if (skb && due_ns > f->now_ns && gh_pace(skb, up, price, due_ns))
			leaves_ns = due_ns;
	}
	if (grant->group) {
		int refusal = gh_pay_group(
			skb, f, grant->group, &bill, leaves_ns, mac);

		if (refusal)
			return refusal;
	}
	if (gh_charge(client, up, grant->quota_bytes, f->bytes, f->segments,
		    &first)) {
		reason = GH_DROP_QUOTA;
		if (grant->group)
			gh_group_refund(grant->group, &bill);
	}
	if (first)
		gh_tell(GH_EVENT_EXHAUSTED, f->now_ns, mac, f->network,
			client->policy.record_id);
	return reason;
}

#endif
