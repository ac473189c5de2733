/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The template reader: one pass over the text, no tree. A section that is not
 * shown is walked all the same, silently, so that a malformed template fails
 * on each rendering and not only when its branch is taken.
 *
 * Invariant: a value or a translation reaches the page through buf_put_html()
 * only; raw bytes come from embedded templates alone.
 */
#include "template.h"

#include <ctype.h>
#include <stdarg.h>

#include "base/embed.h"
#include "base/log.h"
#include "base/util.h"

#define DEPTH_MAX      12
#define NAME_MAX_BYTES 48

struct value {
	struct value *next;
	const char *name;
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

static struct value *find_own(const struct view *view, const char *name)
{
	struct value *value;

	for (value = view->values; value; value = value->next)
		if (!strcmp(value->name, name))
			return value;
	return NULL;
}

static const struct value *find(const struct view *view, const char *name)
{
	const struct value *value = NULL;

	for (; view && !value; view = view->parent)
		value = find_own(view, name);
	return value;
}

static struct value *make(struct view *view, const char *name)
{
	struct value *value = find_own(view, name);

	if (value)
		return value;
	value = arena_alloc(view->arena, sizeof(*value));
	value->name = name;
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
	_cleanup_free_ char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		abort();
	view_set(view, name, arena_copy(view->arena, text, (size_t)len));
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
	const struct value *value = find(view, name);

	return value ? value->text : NULL;
}

/* One tag, taken apart. */
struct tag {
	char kind; /* '#', '^', '/', '>', 0: a value */
	char name[NAME_MAX_BYTES];
};

/* What one rendering carries along. */
struct render {
	const struct lang *lang;
	struct buf *buf;
	int depth;
	struct tag *latest; /* read; at the end: what it failed at */
};

static int parse_tag(const char *text, size_t len, struct tag *ret_tag)
{
	size_t i;

	*ret_tag = (struct tag){0};
	if (len && strchr("#^/>", *text)) {
		ret_tag->kind = *text++;
		len--;
	}
	if (!len || len >= sizeof(ret_tag->name))
		return -EBADMSG;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return -EBADMSG;
	memcpy(ret_tag->name, text, len);
	ret_tag->name[len] = '\0';
	return 0;
}

/* Marks around a value (Unicode UAX #9): where the text runs from right to left,
 * an address or a code would else be torn apart. */
#define ISOLATE     "\u2068"
#define ISOLATE_END "\u2069"

static void put_value_in_text(
	const char *value, const struct lang *lang, struct buf *buf)
{
	const char *before = lang_is_rtl(lang) ? ISOLATE : "";
	const char *behind = lang_is_rtl(lang) ? ISOLATE_END : "";

	buf_put_html(buf, before, strlen(before));
	buf_put_html(buf, value, strlen(value));
	buf_put_html(buf, behind, strlen(behind));
}

/* Replaces "{name}" in a translation. */
static void put_text(const char *text, const struct lang *lang,
	const struct view *view, struct buf *buf)
{
	while (*text) {
		size_t plain = strcspn(text, "{"), len;
		char name[NAME_MAX_BYTES];
		const char *value;

		buf_put_html(buf, text, plain);
		text += plain;
		if (!*text)
			return;
		len = strcspn(text, "}");
		if (text[len] != '}' || len > sizeof(name)) {
			buf_put_html(buf, text, strlen(text));
			return;
		}
		memcpy(name, text + 1, len - 1);
		name[len - 1] = '\0';
		value = view_get(view, name);
		if (value)
			put_value_in_text(value, lang, buf);
		text += len + 1;
	}
}

static int put_value(
	const struct render *r, const struct tag *tag, const struct view *view)
{
	const char *text;

	if (!strncmp(tag->name, "t.", 2)) {
		text = lang_text(r->lang, tag->name + 2);
		if (!text)
			return -EBADMSG;
		if (r->buf)
			put_text(text, r->lang, view, r->buf);
		return 0;
	}
	text = view_get(view, tag->name);
	if (text && r->buf)
		buf_put_html(r->buf, text, strlen(text));
	return 0;
}

static int render(struct render *r, const char *text, const char *end,
	const struct view *view, const char *closing, const char **ret_end);

static int render_file(struct render *r, const char *name, const struct view *view)
{
	const struct embed *file;
	const char *end;

	for (file = embed_portal; file->name; file++)
		if (!strcmp(file->name, name))
			return render(r, file->data, file->data + file->len,
				view, NULL, &end);
	return -ENOENT;
}

/* The text from behind an opening tag; `ret_end`: behind the closing one. */
static int render_section(struct render *r, const struct tag *tag,
	const char *text, const char *end, const struct view *view,
	const char **ret_end)
{
	const struct value *value = find(view, tag->name);
	bool is_set = value && (value->rows || (value->text && *value->text));
	struct render silent = *r;
	const struct view *row;
	int ret;

	silent.buf = NULL;
	if (is_set != (tag->kind == '#'))
		return render(&silent, text, end, view, tag->name, ret_end);
	if (!value || !value->rows)
		return render(r, text, end, view, tag->name, ret_end);
	for (row = value->rows; row; row = row->next_row) {
		ret = render(r, text, end, row, tag->name, ret_end);
		if (ret)
			return ret;
	}
	return 0;
}

/* Up to {{/closing}}, or to the end when that is NULL. */
static int render(struct render *r, const char *text, const char *end,
	const struct view *view, const char *closing, const char **ret_end)
{
	int ret = 0;

	if (++r->depth > DEPTH_MAX)
		ret = -EBADMSG;
	while (!ret) {
		const char *open = memmem(text, (size_t)(end - text), "{{", 2);
		const char *close =
			open ? memmem(open, (size_t)(end - open), "}}", 2) : end;
		struct tag tag;

		if (r->buf)
			buf_put(r->buf, text,
				(size_t)((open ? open : end) - text));
		if (!open) {
			ret = closing ? -EBADMSG : 0;
			*ret_end = end;
			break;
		}
		if (!close ||
			parse_tag(open + 2, (size_t)(close - open - 2), &tag))
			ret = -EBADMSG;
		text = ret ? end : close + 2;
		if (ret)
			break;
		*r->latest = tag;
		if (tag.kind == '/') {
			ret = closing && !strcmp(closing, tag.name) ? 0
								    : -EBADMSG;
			*ret_end = text;
			break;
		}
		if (tag.kind == '>')
			ret = render_file(r, tag.name, view);
		else if (tag.kind)
			ret = render_section(r, &tag, text, end, view, &text);
		else
			ret = put_value(r, &tag, view);
	}
	r->depth--;
	return ret;
}

int template_render(const char *name, const struct view *view,
	const struct lang *lang, struct buf *buf)
{
	struct tag latest = {0};
	struct render r = {.lang = lang, .buf = buf, .latest = &latest};
	int ret = render_file(&r, name, view);

	if (!ret && buf->overflow)
		ret = -E2BIG;
	if (ret)
		log_error("%s in %s: %s, at or behind {{%.1s%s}}", name,
			lang_code(lang), strerror(-ret), &latest.kind,
			latest.name);
	return ret;
}

int template_render_text(const char *source, size_t len,
	const struct view *view, const struct lang *lang, struct buf *buf)
{
	struct tag latest = {0};
	struct render r = {.lang = lang, .buf = buf, .latest = &latest};
	const char *end;
	int ret = render(&r, source, source + len, view, NULL, &end);

	return ret ? ret : buf->overflow ? -E2BIG : 0;
}
