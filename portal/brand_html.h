/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A venue's own pages, checked before anybody sees them: only elements and
 * attributes that show something, so that a page cannot break the frame
 * around it, run a script, or send a guest out of a sign-in sheet unasked.
 */
#ifndef PORTAL_BRAND_HTML_H
#define PORTAL_BRAND_HTML_H

#include "buf.h"

/* Of a heading. */
#define BRAND_TITLE_MAX 80

/*
 * Is it a piece of HTML that may stand in our frame: UTF-8, a <h1> first and
 * no other, all elements closed in order? 0, or -EBADMSG with the line and what
 * is wrong there (static).
 */
int brand_html_check(const char *text, int *ret_line, const char **ret_why);
/* The text of its <h1> without markup, as plain text. */
void brand_html_title(const char *text, char title[static BRAND_TITLE_MAX + 1]);
/* The same from plain text: the first line is the heading, an empty line
 * begins a paragraph. */
void brand_html_from_text(const char *text, struct buf *buf);

#endif
