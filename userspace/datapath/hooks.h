/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our programs on an interface: attach, see that they are still there and
 * first, detach. XDP and TCX are links pinned under pin_dir/links; a kernel
 * without TCX (before 6.6) gets clsact filters of our own priority and handle.
 * Programs, qdiscs and filters of others are never touched.
 *
 * For daemon/port.c and attach.c; the rest of the daemon need not know of it.
 */
#ifndef DATAPATH_HOOKS_H
#define DATAPATH_HOOKS_H

#include "datapath/datapath.h"

enum hook_role {
	HOOK_ROLE_PORT = 1, /* upload + download: the gate itself */
	HOOK_ROLE_MASTER,   /* check-only, on the bridge of gated ports */
};

enum hook_mode {
	HOOK_MODE_AUTO, /* native XDP where the driver has it, else TC */
	HOOK_MODE_XDP,	/* native XDP or -EOPNOTSUPP; never generic */
	HOOK_MODE_TC,
};

enum hook_way {
	HOOK_WAY_NONE = 0,
	HOOK_WAY_XDP,
	HOOK_WAY_TCX,
	HOOK_WAY_CLSACT,
};

struct hook_state {
	enum hook_way up;
	enum hook_way down;
};

/*
 * Attaches both directions, or replaces the programs of hooks that are there
 * already without a gap. Download first, then upload; after a failure what
 * was attached newly by this call is detached again. Errors:
 *   -ENODEV      no such interface
 *   -EOPNOTSUPP  HOOK_MODE_XDP, and the driver has no native XDP
 *   -EBUSY       another XDP program is there
 *   -EEXIST      a foreign filter has our priority (clsact)
 * `err` says it in words, and `ret_state` is left alone.
 */
int hooks_attach(struct datapath *dp, int ifindex, enum hook_role role,
	enum hook_mode mode, struct datapath_error *err,
	struct hook_state *ret_state);

enum hook_fault {
	HOOK_FAULT_NONE = 0,
	HOOK_FAULT_GONE,   /* a hook was removed, or its interface replaced */
	HOOK_FAULT_BEHIND, /* another program runs before ours (TCX) */
	HOOK_FAULT_OTHER, /* the pin holds a program that is not this build's */
};

/* Looks whether both hooks of `state` are in force; changes nothing. */
enum hook_fault hooks_check(struct datapath *dp, int ifindex,
	enum hook_role role, const struct hook_state *state);

/*
 * Takes our hooks off `ifindex` and forgets their pins, whichever they are;
 * also when the interface is gone. None there is no error.
 */
int hooks_detach(struct datapath *dp, int ifindex);

/* Calls `fn` for each ifindex that has pins of ours, also dead ones, until it
 * returns other than 0, which is then returned. */
int hooks_each(
	struct datapath *dp, int (*fn)(void *data, int ifindex), void *data);

/* "xdp", "tcx", "clsact", "none". */
/* An XDP program on an interface that we gate at TC, so somebody else's; 0:
 * none. It runs before our hooks. */
uint32_t hooks_xdp_before(int ifindex, const struct hook_state *state);

const char *hook_way_name(enum hook_way way);

#endif
