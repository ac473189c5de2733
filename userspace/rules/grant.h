/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client may have, as a value: the one function from the store to the
 * kernel's record. Start, reload, recovery, verify and every change use it.
 */
#ifndef RULES_GRANT_H
#define RULES_GRANT_H

#include "rules/outcome.h"
#include "store/store.h"

enum access {
	ACCESS_NONE = 0, /* captive: no record */
	ACCESS_RUNNING,
	ACCESS_PAUSED,
	ACCESS_HELD,
	ACCESS_BLOCKED,
	ACCESS_EXEMPT,
};

struct grant {
	struct mac mac;
	enum access access;
	int64_t record_id;   /* 0 only for ACCESS_NONE */
	int64_t session_id;  /* 0: blocked or exempt */
	int64_t expires_ns;  /* CLOCK_MONOTONIC; UNLIMITED */
	int64_t quota_bytes; /* absolute value of the record's up + down; UNLIMITED */
	int64_t up_kbps;     /* 0: no limit */
	int64_t down_kbps;
};

/* Pure. `wanted->record.id` must be set unless the result is ACCESS_NONE. */
void grant_from(const struct wanted *wanted, const struct moment *now,
	struct grant *ret_grant);

/*
 * The grant of one client; makes the row of its record when it needs one. The
 * row of a record that is no longer wanted stays until the kernel's record
 * was counted and removed (store_record_delete).
 */
int grant_of(struct store *store, const struct mac *mac,
	const struct moment *now, struct grant *ret_grant);

/* All grants other than ACCESS_NONE, in order of MAC; makes rows like grant_of(). */
int grants_each(struct store *store, const struct moment *now,
	int (*fn)(void *data, const struct grant *grant), void *data);

#endif
