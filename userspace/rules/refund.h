/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was paid is given back: what is left of what it bought goes. */
#ifndef RULES_REFUND_H
#define RULES_REFUND_H

#include "rules/session.h"
#include "store/payments.h"

/*
 * Takes what is left of the time and bytes that `payment` bought, wherever its
 * credit is by now, on all devices that share it, and lowers what the session
 * cost; a session without anything left ends. Nothing is taken of what is used
 * up, and that is no refusal: whether to give money back for it is the
 * operator's to say. OUTCOME_NOT_FOUND: it bought nothing that is known (a
 * voucher that nobody redeemed). The payment itself stays as it is.
 */
int session_refund(struct rules *rules, const struct payment *payment,
	const struct moment *now, enum outcome *ret_outcome);

#endif
