/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time that an operator gave: follows its guest from MAC to MAC by token. */
#include "rules/kind.h"

static bool may_move(const struct credit *credit)
{
	return true;
}

static void moved(struct credit *credit)
{
}

const struct session_kind kind_manual = {
	.kind = KIND_MANUAL,
	.name = "manual",
	.may_pause = true,
	.may_move = may_move,
	.moved = moved,
};
