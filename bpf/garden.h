/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The garden: what clients without access may reach all the same, by prefix or
 * by an address that the learner (learn.bpf.c) saw a name have.
 * Nothing here is on the way of a client that runs: it pays for the garden as
 * for everything else.
 */
#ifndef GH_GARDEN_H
#define GH_GARDEN_H

/* IPv4 in mapped form. */
static __always_inline void gh_ip_from4(struct gh_ip *ip, __be32 addr)
{
	__be32 *words = (__be32 *)ip;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = addr;
}

static __always_inline void gh_ip_from6(struct gh_ip *ip, const __be64 *addr)
{
	*(__be64 *)&ip->addr[0] = addr[0];
	*(__be64 *)&ip->addr[8] = addr[1];
}

static __always_inline bool gh_has_name(
	const struct gh_ip *addr, __u32 network)
{
	struct gh_garden_address key = {.network = network, .addr = *addr};
	struct gh_garden_learned *learned =
		bpf_map_lookup_elem(&garden_learned, &key);

	return learned && gh_now_ns() < learned->until_ns;
}

/* A function of its own for the verifier, and to keep it off the fast path. */
__weak __noinline int gh_in_garden(const struct gh_ip *addr, __u32 network)
{
	struct gh_garden *garden = bpf_map_lookup_elem(&gardens, &network);
	struct gh_garden_prefix key = {.bits = 32 + 128, .network = network};

	if (!addr || !garden)
		return 0;
	key.addr = *addr;
	if (garden->flags & GH_GARDEN_PREFIXES &&
		bpf_map_lookup_elem(&garden_prefixes, &key))
		return 1;
	return garden->flags & GH_GARDEN_NAMES &&
	       gh_has_name(addr, network);
}

/*
 * Whether the garden may learn from a frame that the box made and that passes:
 * a datagram of its resolver, in a network that has names in its garden. Leaves
 * it in `lesson`. No other resolver's answers teach anything, as whoever sends
 * them could put any address into the garden.
 */
__weak __noinline int gh_is_lesson(const struct gh_pkt *pkt, __u32 network)
{
	struct gh_garden *garden = bpf_map_lookup_elem(&gardens, &network);
	struct gh_network *net = bpf_map_lookup_elem(&networks, &network);
	__u32 zero = 0;
	struct gh_lesson *here = bpf_map_lookup_elem(&lesson, &zero);

	if (!pkt || !garden || !net || !here ||
		!(garden->flags & GH_GARDEN_NAMES))
		return 0;
	if (!pkt->l4 || pkt->proto != IPPROTO_UDP || pkt->sport != GH_PORT_DNS ||
		pkt->flags & GH_PKT_FRAGMENT || gh_source(net, pkt) != GH_PLACE_BOX)
		return 0;
	here->network = network;
	here->at = pkt->l4 + sizeof(struct udphdr);
	here->len = pkt->l3 + pkt->ip_len - here->at;
	return 1;
}

/*
 * The verdict on a frame that `verdict` refuses unless the other end is in the
 * garden. Who sends under an address that is not of the link would have the
 * answers go elsewhere.
 */
static __always_inline struct gh_verdict gh_garden(
	const struct gh_frame *f, bool up, struct gh_verdict verdict)
{
	const struct gh_pkt *pkt = f->pkt;
	struct gh_ip addr;
	int fault = 0;

	if (pkt->family == 4)
		gh_ip_from4(&addr, up ? pkt->dst4 : pkt->src4);
	else
		gh_ip_from6(&addr, up ? pkt->dst6 : pkt->src6);
	if (!gh_in_garden(&addr, f->network))
		return verdict;
	if (up)
		fault = gh_source_fault(pkt, f->net);
	if (fault)
		return gh_verdict(fault);
	return gh_verdict(GH_PASS_GARDEN);
}

/* What a client has had; NULL when the LRU has no room, which costs nobody but
 * the network's limit. */
static __always_inline struct gh_garden_client *gh_garden_client(
	const struct gh_frame *f, __u64 mac)
{
	struct gh_garden_client fresh = {};
	struct gh_garden_client *client =
		bpf_map_lookup_elem(&garden_clients, &mac);

	if (client)
		return client;
	bpf_map_update_elem(&garden_clients, &mac, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&garden_clients, &mac);
}

static __always_inline void gh_garden_count(struct gh_garden_count *count,
	const struct gh_frame *f, bool up)
{
	if (up) {
		count->up_packets += f->segments;
		count->up_bytes += f->bytes;
	} else {
		count->down_packets += f->segments;
		count->down_bytes += f->bytes;
	}
}

/*
 * Counts a frame that passes, if the limits agree. Up and down share a meter,
 * so that a refused packet may be an acknowledgement: with a quarter of this
 * tolerance, one TCP flow gets a quarter of its rate.
 */
static __always_inline enum gh_reason gh_garden_admit(
	const struct gh_frame *f, __u64 mac, bool up)
{
	__u32 network = f->network;
	struct gh_garden *garden = bpf_map_lookup_elem(&gardens, &network);
	struct gh_garden_meter *all = bpf_map_lookup_elem(&garden_meters, &network);
	struct gh_garden_count *sum = bpf_map_lookup_elem(&garden_counts, &network);
	struct gh_garden_client *client = gh_garden_client(f, mac);

	if (!garden || !all || !sum)
		return GH_DROP_ERROR;
	if (client && !gh_meter_admit(&client->meter, garden->price, f->bytes,
			      f->now_ns, GH_TOLERANCE_NS))
		return GH_DROP_GARDEN;
	if (!gh_meter_admit(&all->meter, garden->network_price, f->bytes,
		    f->now_ns, GH_TOLERANCE_NS))
		return GH_DROP_GARDEN;
	gh_garden_count(sum, f, up);
	if (client) {
		client->seen_ns = f->now_ns;
		gh_garden_count(&client->count, f, up);
	}
	return GH_PASS_GARDEN;
}

#endif
