/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of the database while it is in use: one file, of one moment, that is
 * known to be good. For a process of its own: it takes seconds where there are
 * a million sessions.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include <stdint.h>

struct store_copied {
	int64_t tables, rows;
	int64_t spent; /* number of the last line of spent.log that it knows */
};
/*
 * Copies the database at `from` to `to`, which must not be there: checks every
 * page and index of the copy and compares every row with the original's. When
 * it was made is in the copy, so whoever starts with it knows that it is one;
 * `at` is that time, UTC seconds. -EBADMSG: one of the two is damaged. The copy
 * is on disk, or removed after an error.
 */
int store_copy(const char *from, const char *to, int64_t at,
	struct store_copied *ret_copied);

/* Opens a copy, or any database, to see whether it is whole: every page and
 * index. -EBADMSG: it is not. */
int store_check(const char *path);

/* The setting that says so, in UTC seconds; a start removes it. */
#define STORE_COPIED_AT "copied_at"
/* The setting that a database and its copies have in common. */
#define STORE_IDENTITY "identity"

#endif
