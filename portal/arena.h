/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of one request: allocated piece by piece, freed as a whole. */
#ifndef PORTAL_ARENA_H
#define PORTAL_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

/* All zero is a valid empty arena. */
struct arena {
	struct arena_block *blocks;
};

/* Zeroed, aligned for any type; never NULL (small allocations abort). What a
 * peer can make us take is bounded by the server's header and body limits. */
void *arena_alloc(struct arena *arena, size_t len);
/* A copy of `len` bytes of `text` with a NUL behind. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
/* Frees everything; the arena is empty and usable again. */
void arena_fini(struct arena *arena);

#endif
