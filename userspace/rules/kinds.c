/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of kinds, and what holds for all of them.
 */
#include "rules/kinds.h"

static const struct kind_rules *const kinds[] = {
	[KIND_VOUCHER] = &kind_voucher,
	[KIND_MANUAL] = &kind_manual,
	[KIND_COIN] = &kind_coin,
	[KIND_FREE] = &kind_free,
	[KIND_MEMBER] = &kind_member,
};

const struct kind_rules *kind_rules(enum kind kind)
{
	static const struct kind_rules unknown = {
		.name = "unknown", .may_move = kind_never};

	/* A damaged row may say anything. */
	if ((size_t)kind < ARRAY_SIZE(kinds) && kinds[kind])
		return kinds[kind];
	return &unknown;
}

bool kind_move(struct credit *credit)
{
	const struct kind_rules *rules = kind_rules(credit->kind);

	if (rules->may_move && !rules->may_move(credit))
		return false;
	if (rules->moved)
		rules->moved(credit);
	return true;
}
