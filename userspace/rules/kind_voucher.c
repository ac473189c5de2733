/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits from vouchers (P3): bound to the MAC that redeemed them, and may
 * move as often as the plan said. Their clock runs from the activation, without a pause.
 */
#include "rules/kinds.h"

static bool may_move(const struct credit *credit)
{
	return credit->moves_left > 0;
}

static void moved(struct credit *credit)
{
	if (credit->moves_left != UNLIMITED && credit->moves_left > 0)
		credit->moves_left--;
}

const struct kind_rules kind_voucher = {
	.name = "voucher",
	.may_move = may_move,
	.moved = moved,
	.ends_pause = true,
};
