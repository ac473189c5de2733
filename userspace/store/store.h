/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: the only way to what is kept on disk. Rows are plain structs by
 * value; no caller sees SQL or a driver. Every call returns 0 or a negative
 * errno: -ENOENT no such row, -EEXIST a unique value is taken, -ENOSPC, -EROFS,
 * -EIO, -EBUSY as the disk says. Outputs are written on success only.
 *
 * Times: wall clock in UTC seconds; `_ns` are CLOCK_MONOTONIC of the boot that
 * the setting "boot_id" names. UNLIMITED: no end, no limit. Ids start at 1; 0
 * is "none".
 *
 * Callbacks of the _each functions may read and write the store; they stop
 * the walk by returning other than 0, which the walk then returns.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stddef.h>

#include "gatehouse/types.h"

struct store;

#define STORE_NAME_MAX 64
#define STORE_NOTE_MAX 200
#define STORE_HASH     32
#define STORE_SEAL_MAX 128
#define STORE_CREDITS_MAX 64 /* of one session that are not used up */

struct store_error {
	char text[256];
};

/*
 * Opens or makes the database, checks it, brings its schema up to date. `path`
 * may be ":memory:" in tests. -EBADMSG: damaged; -EPROTO: made by a newer
 * version; `err` says what to do.
 */
int store_open(const char *path, struct store_error *err, struct store **ret_store);
void store_close(struct store *store);

/* One transaction at a time; savepoints nest inside. */
int store_begin(struct store *store);
int store_commit(struct store *store); /* durable when it returns 0 */
void store_rollback(struct store *store);
int store_savepoint(struct store *store);
int store_release(struct store *store);
int store_rollback_to(struct store *store); /* and releases it */

/* Settings: small texts by name. */
int store_setting_get(struct store *store, const char *key, char *buf, size_t len);
int store_setting_put(struct store *store, const char *key, const char *value);

/* Plans: what is sold or given. */
struct plan {
	int64_t id;
	char name[STORE_NAME_MAX + 1];
	int64_t seconds;
	int64_t bytes; /* up + down; UNLIMITED */
	int64_t up_kbps; /* 0: no limit */
	int64_t down_kbps;
	int64_t price_minor;
	char currency[4];
	int64_t moves; /* how often it may move to another MAC */
	int64_t devices;
	int64_t token_days;
	bool is_active;
};
int store_plan_insert(struct store *store, struct plan *plan, int64_t wall);
int store_plan_by_id(struct store *store, int64_t id, struct plan *ret_plan);
int store_plan_by_name(struct store *store, const char *name, struct plan *ret_plan);
int store_plans_each(struct store *store, int64_t after, int64_t limit,
	int (*fn)(void *data, const struct plan *plan), void *data);

/* Vouchers. The code is found by its HMAC and read back by unsealing. */
enum voucher_state { VOUCHER_UNUSED = 1, VOUCHER_USED, VOUCHER_REVOKED };
struct voucher {
	int64_t id;
	uint8_t hmac[STORE_HASH];
	uint8_t sealed[STORE_SEAL_MAX];
	size_t sealed_len;
	int64_t plan_id;
	char batch[STORE_NAME_MAX + 1];
	enum voucher_state state;
	int64_t expires_at; /* wall; 0: never */
	int64_t session_id;
	int64_t used_at;
	struct mac used_mac;
	int64_t created_at;
	char created_by[STORE_NAME_MAX + 1];
};
int store_voucher_insert(struct store *store, struct voucher *voucher);
int store_voucher_by_hmac(struct store *store,
	const uint8_t hmac[static STORE_HASH], struct voucher *ret_voucher);
/* Writes state, session_id, used_at and used_mac. */
int store_voucher_update(struct store *store, const struct voucher *voucher, int64_t wall);
/* `batch` NULL: all; `state` 0: all. */
int store_vouchers_each(struct store *store, const char *batch,
	enum voucher_state state, int64_t after, int64_t limit,
	int (*fn)(void *data, const struct voucher *voucher), void *data);

/* Devices: what is known of a client beyond its sessions. */
struct device {
	int64_t id;
	struct mac mac;
	char name[STORE_NAME_MAX + 1];
	char note[STORE_NOTE_MAX + 1];
	bool blocked;
	int64_t exempt_until; /* wall; 0: not exempt */
	int64_t created_at;
};
int store_device_get(struct store *store, const struct mac *mac, struct device *ret_device);
/* Inserts or updates by MAC; sets `id`. */
int store_device_put(struct store *store, struct device *device, int64_t wall);
int store_devices_each(struct store *store, int64_t after, int64_t limit,
	int (*fn)(void *data, const struct device *device), void *data);

