/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: all that gatehouse remembers. Rows are plain structs by value;
 * no caller sees SQL or a driver. It decides nothing: rules/ do.
 *
 * Every function that writes must run inside store_begin()/store_commit().
 * Errors: those of store/db.h; lookups that find nothing are -ENOENT.
 * UNLIMITED stands for "no limit" and "no end" (NULL in the tables).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stddef.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "gatehouse/types.h"

#define STORE_NAME 65   /* bytes of a plan's or device's name, with NUL */
#define STORE_NOTE 201
#define STORE_SEALED 128 /* a sealed voucher code */
#define STORE_NETWORK 32

struct store;

/* Opens or makes the database, brings its schema up to date, checks it.
 * -EBADMSG: damaged; -EPROTO: made by a newer gatehouse. */
int store_open(const char *path, struct store **ret_store);
void store_close(struct store *store);

/* Has anything that was read or written turned out to be damaged? */
bool store_is_damaged(const struct store *store);

int store_begin(struct store *store);
/* False also when an error has undone the transaction; then nothing can be
 * written until it is rolled back and another one begun (-ECANCELED). */
bool store_is_begun(const struct store *store);
/* The errno of what was last refused in this transaction, or at its beginning:
 * why it was undone; 0: nothing. */
int store_failure(const struct store *store);
/* Did the transaction, or the last one that was committed, write anything? */
bool store_is_written(const struct store *store);
int store_commit(struct store *store);
/* The same without the lines of spent.log, which spent_log_flush() adds. Between
 * them nobody may be told what was done; a crash there loses no line. */
int store_commit_rows(struct store *store);
void spent_log_flush(struct store *store);
/* Also fine when nothing is open. */
void store_rollback(struct store *store);
/* One level inside a transaction. */
int store_savepoint(struct store *store);
int store_release(struct store *store);
int store_rollback_to(struct store *store);

/* Settings: small texts of the daemon itself. */
int store_setting_get(struct store *store, const char *key, char *buf, size_t len);
/* Also fine when there is none. */
int store_setting_remove(struct store *store, const char *key);
int store_setting_put(struct store *store, const char *key, const char *value);

/*
 * The boot that deadlines belong to. store_boot_enter() at start: after a
 * reboot every running deadline moves from the old boot's clock to the new
 * one, so that what was left then is left now, and the records of the old
 * kernel are forgotten. `ret_rebooted` says whether it did.
 */
int store_boot_enter(struct store *store, const char *boot_id, int64_t mono_ns,
	bool *ret_rebooted);
/*
 * In a restored copy: clocks that run have run for `ns` more, and records and
 * sessions made from now on have numbers above these, which others had.
 */
int store_take_time(struct store *store, int64_t ns);
/* The highest number that a record ever had here. */
int store_record_newest(struct store *store, int64_t *ret_id);
int store_numbers_above(struct store *store, int64_t record_id, int64_t session_id);
/* How far this boot's clock has come; a reboot gives back what is later. */
int store_boot_touch(struct store *store, int64_t mono_ns);

/* kbit/s; 0: no limit. With a slow one, the end of the bytes is not the end:
 * it goes on at the slow ones (fair use). */
struct rates {
	int64_t up, down;
	int64_t slow_up, slow_down;
};
static inline bool rates_have_slow(const struct rates *rates)
{
	return rates->slow_up || rates->slow_down;
}

/* Names of networks with a space between; "": all of them. */
#define STORE_NETWORKS 256
#define STORE_HOURS    96 /* "08:00-12:00 14:00-22:00"; see rules/hours.h */

enum counts { COUNTS_BOTH, COUNTS_UP, COUNTS_DOWN };
/* "both", "up", "down". */
const char *counts_name(enum counts counts);
int counts_parse(const char *name, enum counts *ret_counts);
/* The bytes that count. */
static inline int64_t counted(enum counts counts, int64_t up, int64_t down)
{
	return (counts == COUNTS_DOWN ? 0 : up) + (counts == COUNTS_UP ? 0 : down);
}

/* Of a plan, and of the credits that came of it. */
struct terms {
	enum counts counts;	 /* which bytes `bytes` limits */
	char hours[STORE_HOURS]; /* of the day; "": all of them */
	int64_t idle_sec;	 /* a silence that stops the clock; 0: none does */
	int64_t valid_days;	 /* from its start on; 0: for ever */
};

