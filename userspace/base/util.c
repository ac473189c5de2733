/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of tables, and allocation that does not fail: a program that cannot get a few bytes for
 * itself stops, the pinned maps keep enforcing, and the supervisor restarts it.
 * Never used for sizes that a peer chooses.
 */
#include "base/util.h"

#include <stdarg.h>

#define ARRAY_FIRST 16

int name_index(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

char *xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		abort();
	return copy;
}

void *array_grow(void *array, size_t count, size_t *size, size_t element)
{
	size_t wider = *size ? 2 * *size : ARRAY_FIRST;

	if (count < *size)
		return array;
	array = reallocarray(array, wider, element);
	if (!array)
		abort();
	*size = wider;
	return array;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		abort();
	return text;
}
