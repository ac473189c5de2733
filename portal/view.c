/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a page, by name. A page has some dozens and asks for each a few
 * times: a list that is compared by hash is quick enough.
 */
#include "view.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"

struct value {
	struct value *next;
	const char *name;
	uint32_t hash; /* of the name */
	const char *text;
	struct view *rows, **last_row; /* a list: `text` is NULL */
};

struct view {
	struct arena *arena;
	const struct view *parent;
	struct view *next_row;
	struct value *values;
};

struct view *view_new(struct arena *arena)
{
	struct view *view = arena_alloc(arena, sizeof(*view));

	view->arena = arena;
	return view;
}

uint32_t view_hash(const char *name)
{
	uint32_t hash = 2166136261U;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619U;
	return hash;
}

static struct value *find_own(
	const struct view *view, const char *name, uint32_t hash)
{
	struct value *value;

	for (value = view->values; value; value = value->next)
		if (value->hash == hash && !strcmp(value->name, name))
			return value;
	return NULL;
}

const struct value *view_find(
	const struct view *view, const char *name, uint32_t hash)
{
	const struct value *value = NULL;

	for (; view && !value; view = view->parent)
		value = find_own(view, name, hash);
	return value;
}

static struct value *make(struct view *view, const char *name)
{
	uint32_t hash = view_hash(name);
	struct value *value = find_own(view, name, hash);

	if (value)
		return value;
	value = arena_alloc(view->arena, sizeof(*value));
	value->name = name;
	value->hash = hash;
	value->next = view->values;
	view->values = value;
	return value;
}

void view_set(struct view *view, const char *name, const char *text)
{
	make(view, name)->text = text;
}

void view_set_int(struct view *view, const char *name, long long number)
{
	view_format(view, name, "%lld", number);
}

void view_set_flag(struct view *view, const char *name, bool flag)
{
	view_set(view, name, flag ? "1" : NULL);
}

void view_format(struct view *view, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	view_set(view, name, arena_vprintf(view->arena, fmt, args));
	va_end(args);
}

struct view *view_add_row(struct view *view, const char *name)
{
	struct value *list = make(view, name);
	struct view *row = view_new(view->arena);

	row->parent = view;
	if (!list->last_row)
		list->last_row = &list->rows;
	*list->last_row = row;
	list->last_row = &row->next_row;
	return row;
}

const char *view_get(const struct view *view, const char *name)
{
	const struct value *value = view_find(view, name, view_hash(name));

	return value ? value->text : NULL;
}

const char *value_text(const struct value *value)
{
	return value && value->text ? value->text : "";
}

const struct view *value_rows(const struct value *value)
{
	return value ? value->rows : NULL;
}

const struct view *view_next(const struct view *row)
{
	return row->next_row;
}
