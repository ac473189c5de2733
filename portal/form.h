/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a browser sends as text: forms, query strings, cookies, languages. Pure
 * functions over hostile bytes (tests/fuzz/fuzz_form.c). */
#ifndef PORTAL_FORM_H
#define PORTAL_FORM_H

#include <stdbool.h>

#include "arena.h"

#define FORM_FIELDS_MAX 16
#define FORM_VALUE_MAX	2048 /* bytes, decoded */

struct form {
	int count;
	struct {
		const char *name, *value; /* the arena's */
	} fields[FORM_FIELDS_MAX];
};

/*
 * Reads application/x-www-form-urlencoded text. A field that is not clean text
 * (bad escapes, NUL or other control characters, no UTF-8, too long) is left
 * out, as are those beyond FORM_FIELDS_MAX: a handler sees it as missing.
 */
void form_parse(struct arena *arena, const char *text, size_t len,
	struct form *ret_form);
/* The first field of that name, or NULL. */
const char *form_get(const struct form *form, const char *name);

/* A field of many lines, such as a file that was pasted, of any length: clean
 * text with "\n" between. NULL: it is not there or not clean. The arena's. */
char *form_lines(struct arena *arena, const char *text, size_t len,
	const char *name);

/* `text` as a value of a query string. */
const char *form_escape(struct arena *arena, const char *text);

/* Value of a cookie in a Cookie header (may be NULL); NULL when there is none
 * or it is not plain text. The first one wins. */
const char *cookie_get(struct arena *arena, const char *header, const char *name);

#endif
