/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling user space. Events are hints: at most one a second and client of
 * those that a client can provoke, and a full ring loses them, counted.
 */
#ifndef GH_EVENTS_H
#define GH_EVENTS_H

static __always_inline bool gh_publish(const struct gh_event *event)
{
	struct gh_event *room = bpf_ringbuf_reserve(&events, sizeof(*room), 0);
	__u32 zero = 0;
	__u64 *lost;

	if (room) {
		__builtin_memcpy(room, event, sizeof(*room));
		bpf_ringbuf_submit(room, 0);
		return true;
	}
	lost = bpf_map_lookup_elem(&event_losses, &zero);
	if (lost)
		*lost += 1;
	return false;
}

/* A function of its own for the verifier: rare, and told of in many places. */
__weak __noinline int gh_submit(const struct gh_event *event)
{
	return event && gh_publish(event);
}

static __always_inline struct gh_event gh_event(enum gh_event_type type,
	__u64 now_ns, __u64 mac, __u32 network, __u64 record_id)
{
	struct gh_event event = {
		.time_ns = now_ns,
		.type = type,
		.network = network,
		.record_id = record_id,
	};

	__builtin_memcpy(&event.mac, &mac, sizeof(event.mac));
	return event;
}

static __always_inline void gh_tell(enum gh_event_type type, __u64 now_ns,
	__u64 mac, __u32 network, __u64 record_id)
{
	struct gh_event event = gh_event(type, now_ns, mac, network, record_id);

	gh_submit(&event);
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
