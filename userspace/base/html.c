/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Escaping for HTML. It knows two places only, text and a double-quoted
 * attribute: nothing of ours puts a value anywhere else.
 */
#include "base/html.h"

#include "base/util.h"

void html_put(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
}
