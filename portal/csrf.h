/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Form tokens: a page of ours carries one, a page of somebody else cannot know
 * it. Bound to the client's address and the hour; needs no cookie, which the
 * sign-in sheets of phones do not always keep.
 */
#ifndef PORTAL_CSRF_H
#define PORTAL_CSRF_H

#include "base/crypto.h"
#include "gatehouse/types.h"

#define CSRF_TEXT 33

const char *csrf_make(const uint8_t key[static CRYPTO_KEY],
	const struct ipaddr *peer, int64_t mono_ns, char buf[static CSRF_TEXT]);
/* Made within this hour or the one before. `text` may be NULL. */
bool csrf_check(const uint8_t key[static CRYPTO_KEY], const struct ipaddr *peer,
	int64_t mono_ns, const char *text);

#endif
