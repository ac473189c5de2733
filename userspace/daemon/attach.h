/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks of the configuration onto interfaces of the box: which interface or
 * bridge ports carry a network, our hooks on them, the maps `interfaces` and
 * `networks`, the device group and our nftables table.
 *
 * The invariant: an interface named by a network passes nothing for a client
 * unless our hooks are attached to it. It follows the interfaces as they come,
 * go and change, and looks once a second that every hook is still there.
 * It logs by itself what an operator must know.
 */
#ifndef DAEMON_ATTACH_H
#define DAEMON_ATTACH_H

#include <net/if.h>

#include "base/config.h"
#include "base/loop.h"
#include "datapath/datapath.h"
#include "net/link.h"

struct attach;

enum attach_state {
	ATTACH_STATE_ABSENT,   /* configured, but there is no such interface */
	ATTACH_STATE_ATTACHED, /* gated */
	ATTACH_STATE_FAILED, /* closed; `problem` says why; retried each second */
	ATTACH_STATE_RETIRED, /* no longer configured: closed until an unload */
};

/* One configured interface, or one port of a configured bridge. */
struct attach_row {
	const struct config_network *network; /* NULL: retired */
	char name[IFNAMSIZ];
	int ifindex;	/* 0: absent */
	bool is_master; /* the bridge itself: its hooks only check */
	bool is_isolated; /* a bridge's port that reaches no other such port */
	bool is_up_paced, is_down_paced; /* rates; otherwise policed */
	enum attach_state state;
	char up[8]; /* "xdp", "tcx", "clsact", "none" */
	char down[8];
	uint32_t repairs;  /* how often a hook was put back */
	/* "" unless failed; or, when attached, what runs before the gate */
	char problem[256];
};

struct attach_handlers {
	/* A hook had been removed or pushed aside and was put back; or the
	 * nftables table, and then `name` is "nftables". May be NULL. */
	void (*repaired)(void *data, const char *name, const char *what);
	void *data;
};

/*
 * Attaches what is there and watches for the rest; hooks that an earlier
 * process left are taken over without a gap. An interface that no network names
 * any more stays closed until one does or until an unload: a slip of the pen in
 * the file must not open a gate.
 * An interface that is absent is a warning, not an error. `config` and
 * `handlers->data` must outlive it.
 * Fails only when nothing can work: netlink or nftables is out of reach, or
 * what an earlier process left cannot be cleared. One interface that fails is a
 * row that says so.
 */
int attach_start(struct loop *loop, struct datapath *dp,
	const struct config *config, const struct attach_handlers *handlers,
	struct attach **ret_attach);

/* Stops watching; hooks, groups and the table stay in force. NULL is fine. */
void attach_stop(struct attach *a);

/*
 * First half of `unload`; then attach_stop(), datapath_close() and
 * datapath_unload(), and the daemon ends. Afterwards
 *   closed: our nftables table stays and drops all forwarding from and to the
 *           guest interfaces and all input from them;
 *   open:   the table is gone: whoever is on those interfaces gets through.
 * Returns the first error, after doing what else can be done; but when the
 * table cannot be had for `closed`, the hooks stay attached.
 */
int attach_unload(struct attach *a, bool open);

/* Why the kernel was not told what this network is now, and goes by what it was
 * told before, if anything; "": nothing. `network` is of the configuration that
 * attach_start() got. */
const char *attach_network_problem(
	const struct attach *a, const struct config_network *network);

/* The box's interfaces as it knows them. */
const struct links *attach_links(const struct attach *a);

/* Rows in the order of the configuration, a bridge before its ports. */
void attach_each(struct attach *a,
	void (*fn)(void *data, const struct attach_row *row), void *data);

#endif
