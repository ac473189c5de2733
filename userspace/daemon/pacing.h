/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rates are paced: packets beyond a rate wait in fq for their departure
 * time instead of being dropped. The gate writes that time where this says that
 * somebody heeds it; where nobody does, it is policed as before.
 */
#ifndef DAEMON_PACING_H
#define DAEMON_PACING_H

#include "base/config.h"
#include "net/link.h"

struct pacing;

/* As in struct gh_interface. */
struct pace {
	uint32_t flags; /* GH_INTERFACE_PACED_* */
	uint16_t packets;
};

/* `config` and `links` must outlive it. NULL when the kernel cannot be asked,
 * which is logged: then all is policed. */
struct pacing *pacing_open(
	const struct config *config, const struct links *links);
/* NULL is fine; fq stays where it is. */
void pacing_close(struct pacing *p);

/* Looks again; once a second. */
void pacing_check(struct pacing *p);
/* Of a gated interface; with `shape = auto` puts fq where the kernel's own
 * choice is. */
struct pace pacing_of(struct pacing *p, int ifindex);
/* Takes fq away wherever gatehouse put it. */
void pacing_remove(struct pacing *p);

#endif
