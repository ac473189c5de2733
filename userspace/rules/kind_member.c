/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits of members (U4): the plan of a role, by a login that may be repeated
 * from any device of theirs, so they follow their token. No pause: it lasts
 * until the check-out, not for minutes.
 */
#include "rules/kinds.h"

const struct kind_rules kind_member = {
	.name = "member",
	.ends_pause = true,
};
