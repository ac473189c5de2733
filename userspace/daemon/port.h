/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One gated interface: its hooks, its entry in the map `interfaces`, its device
 * group and its isolation on a bridge. Which interfaces there are, and to which
 * network they belong, is attach.c's; it fills what is marked so.
 * What an operator must know is logged here.
 */
#ifndef DAEMON_PORT_H
#define DAEMON_PORT_H

#include "daemon/attach.h"
#include "daemon/pacing.h"
#include "datapath/hooks.h"
#include "net/link.h"

struct port {
	struct datapath *dp;
	struct links *links;
	struct attach_row row; /* name, network, is_master: attach.c's */
	enum hook_role role;   /* attach.c's, as the next two */
	bool is_named;	       /* by the configuration, so nftables guards it */
	bool is_wanted;	       /* mark of a refresh */
	bool we_isolated;      /* and so set it back */
	enum hook_mode mode;   /* in force, when attached */
	struct pace pace; /* by port_pace() */
	struct hook_state hooks;
	/* Why it stays closed although it is gated (bypass.h); "": it need
	 * not. attach.c's, before port_check(). */
	char bypass[256];
	char note[160]; /* bypass.h; in `row.problem` while it is attached */
};

/* Of this interface, not attached yet; what an earlier process did to it is
 * known. Freed with free(), after port_detach() where that is wanted. */
struct port *port_new(
	struct datapath *dp, struct links *links, const struct link *link);

/* After a change of the interface or its network: attaches what is not, and
 * puts map entry, isolation and group right. Tried again by port_check(). */
void port_refresh(struct port *port);
/* Looks that the hooks are in force, and puts them right. What had been done
 * to them, as a sentence, when they had to be; otherwise NULL. */
const char *port_check(struct port *port);
/* Paces rates there, or does not. */
void port_pace(struct port *port, struct pace pace);
/* No longer of its network, or gone altogether. */
void port_detach(struct port *port);
/* No longer configured: its hooks stay and drop everything. */
void port_retire(struct port *port);

/* The two steps of an unload; each returns a negative errno and has done what
 * it could. Closing: nftables drops what comes from and goes to it. */
int port_close(struct port *port);
int port_unload(struct port *port);

/* Forgets an interface in the map, of a port or not. */
void port_clear_entry(struct datapath *dp, int ifindex);

#endif
