/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cards and switch chips do by themselves, by the kernel's leave: packets
 * that they send on meet no program of the box. Read and never changed.
 */
#ifndef NET_OFFLOAD_H
#define NET_OFFLOAD_H

#include <stdbool.h>

#include "base/ip.h"

/* A tc filter that is in hardware and sends packets on. */
struct offload_filter {
	const char *kind; /* "flower", "u32", "matchall", "bpf" */
	int ifindex;	  /* where it is, at ingress or egress */
	int target;	  /* where it sends packets to; 0: a program decides */
};

/*
 * Each of them, once for each target. Those that only drop, or pass to the box,
 * are none. Asks the kernel each time: one message, and two more for each
 * interface with a qdisc clsact or ingress. -EINTR: the filters were changed
 * meanwhile; ask again.
 */
int offload_filters_each(
	void (*fn)(void *data, const struct offload_filter *filter), void *data);

/* Whether the route that packets to `addr` take is a switch's as well, which
 * then forwards them by itself. No, when there is none or no answer. */
bool offload_is_routed(const struct ipaddr *addr);

#endif
