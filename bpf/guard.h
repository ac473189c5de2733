/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source check: whose an address is (docs/design.md 4.14). The box's own
 * DHCP answers say so for the time of the lease; any other address belongs to
 * the running client that uses it first, until it has not for a while.
 *
 * Nobody can take many: a client has GH_GUARD_ADDRESSES places, and one is
 * given to another address only when the one in it is out of use.
 */
#ifndef GH_GUARD_H
#define GH_GUARD_H

#include "gate.h"

/* So long after its last use an address that nobody leased is free. */
#define GH_BINDING_IDLE_NS (30 * GH_SEC)
/* A source that was right stays right for 2^30 ns. */
#define GH_CHECKED_SHIFT 30

/*
 * What a record remembers of a source that was found to be its own, so that the
 * next packets of this second and network are known by one compare. Keyed: of
 * two IPv6 addresses nobody can say that they look the same. 0: cannot tell.
 */
static __always_inline __u64 gh_mark_of(
	const struct gh_frame *f, const __be64 *ip)
{
	__u32 zero = 0;
	const struct gh_secret *secret_key =
		bpf_map_lookup_elem(&secret, &zero);
	__u64 when = f->now_ns >> GH_CHECKED_SHIFT << 8 | f->network;

	if (!secret_key)
		return 0;
	return (ip[0] * secret_key->key[0] ^ ip[1]) + when * secret_key->key[1];
}

/* For display; asked for once a second and client. */
__weak __noinline int gh_note_sighting(
	const struct gh_pkt *pkt, __u64 now_ns, __u32 network)
{
	struct gh_sighting sighting = {.seen_ns = now_ns, .network = network};
	__be64 ip[2];

	if (!pkt || !gh_claims(pkt, ip))
		return 0;
	*(__u64 *)&sighting.mac = pkt->src;
	return bpf_map_update_elem(&addresses, ip, &sighting, BPF_ANY);
}

/*
 * The key in `bindings`. The same link-local address may be on every network:
 * their key has the network's number where the address has zeros (RFC 4291,
 * 2.5.6).
 */
static __always_inline void gh_binding_key(
	const __be64 *ip, __u32 network, __be64 *ret_key)
{
	ret_key[0] = ip[0];
	ret_key[1] = ip[1];
	if (gh_is_linklocal6(ip))
		ret_key[0] = bpf_cpu_to_be64(0xfe80ULL << 48 | network);
}

enum gh_owner {
	GH_OWNER_SAME,
	GH_OWNER_NOBODY,
	GH_OWNER_OTHER,
};

static __always_inline enum gh_owner gh_owner_of(
	struct gh_binding *binding, __u64 mac, __u64 now_ns)
{
	if (!binding)
		return GH_OWNER_NOBODY;
	if (*(__u64 *)&binding->mac == mac)
		return GH_OWNER_SAME;
	if (now_ns < binding->lease_ns ||
		now_ns - binding->seen_ns < GH_BINDING_IDLE_NS)
		return GH_OWNER_OTHER;
	return GH_OWNER_NOBODY;
}

/* Whose packet claims what; made where it is judged, for stacks add up. */
struct gh_claim {
	__u64 mac;
	__be64 ip[2], key[2];
	__u64 now_ns;
	__u64 record_id; /* for events; 0: none */
	__u32 network;
	__u32 may_bind; /* the client runs */
};

/* Somebody uses what is bound to another, or to himself but for the last
 * time: told once a second and address. */
static __always_inline int gh_guard_refuse(
	const struct gh_claim *claim, struct gh_binding *binding)
{
	struct gh_event *event;

	if (!gh_may_tell(&binding->told_ns, claim->now_ns))
		return GH_DROP_SPOOFED;
	event = gh_event_room();
	if (!event)
		return GH_DROP_SPOOFED;
	gh_event_fill(event, GH_EVENT_SPOOFED, claim->now_ns, claim->mac,
		claim->network);
	event->record_id = claim->record_id;
	event->other = binding->mac;
	__builtin_memcpy(&event->ip, claim->ip, sizeof(event->ip));
	bpf_ringbuf_submit(event, 0);
	return GH_DROP_SPOOFED;
}

