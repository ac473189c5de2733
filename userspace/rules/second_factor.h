/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second factor of operators: codes of an app on their phone, each good
 * once. The secret is kept sealed.
 */
#ifndef RULES_SECOND_FACTOR_H
#define RULES_SECOND_FACTOR_H

#include "base/totp.h"
#include "rules/rules.h"
#include "store/operators.h"

/* Does this account show codes? */
int second_factor_is_on(
	struct store *store, int64_t operator_id, bool *ret_is_on);
/* The account has this secret from now on; `last_step`: of the code that it has
 * shown of it, 0: none, then it is not on yet. */
int second_factor_put(struct rules *rules, int64_t operator_id,
	const uint8_t secret[static TOTP_SECRET], bool is_on, int64_t last_step);
/* Of an account that is on, or (`is_on` false) that is to be: -ENOENT there is
 * none, -EACCES wrong or used before. What is right is noted, and it is on. */
int second_factor_check(struct rules *rules, int64_t operator_id, bool is_on,
	const char *code, int64_t now_sec);

#endif
