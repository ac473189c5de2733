/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growing buffer, bounded. It knows HTML escaping because there must be one
 * place only that does; nothing else in the portal writes an entity.
 */
#include "buf.h"

#include "base/util.h"

#define FIRST_SIZE 4096

static bool make_room(struct buf *buf, size_t len)
{
	size_t need = buf->len + len + 1, size = MAX(buf->size, FIRST_SIZE);
	char *data;

	if (len > BUF_MAX || need > BUF_MAX) {
		buf->overflow = true;
		return false;
	}
	if (need <= buf->size)
		return true;
	while (size < need)
		size *= 2;
	data = realloc(buf->data, size);
	if (!data)
		abort();
	buf->data = data;
	buf->size = size;
	return true;
}

void buf_put(struct buf *buf, const char *data, size_t len)
{
	if (!make_room(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '`':
		return "&#96;";
	default:
		return NULL;
	}
}

void buf_put_html(struct buf *buf, const char *text, size_t len)
{
	size_t from = 0, i;

	for (i = 0; i < len; i++) {
		const char *word = entity(text[i]);

		if (!word)
			continue;
		buf_put(buf, text + from, i - from);
		buf_puts(buf, word);
		from = i + 1;
	}
	buf_put(buf, text + from, len - from);
}

void buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}
