/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The learner: what names of the garden lead to, from the answers of the box's
 * own resolver, before the client has them. Reached by tail call from the
 * download program, which leaves in `lesson` where the answer is. The frame
 * passes whatever is in it, and was counted already.
 */
#include "gate.h"

/*
 * An address of a name stays in the garden for as long as the answer may be
 * kept, but not less than the operator says and not more than a day. What is
 * known already gets more time, never less.
 */
#define GH_TTL_MAX (24 * 3600)

struct gh_learning {
	struct gh_lesson *here;
	struct gh_garden_topic topic;
	__u64 now_ns;
};

static long gh_learn_address(__u32 i, struct gh_learning *learning)
{
	struct gh_lesson *here = learning->here;
	struct gh_dns_address *from;
	struct gh_garden_address key = {.network = here->network};
	struct gh_garden_learned *known, fresh = {.name = learning->topic.name};
	__u32 ttl;

	if (i >= here->dns.count)
		return 1;
	from = &here->dns.found[i & (GH_DNS_ADDRESSES - 1)];
	ttl = from->ttl;
	if (ttl < learning->topic.keep_s)
		ttl = learning->topic.keep_s;
	if (ttl > GH_TTL_MAX)
		ttl = GH_TTL_MAX;
	fresh.until_ns = learning->now_ns + ttl * GH_SEC;
	key.addr = from->ip;
	known = bpf_map_lookup_elem(&garden_learned, &key);
	if (!known)
		bpf_map_update_elem(&garden_learned, &key, &fresh, BPF_ANY);
	else if (known->until_ns < fresh.until_ns) {
		known->name = fresh.name;
		known->until_ns = fresh.until_ns;
	}
	return 0;
}

static __always_inline void gh_learn(
	struct __sk_buff *skb, struct gh_lesson *here)
{
	struct gh_learning learning = {.here = here};
	const struct gh_garden_name *name;
	struct gh_garden_topic *topic;
	__u32 len = here->len;

	if (len < GH_DNS_HEAD || len > GH_DNS_BYTES ||
		bpf_skb_load_bytes(skb, here->at, here->dns.data, len))
		return;
	here->dns.len = len;
	name = gh_dns_question(&here->dns, here->network);
	topic = name ? bpf_map_lookup_elem(&garden_names, name) : NULL;
	if (!topic || !gh_dns_answers(&here->dns))
		return;
	learning.topic = *topic;
	learning.now_ns = gh_now_ns();
	bpf_loop(GH_DNS_ADDRESSES, gh_learn_address, &learning, 0);
}

SEC("tc")
int gh_learn_tc(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct gh_lesson *here = bpf_map_lookup_elem(&lesson, &zero);

	if (here)
		gh_learn(skb, here);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
