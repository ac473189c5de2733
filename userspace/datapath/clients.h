/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients' records: `clients`, and read-only `captive`. This file is the one
 * writer of policy fields; counters are the kernel's and are only ever read.
 *
 * policy.seq belongs to the edit program: what callers put there is ignored
 * and it does not count as a difference. policy.record_id names a record; an
 * edit or removal that names another one changes nothing (-ESTALE).
 */
#ifndef DATAPATH_CLIENTS_H
#define DATAPATH_CLIENTS_H

#include <stddef.h>

#include "datapath/datapath.h"

struct client {
	struct mac mac;
	struct gh_client record;
	bool is_found; /* set by clients_remove() */
};

/* What a record should be. */
struct client_want {
	struct mac mac;
	struct gh_policy policy;
};

/* Do they say the same? `seq` is no part of it. */
bool client_policy_equal(const struct gh_policy *a, const struct gh_policy *b);

/*
 * Makes a record with zero counters, or edits the one that is there in place.
 *   -ESTALE  the client has a record with another record_id: remove that first
 *   -ENOSPC  the table is full
 */
int clients_put(struct datapath *dp, const struct mac *mac,
	const struct gh_policy *policy);

/*
 * Edits in place. `ret_record` (NULL: not wanted) has the counters as they
 * were at that moment, and the new policy.
 *   -ENOENT  no record;  -ESTALE  another record_id
 */
int clients_edit(struct datapath *dp, const struct mac *mac,
	const struct gh_policy *policy, struct gh_client *ret_record);

/* -ENOENT without a record. */
int clients_lookup(struct datapath *dp, const struct mac *mac,
	struct gh_client *ret_record);

/*
 * Returns when every packet that was being decided at the call is done: 10 to
 * 40 ms later.
 */
void clients_wait_for_packets(void);

/*
 * Removes records for good: closes them all, waits until no packet that saw
 * them open is under way (10 to 40 ms for all together, so gather them), reads
 * their final counters, deletes them.
 *
 * In: rows[i].mac and rows[i].record.policy.record_id (0: whichever is there).
 * Out: rows[i].record is the final record. A row whose record was not there
 * or is another one is not found: zero counters, and left alone. After an
 * error some may be gone and others only closed.
 */
int clients_remove(struct datapath *dp, struct client *rows, size_t n);

/*
 * Calls `fn` once for each record, in no order, until it returns other than
 * 0, which is then returned. `fn` may edit records; records that it makes or
 * removes may or may not be seen.
 */
int clients_each(struct datapath *dp,
	int (*fn)(void *data, const struct client *client), void *data);

/*
 * The same in parts, for who has other things to do in between: each call is
 * some 1,000 records as they are at that moment, `*ret_more` false says that
 * those were the last. Ends with the datapath that it walks through.
 */
struct clients_walk *clients_walk_new(struct datapath *dp);
void clients_walk_free(struct clients_walk *walk);
int clients_walk_next(struct clients_walk *walk,
	int (*fn)(void *data, const struct client *client), void *data,
	bool *ret_more);

struct captive {
	struct mac mac;
	struct gh_captive record;
};
/* The same for clients without a record, as far as the kernel remembers. */
int captive_each(struct datapath *dp,
	int (*fn)(void *data, const struct captive *captive), void *data);
/* -ENOENT when the kernel has not seen it or forgot. */
int captive_lookup(struct datapath *dp, const struct mac *mac,
	struct gh_captive *ret_captive);

enum client_difference {
	CLIENT_MISSING,	  /* wanted, no record: `have` is NULL */
	CLIENT_UNKNOWN,	  /* a record that nobody wants: `want` is NULL */
	CLIENT_OTHER,	  /* the record has another record_id */
	CLIENT_DIFFERENT, /* same record, another policy */
};

/*
 * Compares the table with what it should be and reports each difference;
 * changes nothing by itself. One MAC twice is -EINVAL.
 * Stops when `fn` returns other than 0 and returns that.
 */
int clients_compare(struct datapath *dp, const struct client_want *want, size_t n,
	int (*fn)(void *data, enum client_difference difference,
		const struct client_want *want, const struct client *have),
	void *data);

struct clients_synced {
	size_t put; /* made */
	size_t edited;
	size_t removed; /* unknown ones and replaced ones */
	size_t failed;	/* no room in the table */
};

/*
 * Makes the table what it should be, by difference: a record that is right
 * already is not touched. `removed` (may be NULL) gets each record that went,
 * with its final counters. -ENOSPC when `failed` is not 0; `ret_synced` is
 * written then as well.
 */
int clients_sync(struct datapath *dp, const struct client_want *want, size_t n,
	void (*removed)(void *data, const struct client *final), void *data,
	struct clients_synced *ret_synced);

#endif
