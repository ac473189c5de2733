/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients share (docs/design.md 4.6): the record of their group is one like
 * their own, and a packet of a member must have room in both. Functions of
 * their own, so that whoever is in no group pays for one compare.
 */
#ifndef GH_GROUP_H
#define GH_GROUP_H

/* A packet that is to be charged to a group, and what the group says to it. */
struct gh_bill {
	__u64 now_ns;
	__u32 bytes;
	__u32 packets;
	__u32 up;
	__u32 price;  /* of the rate that holds; 0: none does */
	__u64 due_ns; /* when the packet is, at that rate */
	__u32 first;  /* it found the quota used up */
	__u32 reserved;
};

/*
 * 0: its members may go on. A client is edited to name a group after the group
 * is made and before it is removed, so an absent one is an error.
 */
__weak __noinline int gh_group_refusal(__u32 group)
{
	struct gh_client *record = bpf_map_lookup_elem(&groups, &group);

	if (!record)
		return GH_DROP_ERROR;
	return gh_is_spent(record, GH_READ(record->policy.quota_bytes))
		       ? GH_DROP_GROUP_QUOTA
		       : 0;
}

/* 0, or why the group has no room; then nothing was charged to it. */
__weak __noinline int gh_group_pay(__u32 group, struct gh_bill *bill)
{
	struct gh_client *record = bpf_map_lookup_elem(&groups, &group);
	struct gh_half *half;
	bool first = false;
	int refusal = 0;
	__u64 quota;

	if (!record || !bill)
		return GH_DROP_ERROR;
	half = bill->up ? &record->up : &record->down;
	quota = GH_READ(record->policy.quota_bytes);
	bill->price = gh_price(record, bill->up, quota, bill->bytes);
	if (bill->price) {
		bill->due_ns = gh_meter_book(&half->meter, bill->price,
			bill->bytes, bill->now_ns, GH_RATE_TOLERANCE_NS);
		if (!bill->due_ns)
			return GH_DROP_GROUP_RATE;
	}
	if (gh_charge(record, bill->up, quota, bill->bytes, bill->packets,
		    &first))
		refusal = GH_DROP_GROUP_QUOTA;
	bill->first = first;
	return refusal;
}

/* Takes back what the client's own quota did not let pass. */
__weak __noinline int gh_group_refund(__u32 group, struct gh_bill *bill)
{
	struct gh_client *record = bpf_map_lookup_elem(&groups, &group);
	struct gh_half *half;

	if (!record || !bill)
		return 0;
	half = bill->up ? &record->up : &record->down;
	__sync_fetch_and_add(&half->bytes, -(__u64)bill->bytes);
	__sync_fetch_and_add(&half->packets, -(__u64)bill->packets);
	return 0;
}

#endif
