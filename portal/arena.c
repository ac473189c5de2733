/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of blocks, the newest first. Nothing is freed before the whole is:
 * a request lives for milliseconds, and whoever reads a handler need not ask
 * who owns a string.
 */
#include "arena.h"

#include <stdarg.h>

#include "base/util.h"

#define BLOCK_SIZE 4096
#define ALIGNMENT  16

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char data[] __attribute__((aligned(ALIGNMENT)));
};

void *arena_alloc(struct arena *arena, size_t len)
{
	size_t need = (len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct arena_block *block = arena->blocks;
	void *at;

	if (!block || block->size - block->used < need) {
		size_t size = MAX(need, (size_t)BLOCK_SIZE);

		block = xcalloc(1, sizeof(*block) + size);
		block->size = size;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	at = block->data + block->used;
	block->used += need;
	return at;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
	_cleanup_free_ char *text = NULL;
	int len = vasprintf(&text, fmt, args);

	if (len < 0)
		abort();
	return arena_copy(arena, text, (size_t)len);
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = arena_vprintf(arena, fmt, args);
	va_end(args);
	return text;
}

void arena_fini(struct arena *arena)
{
	struct arena_block *next;

	for (; arena->blocks; arena->blocks = next) {
		next = arena->blocks->next;
		free(arena->blocks);
	}
}
