/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side as user space sees it: one handle over the pinned maps and
 * programs. Clients' records: datapath/clients.h; events: datapath/events.h;
 * reason counters: datapath/reasons.h; attaching: datapath/hooks.h.
 *
 * Nothing here logs. What a person must read comes back as a sentence in a
 * struct datapath_error beside the negative errno.
 */
#ifndef DATAPATH_DATAPATH_H
#define DATAPATH_DATAPATH_H

#include "gatehouse/abi.h"
#include "gatehouse/types.h"

struct datapath;

struct datapath_error {
	char text[256]; /* "" when there is nothing to add to the errno */
};

struct datapath_options {
	const char *pin_dir;  /* below a bpffs, which is mounted when absent */
	uint32_t clients_max; /* of an adopted table as well, unless it has more */
	bool without_tcx; /* take clsact although the kernel has TCX: tests */
};

/*
 * Makes the maps and pins them, or adopts the pinned ones with every record
 * in them; loads this build's programs on those maps, unless they are what is
 * pinned already. Traffic goes on with the old programs until hooks_attach()
 * replaces them one by one. Maps of an older layout, or of another size, are
 * carried over, and then all hooks are replaced here.
 *
 * Holds an advisory lock on pin_dir until datapath_close(). Errors:
 *   -EBUSY       another process holds pin_dir
 *   -EPROTO      the pinned maps have a newer layout than this build, or one
 *                that cannot be carried over: nothing was touched, `err` says
 *                what to do
 *   -ESTALE      the pinned maps are of another boot; nothing was touched
 *   -ENOENT      this build's BPF object lacks a part that `err` names
 *   -EPERM, -EINVAL, -E2BIG, ...  the kernel refused; `err` names the part
 */
int datapath_open(const struct datapath_options *options,
	struct datapath_error *err, struct datapath **ret_datapath);

/* Gives the handle back; the kernel goes on deciding. NULL is fine. */
void datapath_close(struct datapath *dp);

/*
 * Removes every hook of ours in this network namespace, then every pin, then
 * pin_dir itself. What is not ours stays: other programs, filters, and a
 * clsact qdisc that we did not make or that others use by now. Nothing left
 * to remove is no error. Close a datapath of the same pin_dir first (-EBUSY).
 */
int datapath_unload(const char *pin_dir, struct datapath_error *err);

/* What the maps say of themselves; valid until datapath_close(). */
const struct gh_meta *datapath_meta(const struct datapath *dp);
/* Records that the table has room for: some more than clients_max, for those
 * on their way out while their successors are in. */
uint32_t datapath_records_max(const struct datapath *dp);
/* The maps were there already (restart), not made by datapath_open(). */
bool datapath_adopted(const struct datapath *dp);
/* ... but of another shape: new ones took over what they had. */
bool datapath_carried_over(const struct datapath *dp);

/*
 * `networks[number]`, number 1 to GH_NETWORKS_MAX - 1; `*network` all zero
 * closes it. Written only when it differs from what the map has: a packet that
 * is decided during a write may see half of it.
 */
int datapath_network_set(
	struct datapath *dp, uint32_t number, const struct gh_network *network);
/* -ENOENT for a number beyond GH_NETWORKS_MAX - 1. */
int datapath_network_lookup(
	struct datapath *dp, uint32_t number, struct gh_network *ret_network);

/* `interfaces[ifindex]`; all zero: not ours. -ERANGE for an ifindex beyond
 * GH_IFINDEX_MAX - 1. */
int datapath_interface_set(
	struct datapath *dp, int ifindex, const struct gh_interface *interface);
int datapath_interface_lookup(
	struct datapath *dp, int ifindex, struct gh_interface *ret_interface);
/*
 * Calls `fn` for each entry that is not all zero, in order of ifindex, until
 * it returns other than 0, which is then returned.
 */
int datapath_interface_each(struct datapath *dp,
	int (*fn)(void *data, int ifindex, const struct gh_interface *interface),
	void *data);

/*
 * GCRA price of `kbps`, as gh_network wants it: ns << 15 per byte. 0 kbps:
 * unmetered.
 */
uint64_t datapath_price(uint32_t kbps);
/*
 * The same for gh_policy, whose prices have 32 bits: a rate outside the range
 * becomes the next one in it. 0 kbps: no limit.
 */
#define DATAPATH_KBPS_MIN 64
#define DATAPATH_KBPS_MAX 100000000
uint32_t datapath_rate_price(int64_t kbps);
/* And back: kbit/s; 0: no limit. */
int64_t datapath_price_rate(uint32_t price);

#endif
