/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terms of use as a page: paragraphs, with lines that begin with "# " as
 * headings. The same for everybody; the daemon is not asked.
 */
#include "base/util.h"
#include "pages.h"
#include "terms.h"

static void add_line(struct view *view, const char *text, size_t len)
{
	bool is_title = len > 2 && !strncmp(text, "# ", 2);
	struct view *row = view_add_row(view, "lines");

	if (is_title)
		view_format(row, "title", "%.*s", (int)len - 2, text + 2);
	else
		view_format(row, "text", "%.*s", (int)len, text);
}

/* Up to an empty line or a heading, or a list's next item. */
static size_t paragraph_len(const char *text)
{
	const char *end = text;

	for (;;) {
		end += strcspn(end, "\n");
		if (!*end || *text == '#' || strchr("\n#-*", end[1]))
			return (size_t)(end - text);
		end++;
	}
}

void page_terms_text(struct request *req)
{
	const char *text = terms_text(req->lang);
	struct view *view;

	if (!text) {
		page_error(req, 404, "not_found", "There is no such page here.");
		return;
	}
	view = page_view(req);
	view_format(view, "terms_name", "%s",
		req->portal->config.terms_version);
	while (*text) {
		size_t len = paragraph_len(text);

		if (len)
			add_line(view, text, len);
		text += len + (text[len] == '\n');
	}
	page_send(req, 200, "terms.html", view);
}
