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
#include "maps.h"
#include "ratelimit.h"
#include "usage.h"
#include "policy.h"
#include "events.h"

/* Admission tolerances: a page's DNS lookups come at once. */
#define GH_TOLERANCE_CAPTIVE_NS 4000000000ULL
#define GH_TOLERANCE_NS         1000000000ULL

#define GH_SEC 1000000000ULL


/* One frame on its way through a hook. */
struct gh_frame {
	struct gh_pkt pkt;
	struct gh_interface *interface;
	struct gh_network *net;
	__u32 network;
	__u32 bytes;    /* IP bytes on the wire, each segment with its headers */
	__u32 segments;
	__u64 now_ns;
};

static __always_inline bool gh_passes(enum gh_reason reason)
{
	return reason >= GH_PASS_CHARGED && reason <= GH_PASS_MULTICAST;
}

static __always_inline bool gh_answers(enum gh_reason reason)
{
	return reason >= GH_ANSWER_SYN && reason <= GH_ANSWER_PROHIBITED;
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
}

/* False: the interface carries no active network. */
static __always_inline bool gh_find_network(struct gh_frame *f, __u32 ifindex)
{
	__u32 network;

	f->interface = bpf_map_lookup_elem(&interfaces, &ifindex);
	if (!f->interface)
		return false;
	network = f->interface->network;
	f->network = network;
	f->net = bpf_map_lookup_elem(&networks, &network);
	return f->net && f->net->flags & GH_NETWORK_ACTIVE;
}

/*
 * A GSO super-packet stands for several packets: `gso_size` bytes of payload
 * each, with the same headers (skb->wire_len is unusable at ingress, gso_segs
 * can be 0; exact on 6.1, 6.12 and 6.18).
 */
static __always_inline int gh_measure(
	struct gh_frame *f, __u32 frame_len, __u32 gso_size)
{
	__u32 headers, payload;

	if (!f->pkt.family)
		return 0;
	/* ip_len 0 is a super-packet beyond 64 KiB (BIG TCP), or a lie. */
	if (f->pkt.l3 + f->pkt.ip_len > frame_len || (!f->pkt.ip_len && !gso_size))
		return GH_DROP_MALFORMED;
	f->bytes = gso_size ? frame_len - f->pkt.l3 : f->pkt.ip_len;
	headers = f->pkt.l4 - f->pkt.l3 + f->pkt.l4_len;
	if (!gso_size || !f->pkt.l4 || f->bytes <= headers)
		return 0;
	payload = f->bytes - headers;
	f->segments = (payload + gso_size - 1) / gso_size;
	f->bytes += (f->segments - 1) * headers;
	return 0;
}

/* Remembers a client without a record; the LRU may forget it. */
static __always_inline struct gh_captive *gh_captive_find(struct gh_frame *f, __u64 *mac)
{
	struct gh_captive *seen = bpf_map_lookup_elem(&captive, mac);

	if (!seen) {
		struct gh_captive fresh = {
			.first_ns = f->now_ns,
			.seen_ns = f->now_ns,
			.network = f->network,
		};

		if (!bpf_map_update_elem(&captive, mac, &fresh, BPF_NOEXIST))
			gh_tell(GH_EVENT_FIRST_SEEN, f->now_ns, *mac, f->network, 0);
		seen = bpf_map_lookup_elem(&captive, mac);
	}
	if (seen) {
		seen->seen_ns = f->now_ns;
		seen->network = f->network;
		seen->packets++;
	}
	return seen;
}

/* The budgets of captive clients: its own, and that of the whole network. */
static __always_inline bool gh_admit_captive(struct gh_frame *f,
	enum gh_meter_kind kind, __u64 *own)
{
	__u32 network = f->network;
	struct gh_network_meter *all = bpf_map_lookup_elem(&network_meters, &network);
	__u64 *shared;

	if (!all)
		return false;
	shared = kind == GH_METER_DNS ? &all->dns_meter : &all->box_meter;
	return gh_meter_admit(own, f->net->captive_price, f->bytes, f->now_ns,
		       GH_TOLERANCE_CAPTIVE_NS) &&
	       gh_meter_admit(shared, f->net->network_price, f->bytes, f->now_ns,
		       GH_TOLERANCE_NS);
}

/* Whether DNS, ICMP, ARP and ND with the box are still within their limit. */
static __always_inline bool gh_admit_box(struct gh_frame *f,
	const struct gh_verdict *verdict, struct gh_client *client,
	struct gh_captive *seen, int refusal)
{
	if (client && !refusal)
		return gh_meter_admit(&client->up.box_meter, f->net->box_price,
			f->bytes, f->now_ns, GH_TOLERANCE_NS);
	if (client)
		return gh_admit_captive(f, verdict->meter, &client->up.box_meter);
	if (!seen)
		return false;
	return gh_admit_captive(f, verdict->meter,
		verdict->meter == GH_METER_DNS ? &seen->dns_meter : &seen->box_meter);
}

/* For display; so that this costs nothing, once a second and client. */
static __always_inline void gh_note_address(struct gh_frame *f, __u64 *mac)
{
	struct gh_sighting sighting = { .seen_ns = f->now_ns, .network = f->network };
	struct gh_ip ip = {};

	if (f->pkt.family == 4) {
		ip.addr[10] = 0xff;
		ip.addr[11] = 0xff;
		__builtin_memcpy(&ip.addr[12], &f->pkt.src4, 4);
		if (!f->pkt.src4)
			return;
	} else if (f->pkt.family == 6) {
		__builtin_memcpy(ip.addr, f->pkt.src6, 16);
		if (!f->pkt.src6[0])
			return;
	} else {
		return;
	}
	__builtin_memcpy(&sighting.mac, mac, sizeof(sighting.mac));
	bpf_map_update_elem(&addresses, &ip, &sighting, BPF_ANY);
}

/* Linear headers: a driver may leave them in a page. */
static __always_inline void gh_pull(struct __sk_buff *skb)
{
	__u32 want = skb->len < GH_PARSE_BYTES ? skb->len : GH_PARSE_BYTES;

	if ((long)skb->data_end - (long)skb->data < want)
		bpf_skb_pull_data(skb, want);
}

#endif