struct plan {
	int64_t id;
	char name[STORE_NAME];
	int64_t seconds, bytes;
	struct rates rates;
	int64_t price_minor;
	char currency[4];
	int64_t moves;
	int64_t token_days; /* UNLIMITED: the configuration's */
	bool is_active; /* on sale */
	char networks[STORE_NETWORKS]; /* where it is worth something */
	int64_t devices; /* of one voucher, at once */
	bool coin; /* sold by coin, for its price */
	struct terms terms;
};
/* -EEXIST: the name is taken. */
int store_plan_insert(struct store *store, const struct plan *plan, int64_t *ret_id);
/* Everything but the name, for who gets it from now on. */
int store_plan_update(struct store *store, const struct plan *plan);
/* A credit of the plan, with what shares it; the client is NULL once its session
 * has ended, and new with the first of its credits. */
typedef int plan_apply_fn(
	void *data, const struct mac *mac, bool is_new, int64_t group_id);
/* Rates, networks, hours and idle time of a plan for the credits of it that are
 * not used up, and rates for what devices share of it: for `max` credits behind
 * `*after`, which is 0 at first. 1 while there are more, 0 after the last. */
int store_plan_apply(struct store *store, const struct plan *plan,
	int64_t *after, int max, plan_apply_fn *fn, void *data);
int store_plan_lookup(struct store *store, int64_t id, struct plan *ret_plan);
/* One on sale, whatever its capitals, but the same ones first. */
int store_plan_by_name(struct store *store, const char *name, struct plan *ret_plan);
/* Takes it off sale and frees its name; what names it by its id finds it. */
int store_plan_remove(struct store *store, int64_t id);
/* Up to `max` plans with id > after, by id; returns how many. `all`: also those
 * that were removed. */
int store_plan_list(struct store *store, bool all, int64_t after,
	struct plan *rows, int max);

enum voucher_state { VOUCHER_UNUSED, VOUCHER_USED, VOUCHER_REVOKED };

struct voucher {
	int64_t id;
	uint8_t hmac[CRYPTO_HASH];
	uint8_t sealed[STORE_SEALED];
	size_t sealed_len;
	int64_t plan_id;
	char plan_name[STORE_NAME]; /* read only */
	char batch[40];
	enum voucher_state state;
	int64_t expires_at;
	int64_t session_id; /* 0: none */
	int64_t used_at;
	struct mac used_mac;
	char created_by[40];
	int64_t created_at; /* read only, as what follows */
	int64_t payment_id; /* it was sold; 0: nobody wrote that down */
	int64_t paid_at, paid_minor;
	char paid_to[40];
	bool is_refunded;
};
const char *voucher_state_name(enum voucher_state state);
int voucher_state_parse(const char *name, enum voucher_state *ret_state);
int store_voucher_insert(struct store *store, const struct voucher *voucher);
int store_voucher_by_hmac(struct store *store,
	const uint8_t hmac[static CRYPTO_HASH], struct voucher *ret_voucher);
int store_voucher_use(struct store *store, int64_t id, int64_t session_id,
	const struct mac *mac, int64_t now_sec);
int store_voucher_revoke(struct store *store, int64_t id);
/* All unused ones of a batch; `ret_count` of them. */
int store_voucher_revoke_batch(
	struct store *store, const char *batch, int64_t *ret_count);
/* `state` -1 and `batch` NULL: any. */
int store_voucher_list(struct store *store, int state, const char *batch,
	int64_t after, struct voucher *rows, int max);

/* A device that needs no session on one network (rules/device.h). */
struct exemption {
	char network[32]; /* its name */
	int64_t until;	  /* UTC seconds, 0: none */
	int64_t deadline_ns; /* the same on this boot's clock; 0: it is over */
};

/* Vouchers that were made together; the store makes and counts them. */
struct batch {
	int64_t id;
	char name[40];
	int64_t plan_id; /* of the first one, as the next */
	char plan_name[STORE_NAME];
	char created_by[40];
	int64_t created_at;
	int64_t expires_at; /* UNLIMITED */
	int64_t unused, used, revoked; /* how many */
	int64_t sold, sold_minor; /* and were not given back */
};
/* Up to `max` with id < before (UNLIMITED: the newest), by id. */
int store_batch_list(
	struct store *store, int64_t before, struct batch *rows, int max);
/* -ENOENT: no voucher has that name of a batch. */
int store_batch_lookup(
	struct store *store, const char *name, struct batch *ret_batch);

