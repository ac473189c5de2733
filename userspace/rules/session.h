/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions (P6): a session of a client with its list of credits, used in the
 * order bought, one clock at a time. An account is both, loaded to be changed
 * and saved as a whole.
 */
#ifndef RULES_SESSION_H
#define RULES_SESSION_H

#include "rules/credit.h"
#include "rules/rules.h"

#define CREDITS_MAX 64 /* of one session, that are not used up */

/* What happens to a session; the names are in session.c. */
enum session_event {
	SESSION_EVENT_STARTED,	/* it has its first credit */
	SESSION_EVENT_EXTENDED, /* it has more */
	SESSION_EVENT_REDUCED,	/* an operator took some away */
	SESSION_EVENT_PAUSED,	/* its clock was stopped on purpose */
	SESSION_EVENT_RESUMED,
	SESSION_EVENT_STANDS,	/* its clock does by itself: silence, hours */
	SESSION_EVENT_GOES_ON,	/* and does not any more */
	SESSION_EVENT_HELD,	/* somebody else may be using it */
	SESSION_EVENT_RELEASED, /* who has the token showed it, or an operator */
	SESSION_EVENT_RELEASED_PAUSED, /* the same; it was paused before */
	SESSION_EVENT_BLOCKED,	/* its device was: the clock goes on */
	SESSION_EVENT_UNBLOCKED,
	SESSION_EVENT_MOVED,	/* it has another MAC */
	SESSION_EVENT_EXPIRED,	/* the time of its last credit is over */
	SESSION_EVENT_USED_UP,	/* the bytes of its last credit are */
	SESSION_EVENT_EMPTIED,	/* it has no credit to use */
	SESSION_EVENT_KICKED,	/* an operator ended it */
	SESSION_EVENT_REMOVED,	/* who put its device beside another took it away */
	SESSION_EVENT_JOINED,	/* its credits went to another */
	SESSION_EVENT_FORGOTTEN, /* it was over before a backup came back */
	SESSION_EVENT_REFUNDED, /* one of its credits was paid back */
	SESSION_EVENT_ENDED_BY_REFUND, /* its last one was */
};
/* Reasons of events whose row has none. */
#define SESSION_BY_USER	    "user"
#define SESSION_BY_OPERATOR "operator"

#define HAPPENED_MAX 8 /* events of one account between load and save */

struct happened {
	enum session_event event;
	char reason[32];
	struct moment at;
	struct mac from; /* of a move */
};

struct account {
	struct session session;
	bool is_new; /* it has not had a credit yet */
	int64_t used_up, used_down; /* bytes of credits that are not below */
	int count;
	struct credit credits[CREDITS_MAX]; /* in their order */
	struct {
		int64_t credit_id, ns, bytes; /* UNLIMITED */
	} added; /* last, by account_add(), and to which credit; id 0: nothing */
	int happened_count;
	struct happened happened[HAPPENED_MAX]; /* told when it is saved */
};

/*
 * Every change of a session's state: the state that the event leads to, the
 * clock of the credit in use going or standing by it, at the end nothing left
 * and the reason kept. False, and nothing is changed, where the table has no
 * such way: what has ended stays as it ended. `reason` NULL: the table's own.
 */
bool account_change(struct account *account, enum session_event event,
	const char *reason, const struct moment *now);

/*
 * The client's session as it is now: counted, settled, saved. -ENOENT when
 * there is none, or none any more.
 */
int account_load(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account);
/* The same; who has none is refused with OUTCOME_NOT_FOUND. */
int account_find(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account,
	enum outcome *ret_outcome);
/* Any session by its id, ended ones too; otherwise as account_load(). */
int account_load_id(struct rules *rules, int64_t id, const struct moment *now,
	struct account *ret_account);
/* The client's session, or a new one without credits. That one is in the store,
 * and has its id, once account_save() was called, which account_add() does. */
