/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every rule gets, and what it says. Rules decide and store; they wait
 * for nothing, and time is an argument.
 *
 * Functions return 0 or negative errno when the store failed. A refusal is no
 * error: it is an enum outcome in *ret_outcome, written on success.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include "base/text.h"
#include "base/util.h"
#include "store/store.h"

struct view;

/* Something happened to a session; everything borrowed for the call. */
struct happening {
	const char *name;   /* start, extend, pause, ..., end */
	const char *reason; /* time, bytes, user, operator, ... */
	int64_t at;	    /* UTC seconds */
	struct mac from;    /* the old MAC of a move; otherwise zero */
	const struct session *session; /* as it is now */
	const struct view *view;
};

struct rules {
	struct store *store;
	int64_t token_days;
	char voucher_prefix[9];
	uint8_t lookup_key[CRYPTO_KEY]; /* HMAC of voucher codes */
	uint8_t seal_key[CRYPTO_KEY];
	/*
	 * Called before a session is judged: counts what the kernel counted
	 * for this client by now (store_record_fold), and says whether the
	 * kernel refused a packet for the quota. NULL: nothing counts.
	 */
	int (*fold)(void *data, const struct mac *mac, bool *ret_exhausted);
	/* When the kernel heard this client last, CLOCK_MONOTONIC; 0: not known.
	 * NULL: silence stops no clock. */
	int64_t (*seen)(void *data, const struct mac *mac);
	void *data;
	/*
	 * Told of everything that happens to a session, in the transaction
	 * that stores it: it has happened once that is committed. NULL: nobody
	 * listens.
	 */
	void (*happened)(void *listener, const struct happening *happening);
	void *listener;
};

/* One moment on both clocks. */
struct moment {
	int64_t mono_ns;
	int64_t wall_sec;
};

/* Who shows a code or a token, and where. */
struct guest {
	const struct mac *mac;
	const char *network; /* its name; NULL: not known, so it does not matter */
};
/* May the guest use there what is for `networks`? */
static inline bool guest_is_in(const struct guest *guest, const char *networks)
{
	return !networks[0] || !guest->network ||
	       text_has_word(networks, guest->network);
}

/* Named like the codes of gatehouse/ctl.h; _YOURS goes by voucher_used. */
enum outcome {
	OUTCOME_OK = 0,
	OUTCOME_NOT_FOUND,
	OUTCOME_CONFLICT,
	OUTCOME_VOUCHER_UNKNOWN,
	OUTCOME_VOUCHER_USED,
	OUTCOME_VOUCHER_YOURS, /* used, for the session that the client has */
	OUTCOME_VOUCHER_EXPIRED,
	OUTCOME_VOUCHER_REVOKED,
	OUTCOME_SESSION_UNKNOWN,
	OUTCOME_TOKEN_EXPIRED,
	OUTCOME_SESSION_USED_UP,
	OUTCOME_NOT_TRANSFERABLE,
	OUTCOME_CLIENT_BLOCKED,
	OUTCOME_OTHER_NETWORK,
	OUTCOME_DEVICES_FULL, /* as many use the voucher as may */
	OUTCOME_SESSION_HELD,
	OUTCOME_NOT_PAUSABLE, /* the kind of the credit in use has no pause */
	OUTCOME_NOT_SHAREABLE, /* what is in use is for one device */
	OUTCOME_DEVICE_TAKEN, /* it cannot be put beside another's session */
	OUTCOME_FREE_OFF, /* no free time is offered here */
	OUTCOME_FREE_USED, /* the device had it today */
	OUTCOME_FREE_FULL, /* too many made-up addresses had it in this hour */
	OUTCOME_FREE_NOT_NEEDED, /* the device has time */
	OUTCOME_HAS_SESSION, /* or is in a group: it cannot join another's */
	OUTCOME_SLOT_BUSY,   /* another client's */
	OUTCOME_LOCK_UNKNOWN, /* or another client's */
	OUTCOME_AMOUNT_DIFFERS, /* from what was credited */
	OUTCOME_AMOUNT_SMALL, /* no plan costs so little */
	OUTCOME_QR_UNKNOWN, /* no such code of the house */
	OUTCOME_QR_EXPIRED,
	OUTCOME_QR_REVOKED,
};

#endif
