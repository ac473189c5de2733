/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A venue's own pages. What the reader lets through begins nothing that runs or
 * leads out of the frame, and plain text always becomes such a page.
 */
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "base/util.h"
#include "brand_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text between tags is escaped by nobody, so these cannot be in it either. */
static const char *const never[] = {"<script", "<iframe", "<style", "<meta",
	"<base", "<form", "<svg", "</main", "</body", "<body", "<html"};

static bool has_comment(const char *text)
{
	return strstr(text, "<!--") != NULL;
}

static bool is_quoted(const char *text)
{
	return strpbrk(text, "\"'") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);
	char title[BRAND_TITLE_MAX + 1];
	struct buf made = {0};
	const char *why;
	size_t i;
	int line;

	memcpy(text, data, size);
	/* In a comment or a value they are only words. */
	if (!brand_html_check(text, &line, &why) && !has_comment(text) &&
		!is_quoted(text))
		for (i = 0; i < ARRAY_SIZE(never); i++)
			if (strcasestr(text, never[i]))
				abort();
	brand_html_title(text, title);
	brand_html_from_text(text, &made);
	if (!made.overflow && brand_html_check(made.data, &line, &why))
		abort();
	brand_html_title(made.data, title);
	buf_fini(&made);
	free(text);
	return 0;
}
