/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling user space. Events are hints: at most one a second and client of
 * those that a client can provoke, and a full ring loses them, counted.
 */
#ifndef GH_EVENTS_H
#define GH_EVENTS_H

/* To be filled whole and submitted; NULL: counted as lost. */
static __always_inline struct gh_event *gh_event_room(void)
{
	struct gh_event *room = bpf_ringbuf_reserve(&events, sizeof(*room), 0);
	__u32 zero = 0;
	__u64 *lost;

	if (room)
		return room;
	lost = bpf_map_lookup_elem(&event_losses, &zero);
	if (lost)
		*lost += 1;
	return NULL;
}

static __always_inline void gh_event_fill(struct gh_event *event,
	enum gh_event_type type, __u64 now_ns, __u64 mac, __u32 network)
{
	event->time_ns = now_ns;
	*(__u64 *)&event->mac = mac;
	event->type = type;
	event->network = network;
	event->record_id = 0;
	*(__u64 *)&event->other = 0;
	__builtin_memset(&event->ip, 0, sizeof(event->ip));
}

/* A function of its own for the verifier: rare, and told of in many places.
 * Events are written where they go: the stacks of all that call are one. */
__weak __noinline int gh_tell(enum gh_event_type type, __u64 now_ns, __u64 mac,
	__u32 network, __u64 record_id)
{
	struct gh_event *event = gh_event_room();

	if (!event)
		return 0;
	gh_event_fill(event, type, now_ns, mac, network);
	event->record_id = record_id;
	bpf_ringbuf_submit(event, 0);
	return 1;
}

/* The same with what the frame says as the evidence. */
__weak __noinline int gh_tell_frame(enum gh_event_type type,
	const struct gh_pkt *pkt, __u64 now_ns, __u32 network, __u64 record_id)
{
	struct gh_event *event;
	__be64 ip[2];

	if (!pkt)
		return 0;
	event = gh_event_room();
	if (!event)
		return 0;
	gh_event_fill(event, type, now_ns, pkt->src, network);
	event->record_id = record_id;
	*(__u64 *)&event->other = gh_named_mac(pkt);
	if (gh_claims(pkt, ip))
		__builtin_memcpy(&event->ip, ip, sizeof(event->ip));
	bpf_ringbuf_submit(event, 0);
	return 1;
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
