/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operator is told of a change: only what is so now. */
#ifndef DAEMON_SENTENCES_H
#define DAEMON_SENTENCES_H

#include "rules/session.h"

#define SENTENCES 640 /* room for all that is said of one change */

/* "7.50 PHP"; returns `buf`. */
#define SENTENCES_MONEY 32
const char *say_money(char buf[static SENTENCES_MONEY], int64_t minor,
	const char *currency);

/*
 * Time was given: `before` is the account as it was (count 0: there was none),
 * `after` as it is, `is_blocked` whether the device is shut out.
 */
void say_given(char buf[static SENTENCES], const struct allowance *allowance,
	const struct account *before, const struct account *after,
	bool is_blocked);
/* Time was taken away. */
void say_taken(char buf[static SENTENCES], int64_t minutes,
	const struct account *after, bool is_blocked);
/* `changed`: false when it was so already. */
void say_held(char buf[static SENTENCES], const struct mac *mac, bool is_held,
	bool changed);
void say_kicked(
	char buf[static SENTENCES], const struct mac *mac, bool is_blocked);
void say_moved(char buf[static SENTENCES], const struct mac *from,
	const struct mac *to, bool to_is_blocked);
void say_blocked(char buf[static SENTENCES], const struct mac *mac);

#endif
