/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queueing disciplines, as far as pacing needs them: whether an interface sends
 * packets at their departure time (fq), and making it so where nobody chose
 * anything. What somebody chose is never touched.
 */
#ifndef NET_QDISC_H
#define NET_QDISC_H

#include "base/ip.h"

enum qdisc_root {
	QDISC_ROOT_OTHER = 0, /* somebody's choice; several queues; no queue */
	QDISC_ROOT_DEFAULT,   /* the kernel's choice, of one queue */
	QDISC_ROOT_FQ,	      /* fq, or several queues with fq each */
	QDISC_ROOT_OURS,      /* fq by qdiscs_install() */
};

struct qdiscs;

int qdiscs_open(struct qdiscs **ret_qdiscs);
/* NULL is fine. */
void qdiscs_close(struct qdiscs *qdiscs);

/* Reads those of all interfaces; what the functions below say is of then. */
int qdiscs_read(struct qdiscs *qdiscs);
enum qdisc_root qdiscs_root(const struct qdiscs *qdiscs, int ifindex);
/* How many packets of one flow its fq keeps; 0: it has none. */
unsigned int qdiscs_flow_packets(const struct qdiscs *qdiscs, int ifindex);
void qdiscs_each(const struct qdiscs *qdiscs,
	void (*fn)(void *data, int ifindex, enum qdisc_root root), void *data);

/* In place of the kernel's choice. -EEXIST: there is another one; -ENOENT: the
 * kernel has no fq. */
int qdiscs_install(struct qdiscs *qdiscs, int ifindex);
/* Only what qdiscs_install() made; -ENOENT or -EINVAL when that is not there. */
int qdiscs_remove(struct qdiscs *qdiscs, int ifindex);

/* The interface by which the box sends to an address; 0: by none. */
int qdiscs_way_to(struct qdiscs *qdiscs, const struct ipaddr *addr);

#endif
