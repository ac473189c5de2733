/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is found wrong with a file, whatever order it is found in: told at the
 * end, by line.
 */
#ifndef BASE_FINDINGS_H
#define BASE_FINDINGS_H

#include <stddef.h>

/* `line` 0: the file as a whole. */
typedef void finding_fn(void *data, const char *path, int line, const char *text);

struct finding {
	int line;
	char *text;
};
/* All zero: nothing was found. */
struct findings {
	struct finding *rows; /* by line; of one line: as they were found */
	size_t count, size;
};

/* Texts beyond 4 KiB are cut. */
void findings_add(struct findings *findings, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Tells each one and forgets all of them. */
void findings_tell(struct findings *findings, const char *path,
	finding_fn *tell, void *data);
/* Forgets all of them. */
void findings_clear(struct findings *findings);

#endif
