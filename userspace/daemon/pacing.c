/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet for a guest leaves by the guest's interface; one of a guest by
 * whatever routing says, which the gate cannot know. So uploads are paced when
 * the way to the internet has fq, and those that leave otherwise only wait for
 * nothing: the gate never lets a rate be overdrawn by more than it polices.
 */
#include "daemon/pacing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gatehouse/abi.h"
#include "net/qdisc.h"

struct pacing {
	const struct config *config;
	const struct links *links;
	struct qdiscs *qdiscs;
	bool has_no_fq; /* this kernel */
	unsigned int up_packets; /* that wait on the way out; 0: not paced */
};

static const char *name_of(const struct pacing *p, int ifindex)
{
	const struct link *link = links_by_index(p->links, ifindex);

	return link ? link->name : "?";
}

static void install(struct pacing *p, int ifindex)
{
	int ret = qdiscs_install(p->qdiscs, ifindex);

	if (!ret) {
		log_info("%s: fq in place of the kernel's default: rates are "
			 "paced there",
			name_of(p, ifindex));
		qdiscs_read(p->qdiscs);
	} else if (ret == -ENOENT) {
		p->has_no_fq = true;
		log_info("the kernel has no fq: rates are policed");
	} else if (ret != -EEXIST && ret != -ENODEV) {
		log_warning("%s: cannot install fq: %s", name_of(p, ifindex),
			strerror(-ret));
	}
}

/* How many packets of one flow wait there; 0: none, it is not paced. */
static unsigned int room_at(struct pacing *p, int ifindex)
{
	if (qdiscs_root(p->qdiscs, ifindex) == QDISC_ROOT_DEFAULT &&
		!p->has_no_fq && p->config->shape == CONFIG_SHAPE_AUTO)
		install(p, ifindex);
	switch (qdiscs_root(p->qdiscs, ifindex)) {
	case QDISC_ROOT_FQ:
	case QDISC_ROOT_OURS:
		return qdiscs_flow_packets(p->qdiscs, ifindex);
	case QDISC_ROOT_DEFAULT:
	case QDISC_ROOT_OTHER:
		break;
	}
	return 0;
}

/* Nothing is sent there: routing is asked for the way of an address that is
 * neither the box's nor a neighbour's. The least of both families' ways that
 * have fq; what leaves by the other one waits for nothing. */
static unsigned int room_on_the_way_out(struct pacing *p)
{
	static const char *const outside[] = {"1.1.1.1", "2606:4700:4700::1111"};
	unsigned int least = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		struct ipaddr addr;
		unsigned int room = 0;
		int way;

		if (ip_parse(outside[i], &addr))
			continue;
		way = qdiscs_way_to(p->qdiscs, &addr);
		if (way)
			room = room_at(p, way);
		if (room)
			least = least ? MIN(least, room) : room;
	}
	return least;
}

void pacing_check(struct pacing *p)
{
	if (!p || p->config->shape == CONFIG_SHAPE_POLICE)
		return;
	qdiscs_read(p->qdiscs);
	p->up_packets = room_on_the_way_out(p);
}

struct pace pacing_of(struct pacing *p, int ifindex)
{
	unsigned int down, least = UINT16_MAX;
	struct pace pace = {0};

	if (!p || p->config->shape == CONFIG_SHAPE_POLICE)
		return pace;
	down = room_at(p, ifindex);
	if (down) {
		pace.flags |= GH_INTERFACE_PACED_DOWN;
		least = MIN(least, down);
	}
	if (p->up_packets) {
		pace.flags |= GH_INTERFACE_PACED_UP;
		least = MIN(least, p->up_packets);
	}
	if (pace.flags)
		pace.packets = (uint16_t)least;
	return pace;
}

static void remove_ours(void *data, int ifindex, enum qdisc_root root)
{
	struct pacing *p = data;

	if (root == QDISC_ROOT_OURS && !qdiscs_remove(p->qdiscs, ifindex))
		log_info("%s: the kernel's default in place of our fq",
			name_of(p, ifindex));
}

void pacing_remove(struct pacing *p)
{
	if (p && !qdiscs_read(p->qdiscs))
		qdiscs_each(p->qdiscs, remove_ours, p);
}

struct pacing *pacing_open(
	const struct config *config, const struct links *links)
{
	struct pacing *p = xcalloc(1, sizeof(*p));
	int ret = qdiscs_open(&p->qdiscs);

	p->config = config;
	p->links = links;
	if (ret) {
		log_warning("cannot ask for queueing disciplines: %s; rates are "
			    "policed",
			strerror(-ret));
		free(p);
		return NULL;
	}
	/* By an earlier process, with another configuration. */
	if (config->shape != CONFIG_SHAPE_AUTO)
		pacing_remove(p);
	pacing_check(p);
	return p;
}

void pacing_close(struct pacing *p)
{
	if (!p)
		return;
	qdiscs_close(p->qdiscs);
	free(p);
}
