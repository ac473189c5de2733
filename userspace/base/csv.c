/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comma-separated values. Cells may hold what guests typed: nothing of it is
 * ever a formula in the spreadsheet of who opens the file (T5).
 */
#include "base/csv.h"

#include <string.h>

void csv_put(FILE *out, const char *text, bool is_first)
{
	const char *at;

	if (!is_first)
		fputc(',', out);
	if (!text)
		return;
	if (!text[strcspn(text, ",\"\r\n")] && !(*text && strchr("=+-@\t", *text))) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	if (strchr("=+-@\t\r", *text))
		fputc('\'', out);
	for (at = text; *at; at++) {
		if (*at == '"')
			fputc('"', out);
		fputc(*at, out);
	}
	fputc('"', out);
}

/* From the quote on; returns what follows the cell. */
static char *take_quoted(char *at, char **ret_cell)
{
	char *to = at;

	*ret_cell = to;
	for (at++; *at; at++) {
		if (*at == '"' && at[1] != '"')
			break;
		at += *at == '"';
		*to++ = *at;
	}
	if (*at)
		at++;
	at += strcspn(at, ",");
	*to = '\0';
	return at;
}

int csv_split(char *line, char **cells, int max)
{
	char *at = line, *end;
	int count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (count < max) {
		if (*at == '"') {
			end = take_quoted(at, &cells[count++]);
		} else {
			cells[count++] = at;
			end = at + strcspn(at, ",");
		}
		if (!*end)
			break;
		*end = '\0';
		at = end + 1;
	}
	return count;
}
