/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *Credits that an operator gave (P4): they follow their token to any MAC, and
 * their clock may stand.
 */
#include "rules/kinds.h"

const struct kind_rules kind_manual = {
	.name = "manual",
	.may_pause = true,
};
