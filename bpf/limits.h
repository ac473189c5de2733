/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits on what clients ask of the box and what the box sends them in
 * return (docs/design.md G8). policy.h says which limit a frame must be within;
 * here is whose it is and what the frame costs.
 */
#ifndef GH_LIMITS_H
#define GH_LIMITS_H

/* Admission tolerances: a page's DNS lookups come at once. */
#define GH_TOLERANCE_CAPTIVE_NS (4 * GH_SEC)
#define GH_TOLERANCE_NS         (1 * GH_SEC)

/* What an ICMP answer costs, whatever provoked it. */
#define GH_ANSWER_BYTES 64
/*
 * What opening a connection to the portal costs: with the default limits a
 * captive client may open 32 at once and 8 a second, a network 1000 a second.
 * That is what the portal's queue of half-open ones takes (portal/listen.c).
 */
#define GH_SYN_BYTES 128

/*
 * What a MAC costs that was not seen before: with the default limits 250 of
 * them a second may be admitted to the box's services. Each makes an entry in
 * a bridge's forwarding table, in the neighbour table and in conntrack.
 */
#define GH_FRESH_BYTES 512

static __always_inline __u32 gh_cost(enum gh_meter_kind kind, __u32 bytes)
{
	return kind == GH_METER_ANSWER ? GH_ANSWER_BYTES
	       : kind == GH_METER_SYN  ? GH_SYN_BYTES
				       : bytes;
}

/* `seen` is NULL when the LRU had no room. */
static __always_inline bool gh_admit_fresh(const struct gh_frame *f,
	struct gh_network_meter *all, struct gh_captive *seen)
{
	if (seen && seen->admitted)
		return true;
	if (!gh_meter_admit(&all->meters[GH_METER_FRESH], f->net->network_price,
		    GH_FRESH_BYTES, f->now_ns, GH_TOLERANCE_NS))
		return false;
	if (seen)
		seen->admitted = 1;
	return true;
}

/*
 * The limits of clients that do not run: each has its own share of every
 * kind, and all of a network together have one more of each, because a MAC
 * made up for each packet must not make a new budget. `own` may be NULL.
 */
static __always_inline bool gh_admit_captive(const struct gh_frame *f,
	struct gh_network_meter *all, enum gh_meter_kind kind, __u64 *own)
{
	__u32 bytes = gh_cost(kind, f->bytes);

	if (own && !gh_meter_admit(own, f->net->captive_price, bytes,
			   f->now_ns, GH_TOLERANCE_CAPTIVE_NS))
		return false;
	return gh_meter_admit(&all->meters[kind & (GH_METERS - 1)],
		f->net->network_price, bytes, f->now_ns, GH_TOLERANCE_NS);
}

/* A record's meter for what the box does for its client; NULL without one.
 * DNS in plenty must not cost a running client its neighbours. */
static __always_inline __u64 *gh_record_meter(
	struct gh_client *client, bool up, enum gh_meter_kind kind)
{
	if (!client)
		return NULL;
	barrier_var(client); /* no pointer is made before it is known */
	if (kind == GH_METER_LINK)
		return &client->link_meter;
	return up ? &client->up.box_meter : &client->down.box_meter;
}

/*
 * Whether the frame is within its limit. `own`: the record's meter, or NULL;
 * then `seen` is what is known of the client, or NULL.
 */
static __always_inline bool gh_admit(const struct gh_frame *f,
	enum gh_meter_kind kind, __u64 *own, struct gh_captive *seen,
	int refusal)
{
	__u32 network = f->network;
	struct gh_network_meter *all;

	if (own && !refusal)
		return gh_meter_admit(own, f->net->box_price,
			gh_cost(kind, f->bytes), f->now_ns, GH_TOLERANCE_NS);
	all = bpf_map_lookup_elem(&network_meters, &network);
	if (!all)
		return false;
	/* What the gate answers or drops leaves no entry anywhere. */
	if (!own && kind != GH_METER_ANSWER && kind != GH_METER_REPLY &&
		!gh_admit_fresh(f, all, seen))
		return false;
	if (!own && seen) {
		barrier_var(seen);
		own = &seen->meters[kind & (GH_METERS - 1)];
	}
	return gh_admit_captive(f, all, kind, own);
}

#endif
