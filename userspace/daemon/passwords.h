/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passwords are made slow to check on purpose, so a thread of its own does it:
 * the loop, and with it every guest, goes on meanwhile.
 */
#ifndef DAEMON_PASSWORDS_H
#define DAEMON_PASSWORDS_H

#include "base/crypto.h"
#include "base/loop.h"

#define PASSWORDS_TEXT	  129 /* the longest password, with its NUL */
#define PASSWORDS_WAITING 8   /* at a time; one takes a tenth of a second */

struct passwords;

/* `ret`: 0, -EACCES (another password), -ENOMEM. `stored`: the new text of a
 * password that was made. Called by the loop, once for each request. */
typedef void passwords_fn(void *data, int ret, const char *stored);

/* Starts the thread. `key` peppers them and is copied. 0 or a negative errno. */
int passwords_new(struct loop *loop, const uint8_t key[static CRYPTO_KEY],
	struct passwords **ret_passwords);
/* Whoever still waits is told -ECANCELED. NULL is fine. */
void passwords_free(struct passwords *passwords);

/* How many wait, the one at work included. */
int passwords_waiting(const struct passwords *passwords);
/* -EBUSY: PASSWORDS_WAITING already do, and `fn` is not called. `data` is the
 * caller's. */
int passwords_check(struct passwords *passwords, const char *password,
	const char *stored, passwords_fn *fn, void *data);
int passwords_make(struct passwords *passwords, const char *password,
	passwords_fn *fn, void *data);

#endif