struct device {
	int64_t id; /* 0: not in the store */
	struct mac mac;
	char name[STORE_NAME];
	char note[STORE_NOTE];
	bool blocked;
	struct rates rates; /* its own, beside a plan's; no slow ones */
	struct exemption exemption;
	int64_t first_seen, last_seen;
	int64_t group_id; /* 0: none */
};
int store_device_lookup(struct store *store, const struct mac *mac, struct device *ret_device);
/* One without a row is not. */
int store_device_is_blocked(struct store *store, const struct mac *mac, bool *ret_blocked);
/* Inserts when id is 0, which is then set. */
int store_device_put(struct store *store, struct device *device);
/* The one with this number. */
int store_device_by_id(struct store *store, int64_t id, struct device *ret_device);
/* Those whose exemption has a date, over or not. */
int store_device_exempt(struct store *store, int64_t after, struct device *rows, int max);
int store_device_list(struct store *store, int64_t after, struct device *rows, int max);
/* Of the newest STORE_SEARCH those with `text` in MAC, name or note, whatever its
 * capitals; the newest first. */
#define STORE_SEARCH 100000
int store_device_search(struct store *store, const char *text, struct device *rows, int max);

#define GROUP_DEVICES_MAX 64
#define STORE_GROUPS_MAX  8192
/* So begins the name of a voucher's group, of one that came of another credit,
 * of a member's, and of no other. */
#define STORE_GROUP_OF_VOUCHER "voucher "
#define STORE_GROUP_OF_CREDIT "shared "
#define STORE_GROUP_OF_MEMBER "member "

/*
 * Devices that share bytes and rates, on top of their sessions' own: an
 * operator's group, of devices; or that of a voucher, of the credits that came
 * of it, which goes when the last of them is used up.
 */
struct group {
	int64_t id;
	char name[STORE_NAME];
	int64_t voucher_id; /* 0: an operator's, or of another credit */
	int64_t devices_max; /* that may share the credit; UNLIMITED: an operator's */
	int64_t bytes; /* UNLIMITED */
	enum counts counts; /* which; of an operator's, both */
	struct rates rates;
	int64_t bytes_up, bytes_down; /* used */
	int64_t raw_up, raw_down; /* the kernel's counters, as counted in them */
	int64_t used_up_at; /* when they were found used up; 0: there are some */
	int64_t devices; /* how many; read only */
};
/* Of credits, not of devices. */
static inline bool group_is_of_credits(const struct group *group)
{
	return group->voucher_id || group->devices_max != UNLIMITED;
}
/* Sets the id. -EEXIST: the name is taken, whatever its capitals. */
int store_group_insert(struct store *store, struct group *group);
/* All but the name. */
int store_group_update(struct store *store, const struct group *group);
int store_group_lookup(struct store *store, int64_t id, struct group *ret_group);
int store_group_by_name(struct store *store, const char *name, struct group *ret_group);
/* -ENOENT: it is none, or not any more, that several may use. */
int store_group_of_voucher(struct store *store, int64_t voucher_id, struct group *ret_group);
/* Its devices are in none then. */
int store_group_delete(struct store *store, int64_t id);
/* Up to `max` with id > after, by id; returns how many. */
int store_group_list(struct store *store, int64_t after, struct group *rows, int max);
/* How many devices may share its credits from now on. */
int store_group_room(struct store *store, int64_t id, int64_t devices_max);
int store_group_count(struct store *store, int64_t *ret_count);
/* Up to `max` of its devices; returns how many. */
int store_group_devices(struct store *store, int64_t id, struct mac *rows, int max);

enum session_state {
	SESSION_RUNNING,
	SESSION_PAUSED, /* its clock was stopped on purpose */
	SESSION_HELD,	/* under suspicion, until its token is shown; also: unreadable */
	SESSION_ENDED,
};

struct session {
	int64_t id;
	struct mac mac;
	enum session_state state;
	bool token_handed; /* somebody got one already */
	int64_t started_at;
	int64_t ended_at; /* 0: not yet */
	char end_reason[24];
	int64_t total_paid_minor;
	char held_for[32]; /* type of a security event, or SESSION_HELD_BY_HAND */
	int64_t held_at;   /* 0: it is not */
	/* One that is held may have been paused before, and is again after. */
	int64_t paused_at; /* 0: it is not */
	char paused_by[16]; /* "user", "operator" */
};
#define SESSION_HELD_BY_HAND "operator"
const char *session_state_name(enum session_state state);
int session_state_parse(const char *name, enum session_state *ret_state);
int store_session_insert(struct store *store, struct session *session);
int store_session_update(struct store *store, const struct session *session);
int store_session_lookup(struct store *store, int64_t id, struct session *ret_session);
/* The one that is not ended. */
int store_session_of(struct store *store, const struct mac *mac, struct session *ret_session);
/* The newest one that is. */
int store_session_last(struct store *store, const struct mac *mac, struct session *ret_session);
/* Newest first, ids below `before` (UNLIMITED: from the newest). */
int store_session_list(struct store *store, int state, int64_t before,
	struct session *rows, int max);
