/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that clients share: `groups`, by a number above 0 that
 * policy.group of the members names. As with clients' records, this file
 * writes policies only and counters are the kernel's.
 */
#ifndef DATAPATH_GROUPS_H
#define DATAPATH_GROUPS_H

#include "datapath/datapath.h"

/*
 * Makes a record with zero counters, or edits the one that is there in place.
 * -ENOSPC: GH_GROUPS_MAX are there already; -ESTALE: it has another record_id.
 */
int group_put(struct datapath *dp, uint32_t group, const struct gh_policy *policy);

/* -ENOENT without a record. */
int group_lookup(
	struct datapath *dp, uint32_t group, struct gh_client *ret_record);

/*
 * Forgets a record that no client names any more. The caller has waited for
 * packets since the last one did (clients_wait_for_packets()). One that is not
 * there is no error.
 */
int group_remove(struct datapath *dp, uint32_t group);

/* Calls `fn` once for each record, in no order, until it returns other than 0,
 * which is then returned. */
int group_each(struct datapath *dp,
	int (*fn)(void *data, uint32_t group, const struct gh_client *record),
	void *data);

#endif
