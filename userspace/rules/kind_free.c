/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free credits (P8): given to a MAC once a day, so they stay with it; a
 * MAC is free to make up.
 */
#include "rules/kinds.h"

const struct kind_rules kind_free = {
	.name = "free",
	.may_move = kind_never,
	.ends_pause = true,
};
