/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a template may show: values by name, and lists of rows, which see the
 * values of the view that they are in. */
#ifndef PORTAL_VIEW_H
#define PORTAL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct view;
struct value;

/* The arena's, as all that is put into it. */
struct view *view_new(struct arena *arena);
/* `text` is not copied; NULL: unset. The latest value counts. */
void view_set(struct view *view, const char *name, const char *text);
void view_set_int(struct view *view, const char *name, long long number);
/* "1" or unset. */
void view_set_flag(struct view *view, const char *name, bool flag);
void view_format(struct view *view, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A new row at the end of the list `name`. */
struct view *view_add_row(struct view *view, const char *name);
/* Value or NULL. */
const char *view_get(const struct view *view, const char *name);

/* The template's side: names come with their hash. NULL: there is none. */
uint32_t view_hash(const char *name);
const struct value *view_find(
	const struct view *view, const char *name, uint32_t hash);
/* "" when it is unset or a list; NULL is fine. */
const char *value_text(const struct value *value);
/* The first row; NULL when it is no list; NULL is fine. */
const struct view *value_rows(const struct value *value);
/* The row behind; NULL at the end. */
const struct view *view_next(const struct view *row);

#endif
