/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries counters over into records of another layout (docs/design.md 8.4).
 * User space reads the old record, whose layout is unknown here, and this adds
 * what it counted since the last time. `copied` remembers that in the same
 * run of the program, and no signal ends a run: whoever begins again after a
 * crash adds nothing twice. Loaded only while it is needed.
 */
#include "gate.h"

#define GH_ENOENT 2

static __always_inline void gh_add(__u64 *to, __u64 *was, __u64 now)
{
	__sync_fetch_and_add(to, now - *was);
	*was = now;
}

SEC("syscall")
int gh_carry(struct gh_carry *carry)
{
	__u64 mac = *(volatile __u64 *)carry;
	__u32 group = *(volatile __u32 *)carry;
	struct gh_client *client = carry->mac.zero[0] == GH_CARRY_GROUP
					   ? bpf_map_lookup_elem(&groups, &group)
					   : bpf_map_lookup_elem(&clients, &mac);
	struct gh_counters *was = bpf_map_lookup_elem(&copied, &mac);

	if (!client || !was)
		return -GH_ENOENT;
	gh_add(&client->up.bytes, &was->up_bytes, carry->now.up_bytes);
	gh_add(&client->up.packets, &was->up_packets, carry->now.up_packets);
	gh_add(&client->down.bytes, &was->down_bytes, carry->now.down_bytes);
	gh_add(&client->down.packets, &was->down_packets,
		carry->now.down_packets);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
