/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling user space. Events are hints: at most one a second and client of
 * those that a client can provoke, and a full ring loses them, counted.
 */
#ifndef GH_EVENTS_H
#define GH_EVENTS_H

/* What shows that it was so; all zero: nothing. */
struct gh_evidence {
	__u64 other;
	__be64 ip[2];
};

static __always_inline void gh_tell_all(enum gh_event_type type, __u64 now_ns,
	__u64 mac, __u32 network, __u64 record_id,
	const struct gh_evidence *evidence)
{
	struct gh_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	__u32 zero = 0;
	__u64 *lost;

	if (!event) {
		lost = bpf_map_lookup_elem(&event_losses, &zero);
		if (lost)
			*lost += 1;
		return;
	}
	event->time_ns = now_ns;
	__builtin_memcpy(&event->mac, &mac, sizeof(event->mac));
	event->type = type;
	event->network = network;
	event->record_id = record_id;
	__builtin_memcpy(&event->other, &evidence->other, sizeof(event->other));
	__builtin_memcpy(&event->ip, evidence->ip, sizeof(event->ip));
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void gh_tell(enum gh_event_type type, __u64 now_ns,
	__u64 mac, __u32 network, __u64 record_id)
{
	struct gh_evidence nothing = {};

	gh_tell_all(type, now_ns, mac, network, record_id, &nothing);
}

/* Whether this client's last event is a second old; then it is now. */
static __always_inline bool gh_may_tell(__u64 *told_ns, __u64 now_ns)
{
	if (now_ns - *told_ns < GH_SEC)
		return false;
	*told_ns = now_ns;
	return true;
}

#endif
