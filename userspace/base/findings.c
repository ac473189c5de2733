/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list that is sorted as it grows. Findings come nearly in their order, so
 * each is put in place from the end. Nothing is judged here.
 */
#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

void findings_add(struct findings *findings, int line, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	size_t at;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ARRAY_GROW(findings->rows, findings->count, findings->size);
	for (at = findings->count; at > 0; at--) {
		if (findings->rows[at - 1].line <= line)
			break;
		findings->rows[at] = findings->rows[at - 1];
	}
	findings->rows[at] = (struct finding){line, xstrdup(text)};
	findings->count++;
}

void findings_tell(struct findings *findings, const char *path,
	finding_fn *tell, void *data)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		tell(data, path, findings->rows[i].line, findings->rows[i].text);
	findings_clear(findings);
}

void findings_clear(struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		free(findings->rows[i].text);
	free(findings->rows);
	*findings = (struct findings){0};
}
