/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spent.log (I6): a file beside the database with a line for each voucher that
 * was redeemed or revoked, each coin, payment and refund, on disk with the
 * commit of the turn that did it. It only ever has what happened: triggers put
 * the lines into a table in the same transaction, and they are copied behind
 * its commit; what a crash keeps from it follows at the next start. A database
 * that is older than the log, because it is a backup, is brought up to date
 * from it, so that nothing spent becomes unspent.
 *
 * A line: number, first 8 hex digits of the SHA-256 of "number object", object:
 *
 *   17 4f1c22a0 {"type":"redeem","at":1763740000,"voucher":"<HMAC>",...}
 *
 * Full files are spent.log.<number of their last line>, with leading zeros.
 */
#ifndef STORE_SPENT_H
#define STORE_SPENT_H

#include "store/store.h"

#define SPENT_FULL_BYTES (4 * 1024 * 1024)

/* From now on commits of `store` write to this file, which is made if need be.
 * A line that a crash left half written goes; those that are missing come. */
int store_spent_open(struct store *store, const char *path);
/* Why the lines of the last commit are not in the file; 0: they are. They are
 * tried again with the next one. */
int store_spent_error(const struct store *store);
/* How many commits had lines since the start, how many lines, and the most of
 * one: what a group shares one sync for. */
struct spent_groups {
	int64_t commits, lines, largest;
};
struct spent_groups store_spent_groups(const struct store *store);
/* Has the file lines that the database does not know? */
int store_spent_is_ahead(struct store *store, bool *ret_is_ahead);
/* The number of the newest line that the database knows. */
int store_spent_known(struct store *store, int64_t *ret_seq);
/* UTC seconds of the newest line in the file; 0: none. */
int64_t store_spent_last_at(const struct store *store);

/* A voucher that the database had as unused; or a plan that was bought by coin. */
struct spent_voucher {
	int64_t id, plan_id;
	int64_t times; /* by coin: how often; 0: a voucher */
	struct mac mac;
	int64_t at; /* UTC seconds */
};
struct spent_replayed {
	int lines, vouchers, payments;
	int damaged; /* lines that cannot be read */
	int64_t missing; /* numbers that no line had: damaged, or removed by age */
};
/*
 * Inside a transaction: applies the lines that the database does not know, in
 * their order. `redeemed` (NULL: nobody wants it) gives what the voucher is
 * worth; its session's id, or 0, is kept with the voucher. Doing it again adds
 * nothing.
 */
int store_spent_replay(struct store *store,
	int (*redeemed)(void *data, const struct spent_voucher *voucher,
		int64_t *ret_session_id),
	void *data, struct spent_replayed *ret_replayed);

/* Begins a new file when this one is full, and removes full ones without a line
 * above `needed`, which is what the oldest backup knows, if they were ended
 * before `before` (UTC seconds): there may be backups elsewhere. */
int store_spent_rotate(struct store *store, int64_t needed, int64_t before);

/* Lines that name this device do not any more; what they tell stays. */
/* The next file behind `*after`, which is 0 at first: 1 while there are more. */
int store_spent_forget(
	struct store *store, const struct mac *mac, int64_t *after);

#endif