/* A client's, made when there is none. */
static __always_inline struct gh_guard *gh_guard_get(__u64 mac)
{
	struct gh_guard *guard = bpf_map_lookup_elem(&guards, &mac), *none;
	__u32 zero = 0;

	if (guard)
		return guard;
	none = bpf_map_lookup_elem(&no_guard, &zero);
	if (!none)
		return NULL;
	bpf_map_update_elem(&guards, &mac, none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&guards, &mac);
}

/*
 * Gives a running client an address that is nobody's, in the next of its
 * places. Returns 0, or GH_DROP_SPOOFED when the address there is in use. A
 * table that is full binds nothing and refuses nobody.
 */
static __always_inline int gh_guard_bind(const struct gh_claim *claim)
{
	struct gh_binding fresh = {};
	struct gh_guard *guard = gh_guard_get(claim->mac);
	struct gh_binding *old;
	struct gh_ip *place;

	if (!guard)
		return 0;
	place = &guard->addresses[guard->next++ & (GH_GUARD_ADDRESSES - 1)];
	old = bpf_map_lookup_elem(&bindings, place);
	if (old && *(__u64 *)&old->mac == claim->mac) {
		if (claim->now_ns - old->seen_ns < GH_BINDING_IDLE_NS)
			return gh_guard_refuse(claim, old);
		bpf_map_delete_elem(&bindings, place);
	}
	*(__u64 *)&fresh.mac = claim->mac;
	fresh.seen_ns = claim->now_ns;
	fresh.network = claim->network;
	__builtin_memcpy(place, claim->key, sizeof(*place));
	bpf_map_update_elem(&bindings, claim->key, &fresh, BPF_ANY);
	return 0;
}

static __always_inline bool gh_is_on_link(__u32 network, const __be64 *ip)
{
	struct gh_network *net = bpf_map_lookup_elem(&networks, &network);

	if (!ip[0] && (__u32)ip[1] == 0xffff0000)
		return gh_place4(net, ip[1] >> 32, 0, 0) == GH_PLACE_LINK;
	return gh_is_linklocal6(ip) ||
	       gh_place6(net, (const struct gh_ip *)ip, 0, 0) == GH_PLACE_LINK;
}

/*
 * What a frame of a client that would pass gets for the address it speaks for:
 * 0, GH_DROP_SPOOFED, or GH_DROP_ADDRESS: phones come from other networks and
 * send a few packets from there, so that alone is no attack. A function of its
 * own for the verifier, which would walk it for every way that leads here.
 */
__weak __noinline int gh_guard_judge(const struct gh_pkt *pkt, __u64 now_ns,
	__u32 network, __u64 record_id, __u32 may_bind)
{
	struct gh_claim claim = {
		.now_ns = now_ns,
		.record_id = record_id,
		.network = network,
		.may_bind = may_bind,
	};
	struct gh_binding *binding;
	enum gh_owner owner;

	if (!pkt || !gh_claims(pkt, claim.ip))
		return 0;
	claim.mac = pkt->src;
	gh_binding_key(claim.ip, network, claim.key);
	binding = bpf_map_lookup_elem(&bindings, claim.key);
	owner = gh_owner_of(binding, claim.mac, now_ns);
	if (owner == GH_OWNER_NOBODY) {
		if (!gh_is_on_link(network, claim.ip))
			return GH_DROP_ADDRESS;
		return may_bind ? gh_guard_bind(&claim) : 0;
	}
	if (!binding)
		return 0;
	if (owner == GH_OWNER_OTHER)
		return gh_guard_refuse(&claim, binding);
	if (now_ns - binding->seen_ns >= GH_SEC)
		binding->seen_ns = now_ns;
	return 0;
}

/* To a client: its neighbours may have been told that the address is its. */
static __always_inline bool gh_guard_is_theirs(
	const struct gh_frame *f, __u64 mac)
{
	struct gh_binding *binding;
	__be64 key[2] = {0, (__u64)f->pkt->dst4 << 32 | 0xffff0000};

	if (f->pkt->family == 6)
		gh_binding_key(f->pkt->dst6, f->network, key);
	binding = bpf_map_lookup_elem(&bindings, key);
	return gh_owner_of(binding, mac, f->now_ns) == GH_OWNER_OTHER;
}

#endif
