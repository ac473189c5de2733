/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device accepted which version of the terms of use, and when (I9). */
#ifndef STORE_TERMS_H
#define STORE_TERMS_H

#include "store/store.h"

#define STORE_TERMS 41 /* bytes of a version, with NUL */

struct acceptance {
	int64_t id;
	struct mac mac;
	char version[STORE_TERMS];
	char network[STORE_NETWORK];
	int64_t at; /* UTC seconds */
};
/* The first time counts: again changes nothing. */
int store_terms_accept(struct store *store, const struct acceptance *acceptance);
int store_terms_accepted(struct store *store, const struct mac *mac,
	const char *version, bool *ret_accepted);
/* Newest first, ids below `before` (UNLIMITED: from the newest); of one device,
 * or of all (NULL). Returns how many. */
int store_terms_list(struct store *store, const struct mac *mac, int64_t before,
	struct acceptance *rows, int max);

#endif
