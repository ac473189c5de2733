/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the kernel's client records equal to the store (G2): session change ->
 * grant -> record. Whoever changes what a client may have touches its MAC; the
 * turn's end does the rest, for one client as for all of them.
 */
#ifndef DAEMON_SYNC_H
#define DAEMON_SYNC_H

#include "daemon/gatehoused.h"
#include "daemon/record_cache.h"

/* Knows nothing before sync_start(). */
struct sync *sync_new(struct gatehoused *g);
/* The kernel's records stay as they are. NULL is fine. */
void sync_free(struct sync *sync);

/*
 * At start: counts what adopted records counted meanwhile, forgets records
 * that are gone, settles sessions, and makes the kernel's table equal to the
 * store by difference. Logs how many; an error is the caller's to log.
 */
int sync_start(struct sync *sync);

/* The kernel's quota, which is absolute: so many bytes more than the record had
 * counted when they were; UNLIMITED. */
uint64_t sync_quota(
	enum counts counts, int64_t raw_up, int64_t raw_down, int64_t left);
/* Networks may have other numbers: so do the records of those who may run on
 * some of them only. */
void sync_renumber(struct sync *sync);
/* This client's grant may have changed in this turn. */
void sync_touch(struct sync *sync, const struct mac *mac);
/* Rules' hook (rules.fold): counts the client's record into the store and
 * touches it. `ret_exhausted` is written when there is a record: its quota has
 * refused a packet. */
int sync_fold(void *sync, const struct mac *mac, bool *ret_exhausted);
/* The other one (rules.seen). */
int64_t sync_seen(void *sync, const struct mac *mac);
/* Is there room for a record of this client? */
bool sync_has_room(struct sync *sync, const struct mac *mac);
/* The same for one that takes over what another has: that one's record goes a
 * moment later, and the table has some room more than clients_max for it. */
bool sync_has_room_to_move(struct sync *sync, const struct mac *mac);

/* How full the kernel's table of clients is. */
enum sync_room {
	SYNC_ROOM_OK,
	SYNC_ROOM_LOW,	/* 80 % of clients_max and more */
	SYNC_ROOM_FULL, /* new logins are refused */
};
enum sync_room sync_room(const struct sync *sync);
/* "ok", "low", "full". */
const char *sync_room_name(enum sync_room room);

/* The turn's end. Before the commit: what each touched client shall have, in
 * the store. */
int sync_prepare(struct sync *sync);
/* After the commit: the kernel's records follow. Failures are logged, and the
 * next sweep repairs them. */
void sync_apply(struct sync *sync);
/* Instead of both, when the turn is undone: forgets what was touched. */
void sync_revoke(struct sync *sync);

/* For the sweep; owned by `sync`. */
struct record_cache *sync_cache(struct sync *sync);
/* The kernel's record of this client is not what it should be, because of
 * `why`: put right at the turn's end; in the log and the audit at once. */
void sync_repair_client(
	struct sync *sync, const struct mac *mac, const char *why);
/* Removes records that no grant wants; in the log and the audit as well. */
int sync_remove_unknown(struct sync *sync, struct client *rows, size_t n);

/* One difference between the store and the kernel. */
struct sync_difference {
	const char *group; /* whose record it is; NULL: that of `mac` */
	struct mac mac;
	const char *field;
	char expected[24], found[24];
};
/*
 * Compares every record with the store, field by field, in slices with turns of
 * the loop between them; `repair` puts right what differs. `fn` hears of each
 * difference, `done` once at the end: 0 or why it failed (-ECANCELED: the daemon
 * ends), and how many records the store wants. Neither is called before this
 * returns. -EBUSY: too many are under way.
 */
struct sync_verification {
	bool repair;
	void (*fn)(void *data, const struct sync_difference *difference);
	void (*done)(void *data, int result, size_t checked);
	void *data;
};
int sync_verify(struct sync *sync, const struct sync_verification *wanted);

/* Jobs: touches whoever's credit ends or turns now; those whose credit goes by
 * the wall clock, which may have been set; sync_verify() with repair. */
int sync_expire(struct gatehoused *g);
int sync_date(struct gatehoused *g);
int sync_repair(struct gatehoused *g);

#endif
