/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the kinds of session, and nothing else: one row per
 * kind, each in its own file kind_<name>.c. A new kind is such a file, a row
 * in kind.c and a value in gatehouse/types.h.
 */
#ifndef RULES_KIND_H
#define RULES_KIND_H

#include "store/store.h"

struct session_kind {
	enum kind kind;
	const char *name; /* as in JSON and SQL exports */
	bool may_pause;
	/* May a token take this credit to another client? */
	bool (*may_move)(const struct credit *credit);
	/* It did. */
	void (*moved)(struct credit *credit);
};

extern const struct session_kind kind_voucher;
extern const struct session_kind kind_manual;

/* Never NULL: an unknown number gets a kind that may do nothing. */
const struct session_kind *kind_get(enum kind kind);

#endif
