/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters of a client record; nothing else in bpf/ writes them.
 *
 * Invariant: up.bytes + down.bytes of what passed never exceeds the quota.
 * Each packet adds first and judges the sum afterwards; the atomic add is a
 * full barrier, so of two packets that cross the limit together on two CPUs
 * at least the later one sees the other. Who is over takes its bytes back and
 * is dropped. The first refusal closes the record (`exhausted`), so that no
 * smaller packet slips through behind it.
 */
#ifndef GH_USAGE_H
#define GH_USAGE_H

#define GH_READ(x) (*(volatile __typeof__(x) *)&(x))

/* Returns 0 or GH_DROP_QUOTA; *first is set by the refusal that closed it. */
static __always_inline int gh_charge(struct gh_half *mine,
	struct gh_half *other, __u64 quota, __u32 bytes, __u32 packets,
	bool *first)
{
	if (quota != GH_UNLIMITED) {
		__u64 sum;

		if (GH_READ(mine->exhausted) || GH_READ(other->exhausted))
			return GH_DROP_QUOTA;
		if (GH_READ(mine->bytes) + GH_READ(other->bytes) + bytes > quota)
			goto refuse;
		sum = __sync_fetch_and_add(&mine->bytes, bytes) + bytes;
		if (sum + GH_READ(other->bytes) > quota) {
			__sync_fetch_and_add(&mine->bytes, -(__u64)bytes);
			goto refuse;
		}
	} else {
		__sync_fetch_and_add(&mine->bytes, bytes);
	}
	__sync_fetch_and_add(&mine->packets, packets);
	return 0;
refuse:
	*first = __sync_lock_test_and_set(&mine->exhausted, 1) == 0;
	return GH_DROP_QUOTA;
}

#endif
