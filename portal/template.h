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

#include "buf.h"
#include "i18n.h"
#include "view.h"

/*
 * Appends template `name`. -ENOENT without such a template, -EBADMSG when it
 * is malformed, also where it shows nothing now, or asks for a text that English
 * lacks, -E2BIG beyond BUF_MAX; the log says at which tag.
 */
int template_render(const char *name, const struct view *view,
	const struct lang *lang, struct buf *buf);
/* The same over `source`, for tests; logs nothing. */
int template_render_text(const char *source, size_t len,
	const struct view *view, const struct lang *lang, struct buf *buf);

#endif
