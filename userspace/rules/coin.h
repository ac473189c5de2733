/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins (P2). A lock reserves a slot for a client; what falls into the slot
 * meanwhile is the lock's money, and that buys time by the plans that are sold
 * by coin. A pulse is journalled first and belongs to a lock after: both in
 * transactions of their own, so a crash loses none and counts none twice.
 */
#ifndef RULES_COIN_H
#define RULES_COIN_H

#include "rules/session.h"
#include "rules/token.h"
#include "store/coins.h"

#define COIN_LOCK_NS   (60 * NSEC_PER_SEC) /* without a coin */
#define COIN_MORE_NS   (30 * NSEC_PER_SEC) /* for each coin */
#define COIN_MOST_NS   (300 * NSEC_PER_SEC)
#define COIN_IDLE_NS   (15 * NSEC_PER_SEC) /* no coin by then: another may take it */
#define COIN_SULK_NS   (60 * NSEC_PER_SEC) /* so long who lost it waits */
/* A coin that was let in is still counted for whom it was let in. Until then
 * nobody else's lock begins. */
#define COIN_FLIGHT_NS (2 * NSEC_PER_SEC)
/* Pulses so close together are of one coin. */
#define COIN_ONE_NS    (NSEC_PER_SEC / 2)
/* Pulses without a lock so close together are one find. */
#define COIN_FIND_NS   (60 * NSEC_PER_SEC)

/*
 * Keeps a pulse; `ret_is_new` false: one with its number is there already. The
 * caller commits before anything is made of it.
 */
int coin_journal(
	struct rules *rules, struct coin_pulse *pulse, bool *ret_is_new);
/* Gives each journalled pulse to the lock that was open when it fell, or to
 * nobody's. Returns how many, or an errno. */
int coin_settle(struct rules *rules, const struct moment *now);
/* Ends the locks whose time is over. Returns how many, or an errno. */
int coin_expire(struct rules *rules, const struct moment *now);

/* What an amount buys: the most minutes, and among those the least money. */
#define COIN_PLANS_MAX 16
struct coin_offer {
	int64_t seconds;
	int64_t minor; /* that it costs; the rest is kept for the next time */
	int count;
	struct coin_part {
		struct plan plan;
		int64_t times;
	} parts[COIN_PLANS_MAX];
};
int coin_offer(struct rules *rules, const struct guest *guest,
	const char *currency, int64_t amount_minor, struct coin_offer *ret_offer);
/* Up to `max` plans that are sold by coin there, the cheapest first; how many. */
int coin_plans(struct rules *rules, const struct guest *guest,
	const char *currency, struct plan *rows, int max);

/*
 * Reserves the slot for the guest; the lock that he has there already is given
 * again, one at another slot is done. What is left of earlier locks is in it.
 * OUTCOME_SLOT_BUSY (`ret_wait_ns` says for how long at most), _CLIENT_BLOCKED,
 * _SESSION_HELD.
 */
int coin_lock(struct rules *rules, const struct guest *guest, const char *slot,
	const char *currency, const struct moment *now,
	struct coin_lock *ret_lock, int64_t *ret_wait_ns,
	enum outcome *ret_outcome);
/* The guest's lock by its key, or the newest one (NULL). _LOCK_UNKNOWN. */
int coin_status(struct rules *rules, const struct guest *guest, const char *key,
	struct coin_lock *ret_lock, enum outcome *ret_outcome);
/* The guest needs the slot no more. _LOCK_UNKNOWN. */
int coin_done(struct rules *rules, const struct guest *guest, const char *key,
	const struct moment *now, struct coin_lock *ret_lock,
	enum outcome *ret_outcome);
/* Is the slot this lock's now? */
bool coin_is_open(const struct coin_lock *lock, const struct moment *now);
/* The lock that the slot is reserved for; -ENOENT: none is open. */
int coin_open_lock(struct rules *rules, const char *slot,
	const struct moment *now, struct coin_lock *ret_lock);

/* What the browser believes; UNLIMITED or "": it does not say. */
struct coin_claim {
	int64_t minutes, amount_minor;
	const char *slot;
};
struct coin_started {
	struct account account;
	struct coin_lock lock;
	struct coin_offer offer; /* what was bought */
	int64_t paid_minor;	 /* now; 0: it was started before */
	char token[TOKEN_TEXT];
};
/*
 * Buys what the lock's money buys. Started before, and what is left buys nothing:
 * says so once more. _LOCK_UNKNOWN, _AMOUNT_DIFFERS and _AMOUNT_SMALL (`lock` and
 * `offer` are written then, too), _CLIENT_BLOCKED, _SESSION_HELD, _CONFLICT.
 */
int coin_start(struct rules *rules, const struct guest *guest, const char *key,
	const struct coin_claim *claim, const struct moment *now,
	struct coin_started *ret_started, enum outcome *ret_outcome);
/* An operator gives what is left in a lock, nobody's or somebody's, to a client,
 * and starts. _LOCK_UNKNOWN: there is nothing in it. */
int coin_claim(struct rules *rules, int64_t id, const struct guest *guest,
	const struct moment *now, struct coin_started *ret_started,
	enum outcome *ret_outcome);

#endif
