/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client may have, as a value: the one function from the store to the
 * kernel's record. Start, reload, recovery, verify and every change use it.
 */
#ifndef RULES_GRANT_H
#define RULES_GRANT_H

#include "rules/outcome.h"
#include "rules/session.h"
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
	int64_t session_id;  /* 0: blocked or exempt */
	int64_t credit_id;   /* whose bytes the record's counters are */
	int64_t expires_ns;  /* CLOCK_MONOTONIC; UNLIMITED */
	int64_t quota_bytes; /* absolute value of the record's up + down; UNLIMITED */
	int64_t up_kbps;     /* 0: no limit */
	int64_t down_kbps;
};

/*
 * Pure. `record` is the store's row of the client's record, bound to the
 * holder's credit; NULL before there is one, which starts at zero.
 */
void grant_from(const struct holder *holder, const struct record *record,
	const struct moment *now, struct grant *ret_grant);

/* What decides about one client; all zero but the MAC when nothing does. */
int grant_holder(struct store *store, const struct mac *mac, struct holder *ret_holder);

#endif
