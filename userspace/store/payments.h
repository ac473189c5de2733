/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payments: what was paid for a session or a voucher, how, and to whom. */
#ifndef STORE_PAYMENTS_H
#define STORE_PAYMENTS_H

#include "store/store.h"

enum payment_status { PAYMENT_PAID, PAYMENT_REFUNDED };

/* Empty texts and numbers of 0: there is none. */
struct payment {
	int64_t id;
	int64_t paid_at; /* UTC seconds */
	char method[16]; /* cash, coin */
	char reference[65]; /* unique for its method */
	int64_t amount_minor;
	char currency[4];
	enum payment_status status;
	int64_t plan_id, session_id, voucher_id;
	char network[32];
	char phone[24];
	char who[40]; /* took it: an operator, or a coin slot */
	int64_t refunded_at;
	char refunded_by[40];
	/* The credit that what was bought became part of; 0: none yet. */
	int64_t credit_id;
	int64_t bought_ns, bought_bytes; /* UNLIMITED */
};
const char *payment_status_name(enum payment_status status);
/* As paid; sets the id. -EEXIST: that reference was there before. */
int store_payment_insert(struct store *store, struct payment *payment);
/* -ENOENT: there is none, or it is given back already. */
int store_payment_refund(struct store *store, int64_t id, int64_t at, const char *who);
int store_payment_lookup(struct store *store, int64_t id, struct payment *ret_payment);
struct payment_filter {
	const char *who; /* NULL: any */
	int64_t session_id, voucher_id; /* 0: any */
	int64_t from, until; /* paid_at, UTC seconds; `until` is not in it */
};
/* Newest first, ids below `before` (UNLIMITED: from the newest). */
int store_payment_list(struct store *store, const struct payment_filter *filter,
	int64_t before, struct payment *rows, int max);
/* What was paid for a voucher is of this session from now on, and bought this
 * of a credit (`bought`: session_id, credit_id, bought_ns, bought_bytes are
 * read). */
int store_payment_bind(struct store *store, int64_t voucher_id,
	const struct payment *bought);

/* What was paid for one session was paid for another from now on. */
int store_payment_rebind(struct store *store, int64_t from_id, int64_t to_id);

/* Of one day of the box, who took and who gave back, method and currency. */
struct payment_sum {
	char day[11]; /* 2026-11-21, local time */
	char who[40];
	char method[16];
	char currency[4];
	int64_t taken, taken_minor;       /* how many, how much */
	int64_t refunded, refunded_minor; /* on that day */
};
/* The latest day first; the first `skip` of them are left out. `filter`: who
 * and the times. */
int store_payment_sums(struct store *store, const struct payment_filter *filter,
	int64_t skip, struct payment_sum *rows, int max);

#endif