int store_session_count(struct store *store, int64_t *ret_live);

struct token {
	uint8_t hash[CRYPTO_HASH];
	int64_t session_id;
	int64_t expires_at;
};
int store_token_insert(struct store *store, const struct token *token);
int store_token_lookup(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct token *ret_token);
/* Writes expires_at. */
int store_token_renew(struct store *store, const struct token *token);
/* Tokens of one session lead to another from now on. */
int store_token_rebind(struct store *store, int64_t from_id, int64_t to_id);
/* All but the `keep` newest of a session are forgotten. */
int store_token_trim(struct store *store, int64_t session_id, int keep);

enum credit_state { CREDIT_WAITING, CREDIT_IN_USE, CREDIT_USED };

struct credit {
	int64_t id;
	int64_t session_id;
	int position;
	enum kind kind;
	int64_t plan_id; /* 0: none */
	char plan_name[STORE_NAME];
	enum credit_state state;
	int64_t left_ns;     /* while its clock stands; UNLIMITED: no end */
	int64_t full_ns;     /* given in all; UNLIMITED: no end, or not known */
	int64_t deadline_ns; /* in use, session running; UNLIMITED: no end */
	int64_t bytes;
	int64_t bytes_up, bytes_down; /* used; only store_record_fold() adds */
	struct rates rates;
	int64_t moves_left;
	int64_t token_days;
	char networks[STORE_NETWORKS]; /* its plan's */
	int64_t group_id; /* that shares it; 0: none */
	struct terms terms; /* its plan's */
	/* rules/clock.h */
	int64_t valid_until; /* UTC seconds; 0: no end, or not begun */
	int64_t turn_ns; /* the wall clock changes something; 0: never */
	bool is_resting; /* in use, but outside of its hours */
	bool is_idle;	 /* in use, but silent: deadline_ns is of heard_ns */
	int64_t heard_ns; /* its clock is right by then */
	int64_t shared_by; /* session whose guest added this device; 0: none */
	int64_t member_id; /* whose it is; 0: nobody's */
};
/* Bytes of `bytes` that are used. */
static inline int64_t credit_counted(const struct credit *credit)
{
	return counted(credit->terms.counts, credit->bytes_up, credit->bytes_down);
}
/* Sets the id. */
int store_credit_insert(struct store *store, struct credit *credit);
/* All but the bytes used. */
int store_credit_update(struct store *store, const struct credit *credit);
/* Those that are not used up, by position; how many, -E2BIG above `max`. */
int store_credit_list(struct store *store, int64_t session_id, struct credit *rows, int max);
/* Bytes that the used up ones counted. */
int store_credit_used(struct store *store, int64_t session_id, int64_t *ret_up, int64_t *ret_down);
/* From now on a group shares it. */
int store_credit_share(struct store *store, int64_t id, int64_t group_id);
/* Devices that this session's guest has put beside it: those of which a share
 * is not used up. */
int store_credit_shared_by(
	struct store *store, int64_t session_id, struct mac *rows, int max);
/* Those of a group that are not used up, of all sessions. */
int store_credit_shared(struct store *store, int64_t group_id, struct credit *rows, int max);
int store_credit_lookup(struct store *store, int64_t id, struct credit *ret_credit);
/* The last one, used up or not. */
int store_credit_last(struct store *store, int64_t session_id, struct credit *ret_credit);
/* MACs whose credit in use ends or turns until `until_ns`, the earliest first;
 * one may be there twice. */
int store_credit_due(struct store *store, int64_t until_ns, struct mac *rows, int max);
/* MACs whose credit in use goes by the wall clock as well, by their sessions'
 * ids behind `*after`, which is written. */
int store_credit_dated(struct store *store, int64_t *after, struct mac *rows, int max);
/* Earliest deadline or turn of all, also of exemptions; UNLIMITED: none. */
int store_credit_next(struct store *store, int64_t *ret_deadline_ns);

