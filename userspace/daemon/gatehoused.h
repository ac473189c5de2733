/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's one context, and its life. Every part gets this struct; which
 * part owns which member is said beside it.
 *
 * Work happens in turns of the loop. A turn's changes to the store are one
 * transaction; it is committed before the loop sleeps, then the kernel's
 * records follow, then the replies go out. So an answer is never sent for
 * something that a crash could undo, and many requests cost one sync.
 */
#ifndef DAEMON_GATEHOUSED_H
#define DAEMON_GATEHOUSED_H

#include "base/config.h"
#include "base/loop.h"
#include "daemon/attach.h"
#include "daemon/ctl_server.h"
#include "daemon/proof.h"
#include "daemon/throttle.h"
#include "datapath/clients.h"
#include "datapath/events.h"
#include "datapath/explain.h"
#include "rules/rules.h"
#include "rules/wall.h"
#include "store/store.h"

struct access_log;
struct address_log;
struct alarms;
struct coins;
struct counters;
struct backup_job;
struct jobs;
struct login_throttle;
struct second_steps;
struct moves;
struct neighbours;
struct passwords;
struct session_events;
struct sliced;
struct statistics;
struct sweep;
struct sync;
struct uplink;

struct gatehoused {
	const char *config_path;
	struct config config;
	struct role_table roles;
	struct proof_box proof_box;
	struct neighbours *neighbours; /* witness.c's */
	struct loop *loop;
	int lock; /* of the state directory */
	struct store *store;
	struct rules rules;
	struct datapath *dp; /* NULL once the gate is unloaded */
	struct attach *attach;
	struct events *events;
	struct loop_fd events_watch;
	struct loop_timer events_rest; /* after a full batch */
	struct explain *explain; /* NULL until it is asked; ops_explain.c's */
	struct alarms *alarms;
	struct coins *coins;
	struct moves *moves;
	struct session_events *session_events;
	struct sync *sync;
	struct sweep *sweep; /* under way; accounting.c's */
	struct ctl_server *ctl;
	struct throttle *throttle;
	struct uplink *uplink; /* NULL before the first look */
	struct passwords *passwords;
	struct login_throttle *login_throttle;
	struct second_steps *second_steps;
	struct counters *qr_tries; /* wrong ones; ops_qr_login.c's */
	struct access_log *access_log;
	uint8_t password_key[CRYPTO_KEY]; /* from the key file */
	struct jobs *jobs;
	struct backup_job *backup; /* under way; backup_job.c's */
	struct address_log *address_log; /* NULL before the first look */
	struct statistics *statistics; /* under way */
	struct sliced *sliced; /* operations under way; sliced.c's */
	int64_t cleaned; /* rows so far; keeping.c's */
	struct loop_timer clean_up; /* while there is more; keeping.c's */
	struct loop_idle turn_end;
	struct loop_timer watchdog;
	bool in_transaction; /* of this turn; see turn_begin() */
	int64_t *groups_touched; /* in this turn; group_records.c's */
	size_t groups_touched_count, groups_touched_size;
	int store_error;     /* 0: it works; from here on store_health.c's */
	int64_t store_failing_sec; /* wall clock, since when */
	int64_t store_failed_ns;   /* the last time */
	bool spent_failing;  /* spent.log lacks lines; the same */
	bool rebooted;	     /* since the store was used last */
	bool ending;	     /* at the turn's end; nothing is asked any more */
	struct wall wall; /* what the date is; wall_clock.c's */
	int64_t started_ns;
	/* For `status`. */
	int64_t sweep_ns;     /* what the last one took, all slices together */
	int64_t sweep_longest_ns; /* the longest of them */
	int64_t reconcile_ns; /* the same */
	int64_t repaired_sec; /* wall clock of the last repair, 0: never */
};

/* From the configuration to a daemon that answers; on failure everything is
 * undone, the cause logged, and the gate is as it was. */
int gatehoused_start(struct gatehoused *g);
/* Until loop_quit(). */
void gatehoused_run(struct gatehoused *g);
/* Ends the daemon and leaves the gate working. */
void gatehoused_stop(struct gatehoused *g);
/* Reads the configuration again. Faults change nothing. */
void gatehoused_reload(struct gatehoused *g);
/* Takes the gate down: `open` lets everybody through, otherwise nobody. The
 * daemon ends with this turn, also after an error; that is logged, and 0 or
 * the errno of the first one. */
int gatehoused_unload(struct gatehoused *g, bool open);
/* Opens this turn's transaction unless it is open. -ECANCELED: an error has
 * undone it, and nothing more can be stored in this turn. */
int turn_begin(struct gatehoused *g);
/* Commits, edits the kernel's records, sends the replies. The loop calls it;
 * long work may call it in between. Returns the commit's errno. */
int turn_commit(struct gatehoused *g);
/* `fn` in a transaction of its own, committed at once: what else the turn has
 * done is committed first, and of a failure nothing remains. Not for operations:
 * they have a savepoint in the turn's. */
int turn_alone(struct gatehoused *g,
	int (*fn)(struct gatehoused *g, void *data), void *data);

#endif
