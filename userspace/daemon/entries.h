/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's memory of the kernel's client records: one entry per record,
 * found by MAC, with the policy that the kernel should have. It is a cache of
 * what the store says, so that a sweep of 100,000 records asks the store
 * nothing; it may be thrown away at any time (sync_start() makes it anew).
 */
#ifndef DAEMON_ENTRIES_H
#define DAEMON_ENTRIES_H

#include <stddef.h>

#include "gatehouse/abi.h"
#include "gatehouse/types.h"

enum entry_action {
	ENTRY_NOTHING = 0,
	ENTRY_PUT,   /* make or edit: the kernel shall have `next` */
	ENTRY_CLOSE, /* no grant any more: close, remove later */
	ENTRY_FINAL, /* closed long enough: these counters were the last */
};

struct entry {
	struct entry *hash_next;
	struct entry *order_next, *order_prev;
	struct entry *dirty_next;
	struct mac mac;
	bool dirty;   /* in the list of this turn */
	bool fresh;   /* its row was made in this turn's transaction */
	bool closing; /* closed in the kernel, waiting to be removed */
	bool final;   /* ... and its last counters are in the store */
	enum entry_action action;
	int64_t closed_ns;  /* since when `closing` */
	uint32_t sweep;	    /* number of the sweep that saw it last */
	int64_t record_id;  /* 0: no record */
	int64_t old_id;	    /* before this turn, for the case that it fails */
	int64_t session_id, credit_id;
	int64_t raw_up, raw_down; /* as folded last; -1: unknown */
	struct gh_policy policy;  /* what the kernel should have */
	struct gh_policy next;	  /* what it gets after the commit */
};

struct entries;

struct entries *entries_new(void);
void entries_free(struct entries *entries);
/* NULL: none. */
struct entry *entries_find(struct entries *entries, const struct mac *mac);
/* The same for whoever walks through all of them, in much the same order each
 * time: the order is learnt, and the next entry fetched ahead. */
struct entry *entries_follow(struct entries *entries, const struct mac *mac);
/* The entry, made when there is none; stays where it is until removed. */
struct entry *entries_get(struct entries *entries, const struct mac *mac);
void entries_remove(struct entries *entries, struct entry *entry);
size_t entries_count(const struct entries *entries);
/* `fn` may remove the entry that it got. */
void entries_each(struct entries *entries,
	void (*fn)(void *data, struct entry *entry), void *data);

#endif
