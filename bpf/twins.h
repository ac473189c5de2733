/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What twin.h needs of maps and frames. Packets that neither open a connection
 * nor come from another network than the last one do not get here.
 */
#ifndef GH_TWINS_H
#define GH_TWINS_H

#include "gate.h"
#include "twin.h"

/* A SYN and its options, on this CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_syn);
} syn_scratch GH_MAP;

/* What a new twin is made of: too large for a stack. Stays all zero. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_twin);
} no_twin GH_MAP;

static __always_inline struct gh_twin *gh_twin_get(__u64 mac)
{
	struct gh_twin *twin = bpf_map_lookup_elem(&twins, &mac), *none;
	__u32 zero = 0;

	if (twin)
		return twin;
	none = bpf_map_lookup_elem(&no_twin, &zero);
	if (!none)
		return NULL;
	bpf_map_update_elem(&twins, &mac, none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&twins, &mac);
}

static __always_inline bool gh_is_unwanted(const struct gh_turns *turns,
	const struct gh_guise *guise, __u32 network)
{
	const struct gh_network *net = bpf_map_lookup_elem(&networks, &network);

	return net && net->flags & GH_NETWORK_DROP_TWINS &&
	       !gh_is_same_guise(&turns->first, guise);
}

/*
 * Heard on another network than the last time. Where it was until now is in the
 * record, because its packets there do not come by here. True: two are active.
 */
static __always_inline bool gh_twin_networks(struct gh_turns *turns,
	const struct gh_client *client, const struct gh_guise *guise)
{
	struct gh_turn_rule rule = GH_TWIN_NETWORKS;
	bool stayed = turns->last.network != client->up.network;
	bool active;

	/* What was dropped last did not move the record. */
	if (stayed)
		turns->other = turns->last;
	turns->last = (struct gh_guise){.seen_ns = client->up.seen_ns,
		.network = client->up.network};
	active = gh_take_turn(turns, guise, &rule);
	if (stayed && turns->begun_ns == guise->seen_ns)
		turns->first = turns->other;
	return active;
}

static __always_inline bool gh_opens(const struct gh_pkt *pkt)
{
	return (pkt->tcp_flags & (GH_TCP_SYN | GH_TCP_ACK)) == GH_TCP_SYN;
}

/*
 * True: it is the second device, of which nothing is wanted. Of those that run,
 * here or elsewhere; a policy that is just edited makes no more than a hint
 * wrong. The system of a SYN is in `syn_scratch` by now.
 */
__weak __noinline int gh_is_twin(const struct gh_pkt *pkt,
	const struct gh_client *client, __u64 now_ns, __u32 network)
{
	struct gh_guise guise = {.seen_ns = now_ns, .network = network};
	struct gh_turn_rule rule = GH_TWIN_SYSTEMS;
	enum gh_event_type type = 0;
	const struct gh_turns *turns;
	__u32 zero = 0;
	struct gh_syn *syn = bpf_map_lookup_elem(&syn_scratch, &zero);
	struct gh_twin *twin;

	if (!pkt || !client || !syn ||
		client->policy.state != GH_STATE_RUNNING ||
		now_ns >= client->policy.expires_ns)
		return 0;
	twin = gh_twin_get(pkt->src);
	if (!twin)
		return 0;
	turns = &twin->networks;
	if (client->up.network && client->up.network != network &&
		gh_twin_networks(&twin->networks, client, &guise)) {
		type = GH_EVENT_TWO_NETWORKS;
	} else if (gh_opens(pkt) && pkt->ttl > GH_TTL_LEAST) {
		struct gh_turns *systems = &twin->systems[pkt->family == 6];

		guise = syn->guise;
		guise.seen_ns = now_ns;
		guise.ttl = gh_first_ttl(pkt->ttl);
		turns = systems;
		if (gh_take_turn(systems, &guise, &rule))
			type = GH_EVENT_TWO_SYSTEMS;
	}
	if (!type)
		return 0;
	if (gh_may_tell(&twin->told_ns, now_ns))
		gh_tell(type, now_ns, pkt->src, network,
			client->policy.record_id);
	return gh_is_unwanted(turns, &guise, network);
}

/* Where the options of a SYN go; NULL: it has none. */
static __always_inline struct gh_syn *gh_syn_room(
	const struct gh_pkt *pkt, __u32 *ret_len)
{
	__u32 last = pkt->l4_len - 21, zero = 0;
	struct gh_syn *syn = bpf_map_lookup_elem(&syn_scratch, &zero);

	if (!syn)
		return NULL;
	syn->guise = (struct gh_guise){};
	if (last >= GH_SYN_OPTIONS_BYTES)
		return NULL;
	/* So the verifier of 6.1 sees that it is not 0. */
	asm volatile("" : "+r"(last));
	*ret_len = last + 1;
	return syn;
}

__weak __noinline int gh_load_syn_xdp(
	struct xdp_md *ctx, const struct gh_pkt *pkt)
{
	struct gh_syn *syn;
	__u32 len;

	if (!pkt)
		return 0;
	syn = gh_syn_room(pkt, &len);
	if (!syn || bpf_xdp_load_bytes(ctx, pkt->l4 + 20, syn->options, len))
		return 0;
	syn->len = len;
	return gh_syn_read(syn);
}

__weak __noinline int gh_load_syn_tc(
	struct __sk_buff *ctx, const struct gh_pkt *pkt)
{
	struct gh_syn *syn;
	__u32 len;

	if (!pkt)
		return 0;
	syn = gh_syn_room(pkt, &len);
	if (!syn || bpf_skb_load_bytes(ctx, pkt->l4 + 20, syn->options, len))
		return 0;
	syn->len = len;
	return gh_syn_read(syn);
}

/* One of `xdp` and `skb` is NULL. */
static __always_inline bool gh_check_twin(struct xdp_md *xdp,
	struct __sk_buff *skb, const struct gh_frame *f,
	const struct gh_client *client)
{
	bool opens = gh_opens(f->pkt);

	if (!opens && client->up.network == f->network)
		return false;
	if (opens && skb)
		gh_load_syn_tc(skb, f->pkt);
	if (opens && !skb)
		gh_load_syn_xdp(xdp, f->pkt);
	return gh_is_twin(f->pkt, client, f->now_ns, f->network);
}

#endif
