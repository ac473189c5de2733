/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that every file uses. Ownership: a local that owns something carries a _cleanup_ mark
 * and is initialised; it leaves the function through TAKE_PTR or TAKE_FD only.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/banned.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define NSEC_PER_SEC  1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define SEC_PER_DAY   86400LL

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

/* Closes and sets to -1; keeps errno. */
static inline void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(free_ptr)
#define _cleanup_fd_ _cleanup_(fd_close)

#define TAKE_PTR(p)                     \
	({                              \
		__typeof__(p) *_p = &(p); \
		__typeof__(p) _v = *_p; \
		*_p = NULL;             \
		_v;                     \
	})
#define TAKE_FD(fd)            \
	({                     \
		int *_p = &(fd); \
		int _v = *_p;  \
		*_p = -1;      \
		_v;            \
	})

/* Place of `name` in a table of names, which may have holes; -EINVAL. */
int name_index(const char *const *names, size_t count, const char *name);
#define NAME_INDEX(names, name) name_index((names), ARRAY_SIZE(names), (name))

/* calloc that aborts: for small sizes that no peer can influence. */
void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *s);
/*
 * Makes room for one more behind `count` elements: returns `array`, or what it
 * became at twice its `*size`. Aborts as well; whoever lets a peer choose the
 * count bounds it. What is new is not cleared.
 */
void *array_grow(void *array, size_t count, size_t *size, size_t element);
#define ARRAY_GROW(array, count, size)                                \
	((array) = array_grow((array), (count), &(size), sizeof(*(array))))
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
