/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of the `events` ring. The ring outlives processes like every
 * pinned map: a new reader goes on where the last one stopped. It never waits
 * and takes a bounded number at a time.
 */
#include "datapath/events.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/handle.h"

static const char *const names[GH_EVENT_TYPES] = {
	[GH_EVENT_FIRST_SEEN] = "first_seen",
	[GH_EVENT_EXHAUSTED] = "exhausted",
	[GH_EVENT_EXPIRED] = "expired",
	[GH_EVENT_ROGUE_RA] = "rogue_ra",
	[GH_EVENT_ROGUE_REDIRECT] = "rogue_redirect",
	[GH_EVENT_ROGUE_DHCP] = "rogue_dhcp",
	[GH_EVENT_FORGED_ARP] = "forged_arp",
	[GH_EVENT_FORGED_ND] = "forged_nd",
	[GH_EVENT_BOX_ADDRESS] = "box_address",
	[GH_EVENT_BOX_MAC] = "box_mac",
	[GH_EVENT_SPOOFED] = "spoofed",
	[GH_EVENT_GROUP_EXHAUSTED] = "group_exhausted",
	[GH_EVENT_TWO_NETWORKS] = "two_networks",
	[GH_EVENT_TWO_SYSTEMS] = "two_systems",
};

const char *event_name(enum gh_event_type type)
{
	const char *name = NULL;

	if ((unsigned int)type < GH_EVENT_TYPES)
		name = names[type];
	return name ? name : "?";
}

struct events {
	struct ring_buffer *ring;
	void (*fn)(void *data, const struct gh_event *event);
	void *data;
	int count; /* in this dispatch */
};

/* A negative answer makes libbpf stop after this record, which is consumed. */
static int take(void *ctx, void *record, size_t size)
{
	struct events *events = ctx;

	if (size >= sizeof(struct gh_event))
		events->fn(events->data, record);
	return ++events->count < EVENTS_BATCH ? 0 : -EAGAIN;
}

int events_open(struct datapath *dp,
	void (*fn)(void *data, const struct gh_event *event), void *data,
	struct events **ret_events)
{
	struct events *events = xcalloc(1, sizeof(*events));

	events->fn = fn;
	events->data = data;
	events->ring = ring_buffer__new(dp->maps[MAP_EVENTS], take, events, NULL);
	if (!events->ring) {
		int ret = -errno;

		free(events);
		return ret;
	}
	*ret_events = events;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	free(events);
}

int events_fd(const struct events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

int events_dispatch(struct events *events)
{
	int ret;

	events->count = 0;
	ret = ring_buffer__consume(events->ring);
	return ret < 0 && ret != -EAGAIN ? ret : events->count;
}

int events_losses(struct datapath *dp, uint64_t *ret_count)
{
	_cleanup_free_ uint64_t *per_cpu = NULL;
	int cpu, cpus = libbpf_num_possible_cpus();
	uint32_t zero = 0;
	uint64_t sum = 0;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	if (bpf_map_lookup_elem(dp->maps[MAP_EVENT_LOSSES], &zero, per_cpu) < 0)
		return -errno;
	for (cpu = 0; cpu < cpus; cpu++)
		sum += per_cpu[cpu];
	*ret_count = sum;
	return 0;
}
