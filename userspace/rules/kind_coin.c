/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *Credits bought with coins (P2): they follow their token to any MAC, and their
 * clock may stand.
 */
#include "rules/kinds.h"

const struct kind_rules kind_coin = {
	.name = "coin",
	.may_pause = true,
	.ends_pause = true,
};
