/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins: the journal of pulses, and the locks that they belong to; see
 * rules/coin.h. As in store.h, what writes must run inside a transaction.
 */
#ifndef STORE_COINS_H
#define STORE_COINS_H

#include "store/store.h"

/* A coin acceptor's pulse, as it was journalled. */
struct coin_pulse {
	int64_t id;
	char slot[32];
	int64_t seq; /* the acceptor's own number; UNLIMITED: it has none */
	int64_t at;  /* UTC seconds */
	int64_t at_ns; /* monotonic, of this boot */
	int64_t amount_minor; /* > 0 */
	char currency[4];
};
/* Sets the id; it belongs to no lock yet. -EEXIST: that number of this slot was
 * journalled before. */
int store_coin_pulse_insert(struct store *store, struct coin_pulse *pulse);
/* Up to `max` that belong to no lock yet, oldest first; returns how many. */
int store_coin_pulse_new(struct store *store, struct coin_pulse *rows, int max);
/* It belongs to that lock now, whose money grows by it; `is_coin`: it is the first
 * pulse of a coin. -ENOENT: it belongs to one already. */
int store_coin_pulse_credit(struct store *store, const struct coin_pulse *pulse,
	int64_t lock_id, bool is_coin);
/* The number that came last. -ENOENT: none has. */
int store_coin_pulse_last_seq(
	struct store *store, const char *slot, int64_t *ret_seq);

enum coin_lock_state {
	COIN_LOCK_OPEN,	 /* reserved for its client, until until_ns */
	COIN_LOCK_DONE,	 /* by the client, or claimed */
	COIN_LOCK_TAKEN, /* by the next client, for no coin came */
	COIN_LOCK_OVER,
	COIN_LOCK_UNCLAIMED, /* nobody's: coins that fell without a lock */
};
const char *coin_lock_state_name(enum coin_lock_state state);

#define COIN_KEY 33 /* a lock's secret: hex digits, with NUL */

struct coin_lock {
	int64_t id; /* its number, as page and slot show it */
	char key[COIN_KEY]; /* "lockId" */
	char slot[32];
	struct mac mac; /* unless it is unclaimed */
	enum coin_lock_state state;
	int64_t from_ns, until_ns; /* monotonic, of this boot; 0: an earlier one's */
	int64_t coins; /* that fell into it; read only */
	int64_t coin_ns; /* the last pulse, monotonic; read only */
	int64_t credited_minor, spent_minor;
	char currency[4];
	int64_t session_id; /* started from it; 0: none */
	int64_t created_at; /* UTC seconds; read only */
};
/* Sets the id. */
int store_coin_lock_insert(struct store *store, struct coin_lock *lock);
int store_coin_lock_update(struct store *store, const struct coin_lock *lock);
int store_coin_lock_lookup(
	struct store *store, int64_t id, struct coin_lock *ret_lock);
int store_coin_lock_by_key(
	struct store *store, const char *key, struct coin_lock *ret_lock);
/* Clients' ones: up to `max`, newest first; returns how many, as the others that
 * take `max`. */
int store_coin_lock_of_slot(struct store *store, const char *slot,
	struct coin_lock *rows, int max);
/* The newest that is nobody's. */
int store_coin_lock_unclaimed(
	struct store *store, const char *slot, struct coin_lock *ret_lock);
/* The client's newest. */
int store_coin_lock_of_mac(
	struct store *store, const struct mac *mac, struct coin_lock *ret_lock);
/* Those that are open, the first to end first. */
int store_coin_lock_open(struct store *store, struct coin_lock *rows, int max);
/* Those with money in them, newest first, ids below `before` (UNLIMITED: from
 * the newest); `mac` NULL: anybody's. */
int store_coin_lock_rests(struct store *store, const struct mac *mac,
	int64_t before, struct coin_lock *rows, int max);
/* pulses = paid + rest + pulses that belong to no lock yet. */
struct coin_sums {
	int64_t pulses_minor, paid_minor, rest_minor;
};
int store_coin_sums(struct store *store, struct coin_sums *ret_sums);

#endif
