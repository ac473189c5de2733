/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the box keeps for itself: when its jobs ran, who had which address, sums
 * of what was sold and used; and how long all of it is kept.
 */
#ifndef STORE_KEEPING_H
#define STORE_KEEPING_H

#include "store/store.h"

/* What is kept for some time only (N14); store/retention.c says what is of
 * which kind. */
enum retention {
	RETENTION_SALES, /* sessions and payments */
	RETENTION_AUDIT,
	RETENTION_TOKENS, /* behind their end */
	RETENTION_EVENTS,
	RETENTION_ADDRESS_LOG,
	RETENTION_ACCESS_LOG,
	RETENTION_ADDRESSES, /* IP addresses in other places */
	RETENTION_CONTACTS,  /* telephone numbers: masked */
	RETENTION_MEMBERS,   /* behind their check-out */
	RETENTION_LOGINS,    /* by the QR code, that ended */
	RETENTION_COUNT
};
/* What is older than these times (UTC seconds; 0: nothing) goes, some hundred
 * rows at once. Returns how many, errno; 0: there is no more. */
int store_clean_up(
	struct store *store, const int64_t before[static RETENTION_COUNT]);

struct job_run {
	int64_t last_run_at; /* UTC seconds */
	int64_t took_ns;
	int result; /* 0 or negative errno */
};
int store_job_lookup(struct store *store, const char *name, struct job_run *ret_run);
int store_job_put(struct store *store, const char *name, const struct job_run *run);

/* A device had an address from its first use to its last, UTC seconds. */
struct address_use {
	int64_t id;
	struct mac mac;
	char network[STORE_NETWORK];
	struct ipaddr ip;
	int64_t from_at, to_at;
};
/*
 * It was used from `from_at` to `to_at`: that is the same use as before when
 * it is the same device's and `from_at` at most `gap_sec` behind the end of the
 * one in the log; otherwise another one. An end is written again when it has
 * moved by `grow_sec`.
 */
int store_address_note(struct store *store, const struct address_use *use,
	int64_t gap_sec, int64_t grow_sec);
/* The last use of all. */
int store_address_last(struct store *store, int64_t *ret_to_at);
/* Those that reach into `from` to `until`. NULL: any. */
struct address_filter {
	const struct mac *mac;
	const struct ipaddr *ip;
	int64_t from, until;
};
/* Newest first, ids below `before` (UNLIMITED: from the newest). */
int store_address_list(struct store *store, const struct address_filter *filter,
	int64_t before, struct address_use *rows, int max);

/*
 * Hourly sums. All of these may be done again without adding anything. What
 * credits of live sessions have used since it was counted last, behind MAC
 * `*place` (all zero at first), of `max` sessions; the hour is that of `now_sec`.
 */
int store_statistics_live(struct store *store, int64_t now_sec,
	const char *currency, struct mac *place, int max, bool *ret_more);
/* The same of those that ended then; `until` is not in it. */
int store_statistics_ended(struct store *store, int64_t now_sec,
	const char *currency, int64_t from, int64_t until);
/* Sessions that began in the hour of `since` and later. */
int store_statistics_sessions(
	struct store *store, const char *currency, int64_t since);
/* Revenue of hours of which a payment was made or changed since. */
int store_statistics_revenue(struct store *store, int64_t since);

enum statistics_by {
	STATISTICS_BY_HOUR, /* local time, as the others */
	STATISTICS_BY_DAY,
	STATISTICS_BY_MONTH,
	STATISTICS_BY_PLAN,
	STATISTICS_BY_NETWORK,
};
struct statistic {
	char of[STORE_NAME]; /* hour, day, month, plan or network */
	char currency[4];
	int64_t sessions, bytes_up, bytes_down, revenue_minor;
};
/* Of hours from..until, UTC seconds; the newest or by name. */
int store_statistics_list(struct store *store, enum statistics_by by,
	int64_t from, int64_t until, int64_t skip, struct statistic *rows, int max);

/* This box, as its job found it (N6: routers). */
struct gateway {
	char name[65];
	char ip[48]; /* "": none */
	struct mac mac;
	bool is_online;
	int64_t last_seen; /* UTC seconds */
	int64_t active_users;
	int64_t load_percent; /* of all CPUs, in the last five minutes */
};
int store_gateway_put(struct store *store, const struct gateway *gateway);

#endif