/* Sessions and their credits. */
enum session_state {
	SESSION_RUNNING = 1,
	SESSION_PAUSED,
	SESSION_HELD,
	SESSION_ENDED,
};
struct session {
	int64_t id;
	struct mac mac;
	enum session_state state;
	bool has_token;
	bool token_handed;
	uint8_t token_hash[STORE_HASH];
	int64_t token_expires_at;
	int64_t started_at;
	int64_t ended_at;
	char end_reason[17]; /* time, bytes, operator, merged, ... */
	int64_t total_paid_minor;
};
int store_session_insert(struct store *store, struct session *session);
int store_session_update(struct store *store, const struct session *session, int64_t wall);
int store_session_by_id(struct store *store, int64_t id, struct session *ret_session);
/* The one that is not ended: a client has at most one. */
int store_session_of(struct store *store, const struct mac *mac, struct session *ret_session);
int store_session_by_token(struct store *store,
	const uint8_t hash[static STORE_HASH], struct session *ret_session);
/* Newest first; `before` 0: from the newest; `state` 0: all. */
int store_sessions_each(struct store *store, enum session_state state,
	int64_t before, int64_t limit,
	int (*fn)(void *data, const struct session *session), void *data);
int store_sessions_count(struct store *store, enum session_state state, int64_t *ret_count);

enum credit_state { CREDIT_WAITING = 1, CREDIT_IN_USE, CREDIT_USED };
struct credit {
	int64_t id;
	int64_t session_id;
	int64_t position; /* order of use */
	enum kind kind;
	enum credit_state state;
	int64_t plan_id; /* 0: none */
	char plan_name[STORE_NAME_MAX + 1];
	int64_t remaining_ns; /* while its clock stands; UNLIMITED */
	int64_t deadline_ns;  /* while its clock runs; 0: it stands */
	int64_t bytes_left;   /* as counted so far; UNLIMITED */
	int64_t bytes_up;     /* used, as counted so far */
	int64_t bytes_down;
	int64_t up_kbps;
	int64_t down_kbps;
	int64_t moves_left;
};
int store_credit_insert(struct store *store, struct credit *credit);
int store_credit_update(struct store *store, const struct credit *credit, int64_t wall);
/* Those that are not used up, in order; at most STORE_CREDITS_MAX. */
int store_credits_of(struct store *store, int64_t session_id,
	struct credit ret_credits[static STORE_CREDITS_MAX], int *ret_count);
/* Bytes of all credits of a session, used up ones too. */
int store_session_bytes(struct store *store, int64_t session_id,
	int64_t *ret_up, int64_t *ret_down);
/* The earliest deadline of a running clock; UNLIMITED: none runs. */
int store_next_deadline(struct store *store, int64_t *ret_deadline_ns);
/* Sessions whose credit in use is past its deadline or without bytes. */
int store_sessions_due(struct store *store, int64_t mono_ns,
	int (*fn)(void *data, const struct session *session), void *data);
/* Adds `shift_ns` to every deadline: after a reboot the clock began anew. */
int store_deadlines_shift(struct store *store, int64_t shift_ns);

/*
 * Records: one row per record in the kernel, gone with it. The id is in the
 * record (policy.record_id) and is never used again, so what was counted of
 * which record is known after any crash.
 */
struct record {
	int64_t id;
	struct mac mac;
	int64_t session_id; /* whom its bytes are counted to; 0: nobody */
	int64_t raw_up;     /* kernel's counters, as far as counted */
	int64_t raw_down;
};
int store_record_insert(struct store *store, struct record *record);
int store_record_of(struct store *store, const struct mac *mac, struct record *ret_record);
int store_record_by_id(struct store *store, int64_t id, struct record *ret_record);
int store_record_update(struct store *store, const struct record *record);
int store_record_delete(struct store *store, int64_t id);
int store_records_clear(struct store *store);
/*
 * Counts a record up to these raw counters: adds the difference to the credit
 * in use of its session and remembers them. Doing it again adds nothing.
 */
int store_record_count(struct store *store, int64_t id, int64_t raw_up, int64_t raw_down);

/*
 * Everything that decides what a client may have, one row per client with a
 * live session, a block or an exemption, in order of MAC. `mac` NULL: all.
 */
struct wanted {
	struct mac mac;
	bool blocked;
	int64_t exempt_until;
	int64_t session_id; /* 0: no live session; then the rest is zero */
	enum session_state session_state;
	int64_t deadline_ns; /* of the credit in use */
	int64_t bytes_left;
	int64_t up_kbps;
	int64_t down_kbps;
	struct record record; /* id 0: there is none yet */
};
int store_wanted_each(struct store *store, const struct mac *mac,
	int (*fn)(void *data, const struct wanted *wanted), void *data);

/* Audit trail: who did what; `mac` and `session_id` may be NULL and 0. */
int store_audit(struct store *store, int64_t wall, const char *who,
	const char *operation, const struct mac *mac, int64_t session_id,
	const char *detail);

/* Deletes audit rows and used up vouchers' leftovers older than the limits. */
int store_clean_up(struct store *store, int64_t wall);

#endif