int account_open(struct rules *rules, const struct mac *mac,
	const struct moment *now, struct account *ret_account);
int account_save(struct rules *rules, struct account *account);

/* The credits of an account: account.c. */

/* NULL: none. */
struct credit *account_in_use(struct account *account);
/* Does time pass for it, the one in use? */
bool account_runs(const struct account *account, const struct credit *credit);
/* The clock of the credit in use goes from there on, or stands, as the session's
 * state says. */
void account_run_clock(struct account *account, int64_t from_ns);
/* Nothing is left of any. */
void account_use_up(struct account *account, int64_t at_ns);

/*
 * Brings the account to `now`: a credit whose time or bytes are gone is used,
 * the next one starts where it ended, without a gap; after the last one the
 * session ends. `exhausted`: the kernel refused a packet for the quota of the
 * credit in use. True when anything changed.
 */
bool account_settle(
	struct account *account, const struct moment *now, bool exhausted);

/*
 * Where the guest is, the credit in use is worth nothing, and one that waits is:
 * they change places, and the clock of the first stands until its turn comes.
 * True when they did; the caller saves.
 */
bool account_prefer(struct account *account, const struct guest *guest,
	const struct moment *now);

/*
 * Adds a credit: its kind, plan, left_ns, bytes, rates and moves are taken.
 * Same kind, plan and rates as the last one that is not used: added up.
 * OUTCOME_OK or OUTCOME_CONFLICT (too many).
 */
int account_add(struct rules *rules, struct account *account,
	const struct credit *credit, const struct moment *now,
	enum outcome *ret_outcome);
/*
 * Takes time away, from the last credit first, and none of what has no end. Who
 * has none left then was ended by the operator. The caller saves.
 */
void account_take(
	struct account *account, int64_t ns, const struct moment *now);
/* Days that the session's token stays good without being shown. */
int64_t account_token_days(const struct rules *rules, const struct account *account);

/*
 * What a guest or an operator is shown. The first six are of the credit in
 * use, which is what the kernel holds the client to.
 */
struct view {
	enum kind kind; /* 0: none is in use */
	char plan[STORE_NAME];
	int64_t credit_ns;	 /* UNLIMITED */
	int64_t remaining_bytes; /* UNLIMITED */
	struct rates rates;
	char networks[STORE_NETWORKS]; /* of the credit in use */
	int64_t full_bytes; /* until the slow rates hold; UNLIMITED */
	const struct terms *terms; /* the account's; NULL without one */
	bool is_resting; /* outside of its hours */
	bool is_idle;	 /* silent, so its clock stands */
	int64_t turn_at; /* of its hours, UTC seconds; UNLIMITED: never */
	int64_t valid_until; /* the same; 0: never */
	int64_t ends_at; /* all of them, without a break; UNLIMITED: never */
	int64_t remaining_ns;	 /* of all credits together (P6); UNLIMITED */
	int64_t bytes_up, bytes_down; /* by all that there were */
};
void account_view(const struct account *account, const struct moment *now,
	struct view *ret_view);

/* "25 minutes of credit" by an operator: adds (P4), or takes away when
 * `seconds` is negative; who has none left then was ended by the operator. */
struct allowance {
	const struct plan *plan; /* its name, rates and token days; may be NULL */
	int64_t seconds;	 /* UNLIMITED: no end */
	int64_t bytes;		 /* UNLIMITED: no limit */
	struct rates rates; /* without a plan */
};
int session_allow(struct rules *rules, const struct mac *mac,
	const struct allowance *allowance, const struct moment *now,
	struct account *ret_account, enum outcome *ret_outcome);
/* Other rates for the credit in use, from now on; those that are RATE_KEEP stay.
 * OUTCOME_NOT_FOUND without a session. */
#define RATE_KEEP (-1)
int session_rate(struct rules *rules, const struct mac *mac,
	const struct rates *rates, const struct moment *now,
	enum outcome *ret_outcome);

#endif
