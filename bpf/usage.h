/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters of a client record; nothing else in bpf/ writes them.
 *
 * Invariant: up.bytes + down.bytes of what passed, or the one of them that the
 * quota is about, never exceeds it.
 * Each packet adds first and judges the sum afterwards; the atomic add is a
 * full barrier, so of two packets that cross the limit together on two CPUs
 * at least the later one sees the other. Who is over takes its bytes back and
 * is dropped. The first refusal closes the record (`exhausted`), so that no
 * smaller packet slips through behind it.
 *
 * A quota may be about one direction (GH_QUOTA_UP, GH_QUOTA_DOWN): the other one
 * is counted only, until the first refusal closes both.
 *
 * A record with slow prices (fair use) passes on: `exhausted` then says that
 * those hold.
 */
#ifndef GH_USAGE_H
#define GH_USAGE_H

static __always_inline bool gh_is_exhausted(const struct gh_client *client)
{
	return GH_READ(client->up.exhausted) || GH_READ(client->down.exhausted);
}

static __always_inline bool gh_is_slowing(const struct gh_policy *policy)
{
	return GH_READ(policy->slow_up_price) || GH_READ(policy->slow_down_price);
}

/* Is the quota about this direction too? GH_UNLIMITED is about neither. */
static __always_inline bool gh_is_limited(__u64 quota, bool up)
{
	return !(quota & (up ? GH_QUOTA_DOWN : GH_QUOTA_UP));
}

/* Are so many bytes of a limited direction too many? */
static __always_inline bool gh_is_over(
	const struct gh_client *client, bool up, __u64 quota, __u64 sum)
{
	const struct gh_half *other = up ? &client->down : &client->up;

	if (gh_is_limited(quota, !up))
		sum += GH_READ(other->bytes);
	return sum > (quota & GH_QUOTA_BYTES);
}

/* The quota has refused a packet for good; only records with one pay for that. */
static __always_inline bool gh_is_spent(
	const struct gh_client *client, __u64 quota)
{
	return quota != GH_UNLIMITED && gh_is_exhausted(client) &&
	       !gh_is_slowing(&client->policy);
}

/*
 * The price of a packet by the rate that holds for it; 0: none does. Past a
 * quota that ends the session there is none, and none is needed.
 */
static __always_inline __u32 gh_price(const struct gh_client *client, bool up,
	__u64 quota, __u32 bytes)
{
	const struct gh_policy *p = &client->policy;
	const struct gh_half *half = up ? &client->up : &client->down;

	if (quota != GH_UNLIMITED &&
		(gh_is_exhausted(client) ||
			(gh_is_limited(quota, up) &&
				gh_is_over(client, up, quota,
					GH_READ(half->bytes) + bytes))))
		return up ? GH_READ(p->slow_up_price)
			  : GH_READ(p->slow_down_price);
	return up ? GH_READ(p->up_price) : GH_READ(p->down_price);
}

/*
 * The flag is meant for the quota that was judged. An edit that raises it
 * writes the quota first and clears the flags afterwards; so either this sees
 * the new quota, or the edit clears what this set. True: the first refusal.
 */
static __always_inline bool gh_exhaust(
	struct gh_client *client, struct gh_half *half, __u64 quota)
{
	__u64 was = __sync_lock_test_and_set(&half->exhausted, 1);

	if (GH_READ(client->policy.quota_bytes) == quota)
		return !was;
	half->exhausted = 0;
	return false;
}

/*
 * Adds a packet to one half of the record. Returns 0 or GH_DROP_QUOTA;
 * *ret_first is set by the packet that found the quota used up.
 */
static __always_inline int gh_charge(struct gh_client *client, bool up,
	__u64 quota, __u32 bytes, __u32 packets, bool *ret_first)
{
	struct gh_half *mine = up ? &client->up : &client->down;
	__u64 sum;

	if (!gh_is_limited(quota, up)) {
		__sync_fetch_and_add(&mine->bytes, bytes);
		__sync_fetch_and_add(&mine->packets, packets);
		return 0;
	}
	if (gh_is_slowing(&client->policy)) {
		sum = __sync_fetch_and_add(&mine->bytes, bytes) + bytes;
		__sync_fetch_and_add(&mine->packets, packets);
		if (gh_is_over(client, up, quota, sum) && !gh_is_exhausted(client))
			*ret_first = gh_exhaust(client, mine, quota);
		return 0;
	}
	if (gh_is_exhausted(client))
		return GH_DROP_QUOTA;
	if (gh_is_over(client, up, quota, GH_READ(mine->bytes) + bytes))
		goto refuse;
	sum = __sync_fetch_and_add(&mine->bytes, bytes) + bytes;
	if (gh_is_over(client, up, quota, sum)) {
		__sync_fetch_and_add(&mine->bytes, -(__u64)bytes);
		goto refuse;
	}
	__sync_fetch_and_add(&mine->packets, packets);
	return 0;
refuse:
	*ret_first = gh_exhaust(client, mine, quota);
	return GH_DROP_QUOTA;
}

#endif
