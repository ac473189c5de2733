/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Money that is taken: each time a row of payments, and what a session cost in
 * all follows from them.
 */
#ifndef RULES_SALE_H
#define RULES_SALE_H

#include "rules/session.h"
#include "store/payments.h"

#define SALE_CASH "cash" /* over the desk */

/*
 * Records what was paid for what account_add() has just added to the account,
 * and adds it to what the session cost. `payment` has all but id, session,
 * status and what it bought; both structs are brought up to date. -EEXIST: its
 * reference was there before.
 */
int sale_to_session(struct rules *rules, struct account *account,
	struct payment *payment);

/* What an unused voucher cost: what was paid for it. Nobody wrote down that it
 * was sold: what its plan says. */
int64_t sale_price(const struct voucher *voucher, const struct plan *plan);
/* It has just been added to the account: so that is what was paid for. */
int sale_redeemed(struct rules *rules, const struct voucher *voucher,
	const struct account *account);

/*
 * An unused voucher is sold. `payment` has all but id, plan and voucher.
 * OUTCOME_CONFLICT: it was sold before; OUTCOME_VOUCHER_*: it is no good any
 * more, so `voucher` must be as voucher_find() gave it.
 */
int sale_of_voucher(struct rules *rules, const struct voucher *voucher,
	struct payment *payment, enum outcome *ret_outcome);

/*
 * Gives a payment back, whole, and takes back what it bought: a voucher that
 * nobody used is revoked, a session loses what is left of it (rules/refund.h).
 * *ret_payment is the row before. OUTCOME_NOT_FOUND: there is no such payment;
 * OUTCOME_CONFLICT: it was given back before.
 */
int sale_refund(struct rules *rules, int64_t id, const char *who,
	const struct moment *now, struct payment *ret_payment,
	enum outcome *ret_outcome);

#endif