struct record {
	int64_t id;
	struct mac mac;
	int64_t session_id, credit_id; /* 0: none */
	int64_t raw_up, raw_down;
};
int store_record_insert(struct store *store, struct record *record);
/* Names another session and credit for what is counted from now on. */
int store_record_bind(struct store *store, int64_t id, int64_t session_id, int64_t credit_id);
/* Counters of the kernel as they are now: what is new since the last time is
 * added to the record's credit. Calling it twice adds nothing. */
int store_record_fold(struct store *store, int64_t id, int64_t raw_up, int64_t raw_down);
/* One that the kernel has and the store does not know: under its own id, whatever
 * row the client or that id had. */
int store_record_adopt(struct store *store, const struct record *record);
int store_record_delete(struct store *store, int64_t id);
/* The client that has the record's credit now, when that is another one. */
int store_record_heir(struct store *store, int64_t id, struct mac *ret_mac);
int store_record_of(struct store *store, const struct mac *mac, struct record *ret_record);
int store_record_each(struct store *store,
	int (*fn)(void *data, const struct record *record), void *data);

/* What decides a client's grant: its session with the credit in use, if it
 * has one (session.id 0: none), and its device row. */
struct holder {
	struct mac mac;
	struct session session;
	struct credit credit;
	bool blocked;
	struct rates rates; /* the device's */
	struct exemption exemption;
	int64_t group_id; /* 0: none */
	struct record record; /* id 0: none */
};
/* Every client that may have a grant: live sessions and special devices. */
int store_holder_each(struct store *store,
	int (*fn)(void *data, const struct holder *holder), void *data);
/* The same in parts of `max` at most, which may be far apart in time: sessions,
 * then devices, each by MAC. `*at` is all zero at first; one that comes behind
 * it is missed. */
struct holder_place {
	bool in_devices;
	struct mac mac; /* of the last one */
	bool is_end;
};
int store_holder_some(struct store *store, struct holder_place *at, int max,
	int (*fn)(void *data, const struct holder *holder), void *data);
/* -ENOENT: nothing gives this client a grant. */
int store_holder_lookup(
	struct store *store, const struct mac *mac, struct holder *ret_holder);

/* `session_id` 0: the one that the client has now, if it has one. */
int store_audit(struct store *store, int64_t at, const char *who,
	const char *operation, const struct mac *mac, int64_t session_id,
	const char *detail);

struct audit {
	int64_t at;
	char who[40];
	char operation[32];
	struct mac mac; /* all zero: nobody's */
	char detail[201];
};
/* Of a session, the first first; up to `max`. */
int store_audit_list(struct store *store, int64_t session_id,
	struct audit *rows, int max);

enum severity {
	SEVERITY_INFO,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};
const char *severity_name(enum severity severity);
int severity_parse(const char *name, enum severity *ret_severity);

struct security_event {
	int64_t id;
	int64_t at, last_at; /* the first and the last time */
	int64_t count;
	char type[32];
	enum severity severity;
	char network[32];
	struct mac mac; /* all zero: nobody's */
	int64_t session_id; /* 0: none */
	char description[201];
	char evidence[301]; /* a JSON object */
};
/* Sets the id. */
int store_security_event_insert(struct store *store, struct security_event *event);
/* How often by now. -ENOENT: the row is gone. */
int store_security_event_count(
	struct store *store, int64_t id, int64_t count, int64_t last_at);
/* NULL: any. */
struct security_event_filter {
	const struct mac *mac;
	const char *type;
	const char *severity;
};
/* Newest first, ids below `before` (UNLIMITED: from the newest). */
int store_security_event_list(struct store *store,
	const struct security_event_filter *filter, int64_t before,
	struct security_event *rows, int max);
/* How often an event of the type was counted since. */
int store_security_event_sum(
	struct store *store, const char *type, int64_t since, int64_t *ret_sum);

struct free_use {
	struct mac mac;
	int64_t day; /* local, 20261121 */
	char network[32]; /* its name */
	bool is_random; /* the address is made up */
	int64_t at; /* UTC seconds */
};
/* -EEXIST: that device had it on that day. Those of two days ago go. */
int store_free_use_insert(struct store *store, const struct free_use *use);
int store_free_use_count(struct store *store, const struct mac *mac,
	int64_t day, int64_t *ret_count);
/* Of made-up addresses on that network. */
int store_free_random_count(struct store *store, const char *network,
	int64_t since, int64_t *ret_count);

/* The date was wrong by so many seconds: what was to last some days from a
 * moment on (tokens, the days of a credit) still does. */
int store_clock_step(struct store *store, int64_t seconds);

#endif
