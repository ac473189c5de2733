/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terms of use (I9): who begins something here has accepted the version that
 * is in force. Going on with what was begun needs nothing: it was accepted then,
 * and a phone that changes its address must find its session by itself.
 */
#ifndef RULES_TERMS_H
#define RULES_TERMS_H

#include "rules/rules.h"

/* Must this device still accept `version`? Never, if that is "". */
int terms_needed(struct rules *rules, const struct mac *mac, const char *version,
	bool *ret_needed);
/* The guest says that he accepts `given`. Kept, if that is the version in force;
 * otherwise `ret_kept` is false: he has read something else. */
int terms_accept(struct rules *rules, const struct guest *guest,
	const char *version, const char *given, const struct moment *now,
	bool *ret_kept);

#endif
