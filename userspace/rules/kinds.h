/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session kinds: how a credit came about decides what may be done with it.
 * One file per kind; the table is in kinds.c. */
#ifndef RULES_KINDS_H
#define RULES_KINDS_H

#include "rules/rules.h"

struct kind_rules {
	const char *name;
	/* May this credit go to another MAC when its token is shown? NULL:
	 * always. */
	bool (*may_move)(const struct credit *credit);
	/* It goes: what that costs. NULL: nothing. */
	void (*moved)(struct credit *credit);
	bool may_pause;	 /* its clock may stand (P6) */
	bool ends_pause; /* the guest got it to use it: a paused session goes on */
};

extern const struct kind_rules kind_voucher, kind_manual, kind_coin, kind_free,
	kind_member;

/* For `may_move` of a kind that stays where it is. */
static inline bool kind_never(const struct credit *credit)
{
	return false;
}

/* Never NULL: an unknown kind may do nothing. */
const struct kind_rules *kind_rules(enum kind kind);

/* Marks a credit as moved, if it may move at all. */
bool kind_move(struct credit *credit);

#endif
