/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's memory of the kernel's client records: one entry per record,
 * found by MAC, with the policy that the kernel should have. It is a cache of
 * what the store says, so that a sweep of 100,000 records asks the store
 * nothing; it may be thrown away at any time (sync_start() makes it anew).
 */
#ifndef DAEMON_RECORD_CACHE_H
#define DAEMON_RECORD_CACHE_H

#include <stddef.h>

#include "gatehouse/abi.h"
#include "gatehouse/types.h"

enum entry_action {
	ENTRY_NOTHING = 0,
	ENTRY_PUT,   /* make or edit: the kernel shall have `next` */
	ENTRY_CLOSE, /* no grant any more: close, remove later */
	ENTRY_FINAL, /* closed long enough: these counters were the last */
};

/* What the start notes in place of a sweep's number; those count on. */
enum {
	SWEEP_ADOPTED = 1, /* the kernel had it */
	SWEEP_WANTED,	   /* the store wants it */
	SWEEP_FIRST,
};

struct cached_record {
	struct cached_record *hash_next;
	struct cached_record *order_next, *order_prev;
	struct cached_record *dirty_next;
	struct mac mac;
	bool dirty;   /* in the list of this turn */
	bool fresh;   /* its row was made in this turn's transaction */
	bool stale;   /* the kernel does not have `policy`: put it again */
	bool gone;    /* the kernel had lost it when this turn counted */
	bool closing; /* closed in the kernel, waiting to be removed */
	bool final;   /* ... and its last counters are in the store */
	bool handed_over; /* ... and its credit went to another client */
	enum entry_action action;
	int64_t closed_ns;  /* since when `closing` */
	int64_t closed_up, closed_down; /* bytes counted then */
	uint32_t sweep;	    /* that saw it last: SWEEP_* or a number */
	uint32_t verified;  /* that found its client in the store last */
	int64_t record_id;  /* 0: no record */
	int64_t old_id;	    /* before this turn, for the case that it fails */
	int64_t session_id, credit_id;
	int64_t raw_up, raw_down; /* as folded last; -1: unknown */
	/* Of the credit, for the sweep; see standing_is_silent() */
	int64_t idle_sec, heard_ns;
	bool is_idle;
	struct gh_policy policy;  /* what the kernel should have */
	struct gh_policy next;	  /* what it gets after the commit */
};

struct record_cache;

struct record_cache *record_cache_new(void);
/* With all entries. NULL is fine. */
void record_cache_free(struct record_cache *cache);
/* NULL: none. */
struct cached_record *record_cache_find(struct record_cache *cache, const struct mac *mac);
/* The same for whoever walks through all of them, in much the same order each
 * time: the order is learnt, and the next entry fetched ahead. */
struct cached_record *record_cache_follow(struct record_cache *cache, const struct mac *mac);
/* The entry, made when there is none; stays where it is until removed. */
struct cached_record *record_cache_get(struct record_cache *cache, const struct mac *mac);
void record_cache_remove(struct record_cache *cache, struct cached_record *entry);
size_t record_cache_count(const struct record_cache *cache);
/* `fn` may remove the entry that it got. */
void record_cache_each(struct record_cache *cache,
	void (*fn)(void *data, struct cached_record *entry), void *data);
/* The same in parts, each of some 1,000 entries. `*position` is 0 at first;
 * false: that was the last. One that is made between two parts may be missed,
 * another be met twice. */
bool record_cache_some(struct record_cache *cache, size_t *position,
	void (*fn)(void *data, struct cached_record *entry), void *data);

#endif
