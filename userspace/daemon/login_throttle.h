/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a password may be tried. Counted are tries that were not right:
 * from one address (5, then 1 a minute) and at one account (10, then 1 in 20
 * seconds). From where an operator logged in before, only his own tries count,
 * so guessing at his account from elsewhere does not keep him out.
 */
#ifndef DAEMON_LOGIN_THROTTLE_H
#define DAEMON_LOGIN_THROTTLE_H

#include <stdbool.h>

#include "base/ip.h"

struct login_throttle;

struct login_try {
	const char *name; /* as it was typed; capitals do not matter */
	struct ipaddr address; /* of IPv6 the first 64 bits count */
	bool is_known; /* this operator logged in from there before */
};

struct login_throttle *login_throttle_new(void);
void login_throttle_free(struct login_throttle *throttle);

/* 0: it may be tried and counts as wrong until login_throttle_right(); or the
 * nanoseconds until it may. */
int64_t login_throttle_try(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns);
/* It was right. */
void login_throttle_right(struct login_throttle *throttle,
	const struct login_try *try, int64_t now_ns);

#endif
