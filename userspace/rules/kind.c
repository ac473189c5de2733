/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of session kinds: who asks for a kind by its number gets its row.
 */
#include "rules/kind.h"

#include "base/util.h"

static bool never(const struct credit *credit)
{
	return false;
}

static void nothing(struct credit *credit)
{
}

/* A kind of a later version, in a database that came back from it. */
static const struct session_kind kind_unknown = {
	.name = "unknown",
	.may_move = never,
	.moved = nothing,
};

static const struct session_kind *const kinds[] = {
	&kind_voucher,
	&kind_manual,
};

const struct session_kind *kind_get(enum kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->kind == kind)
			return kinds[i];
	return &kind_unknown;
}
