/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages from templates (portal/templates/NAME.html, embedded):
 *
 *   {{name}}              value of the view, escaped; nothing when unset
 *   {{t.key}}             text of the page's language, escaped; "{name}" in
 *                         it is a value of the view, escaped too
 *   {{#name}} {{/name}}   when the value is set and not ""; for a list, once
 *                         per row, whose own values come first
 *   {{^name}} {{/name}}   when it is not
 *   {{>file.html}}        another template in its place
 *
 * There is no way to put text into a page without escaping it.
 */
#ifndef PORTAL_TEMPLATE_H
#define PORTAL_TEMPLATE_H

#include "arena.h"
#include "buf.h"
#include "i18n.h"

struct view;

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

/*
 * Appends template `name`. -ENOENT without such a template, -EBADMSG when it
 * is malformed or asks for a text that there is not, -E2BIG beyond BUF_MAX;
 * the log says at which tag.
 */
int template_render(const char *name, const struct view *view,
	const struct lang *lang, struct buf *buf);
/* The same over `source`, for tests; logs nothing. */
int template_render_text(const char *source, size_t len,
	const struct view *view, const struct lang *lang, struct buf *buf);

#endif
