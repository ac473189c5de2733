/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers: bound to the client that redeemed the code. The plan says how
 * often a voucher may move to another MAC; usually never (requirements: P3).
 */
#include "rules/kind.h"

static bool may_move(const struct credit *credit)
{
	return credit->moves_left > 0;
}

static void moved(struct credit *credit)
{
	if (credit->moves_left != UNLIMITED)
		credit->moves_left--;
}

const struct session_kind kind_voucher = {
	.kind = KIND_VOUCHER,
	.name = "voucher",
	.may_pause = false,
	.may_move = may_move,
	.moved = moved,
};
