/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits that an operator gave (P4): they follow their token to any MAC, and
 * their clock may be stopped.
 */
#include "rules/kinds.h"

static bool may_move(const struct credit *credit)
{
	return true;
}

static void moved(struct credit *credit)
{
}

const struct kind_rules kind_manual = {
	.kind = KIND_MANUAL,
	.name = "manual",
	.may_move = may_move,
	.moved = moved,
	.may_pause = true,
};
