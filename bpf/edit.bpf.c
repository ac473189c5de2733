/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way to change a live record, of a client or a group: user space
 * runs this program, which replaces the policy in place and returns the
 * counters. A map update from user space would swap the whole element and lose
 * what was counted meanwhile. Packets that meet an edit under way wait for it a
 * little, then are dropped (gh_grant_read() in policy.h).
 */
#include "gate.h"

#define GH_ENOENT 2
#define GH_ESTALE 116

static __always_inline void gh_policy_replace(
	struct gh_policy *to, const struct gh_policy *from)
{
	__sync_fetch_and_add(&to->seq, 1);
	*(volatile enum gh_state *)&to->state = from->state;
	*(volatile __u64 *)&to->expires_ns = from->expires_ns;
	*(volatile __u64 *)&to->quota_bytes = from->quota_bytes;
	*(volatile __u32 *)&to->up_price = from->up_price;
	*(volatile __u32 *)&to->down_price = from->down_price;
	*(volatile __u32 *)&to->slow_up_price = from->slow_up_price;
	*(volatile __u32 *)&to->slow_down_price = from->slow_down_price;
	*(volatile __u64 *)&to->networks = from->networks;
	*(volatile __u32 *)&to->session = from->session;
	*(volatile __u32 *)&to->group = from->group;
	__sync_fetch_and_add(&to->seq, 1);
}

static __always_inline bool gh_is_rated(
	const struct gh_policy *old, const struct gh_policy *new)
{
	return old->up_price != new->up_price ||
	       old->down_price != new->down_price ||
	       old->slow_up_price != new->slow_up_price ||
	       old->slow_down_price != new->slow_down_price;
}

/*
 * What is booked stays booked at the rate of its time, so an edit gives nobody a
 * second burst, and what waits in fq is not overtaken. But nobody waits longer
 * than a rate may be overdrawn: a big packet at the old rate may be worth seconds.
 */
static __always_inline void gh_meter_limit(__u64 *meter, __u64 now_ns)
{
	__u64 limit = (now_ns + GH_RATE_TOLERANCE_NS) * GH_NS;

	for (int i = 0; i < 8; i++) {
		__u64 tat = *(volatile __u64 *)meter;

		if (tat <= limit ||
			__sync_val_compare_and_swap(meter, tat, limit) == tat)
			return;
	}
}

/*
 * The verifier takes constant offsets into the argument only, so it is copied
 * word by word: a struct assignment would move the pointer first.
 */
#define GH_WORDS(type) (sizeof(type) / sizeof(__u64))
#define GH_WORD_OF(field) (offsetof(struct gh_edit, field) / sizeof(__u64))

static __always_inline void gh_answer(
	struct gh_edit *edit, const struct gh_client *client)
{
	volatile __u64 *to = (volatile __u64 *)edit;
	const __u64 *from = (const __u64 *)client;

#pragma unroll
	for (__u32 i = 0; i < GH_WORDS(struct gh_client); i++)
		to[GH_WORD_OF(record) + i] = from[i];
}

static __always_inline void gh_ask(
	const struct gh_edit *edit, struct gh_policy *policy)
{
	const volatile __u64 *from = (const volatile __u64 *)edit;
	__u64 *to = (__u64 *)policy;

#pragma unroll
	for (__u32 i = 0; i < GH_WORDS(struct gh_policy); i++)
		to[i] = from[GH_WORD_OF(record.policy) + i];
}

SEC("syscall")
int gh_edit(struct gh_edit *edit)
{
	__u64 mac = *(volatile __u64 *)edit;
	struct gh_policy policy;
	__u32 group = edit->group;
	struct gh_client *client = group
					   ? bpf_map_lookup_elem(&groups, &group)
					   : bpf_map_lookup_elem(&clients, &mac);

	if (!client)
		return -GH_ENOENT;
	gh_ask(edit, &policy);
	if (client->policy.record_id != policy.record_id)
		return -GH_ESTALE;
	if (edit->replace) {
		bool moved = client->policy.quota_bytes != policy.quota_bytes;
		bool rated = gh_is_rated(&client->policy, &policy);

		gh_policy_replace(&client->policy, &policy);
		if (moved) {
			client->up.exhausted = 0;
			client->down.exhausted = 0;
		}
		if (rated) {
			__u64 now_ns = bpf_ktime_get_ns();

			gh_meter_limit(&client->up.meter, now_ns);
			gh_meter_limit(&client->down.meter, now_ns);
		}
	}
	gh_answer(edit, client);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
