/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoding of what browsers send. Whatever leaves this file is valid UTF-8
 * without control characters and bounded in length, so that no handler, page
 * or log has to ask again. Escaping for a place is that place's duty.
 */
#include "form.h"

#include <ctype.h>

#include "base/text.h"
#include "base/util.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "+" and "%20" are spaces. The length, or -EBADMSG after a bad escape. */
static ssize_t unescape(const char *text, size_t len, char *to)
{
	size_t i, out = 0;

	for (i = 0; i < len; i++) {
		int high, low;

		if (text[i] != '%') {
			to[out++] = text[i] == '+' ? ' ' : text[i];
			continue;
		}
		if (len - i < 3)
			return -EBADMSG;
		high = hex_value(text[i + 1]);
		low = hex_value(text[i + 2]);
		if (high < 0 || low < 0)
			return -EBADMSG;
		to[out++] = (char)(high << 4 | low);
		i += 2;
	}
	return (ssize_t)out;
}

/* One name or value; NULL when it is not clean. */
static const char *decode(struct arena *arena, const char *text, size_t len)
{
	ssize_t out;
	char *to;

	if (len > 3 * FORM_VALUE_MAX)
		return NULL;
	to = arena_alloc(arena, len + 1);
	out = unescape(text, len, to);
	if (out < 0 || out > FORM_VALUE_MAX || !text_is_clean(to, (size_t)out))
		return NULL;
	return to;
}

/* "\r\n" and "\n" end a line, a tab is a space. */
static bool clean_lines(char *text, size_t len)
{
	size_t i, out = 0, begun = 0;

	for (i = 0; i < len; i++) {
		if (text[i] == '\r')
			continue;
		text[out++] = (char)(text[i] == '\t' ? ' ' : text[i]);
		if (text[i] != '\n')
			continue;
		if (!text_is_clean(text + begun, out - 1 - begun))
			return false;
		begun = out;
	}
	text[out] = '\0';
	return text_is_clean(text + begun, out - begun);
}

char *form_lines(struct arena *arena, const char *text, size_t len,
	const char *name)
{
	size_t name_len = strlen(name), part;
	const char *end;
	ssize_t out;
	char *to;

	if (!text)
		return NULL;
	end = text + len;
	for (; text < end; text += part + 1) {
		part = strcspn(text, "&");
		if (part <= name_len || memcmp(text, name, name_len) ||
			text[name_len] != '=')
			continue;
		text += name_len + 1;
		part -= name_len + 1;
		to = arena_alloc(arena, part + 1);
		out = unescape(text, part, to);
		return out >= 0 && clean_lines(to, (size_t)out) ? to : NULL;
	}
	return NULL;
}

void form_parse(struct arena *arena, const char *text, size_t len,
	struct form *ret_form)
{
	const char *end = text + len;

	ret_form->count = 0;
	while (text < end && ret_form->count < FORM_FIELDS_MAX) {
		const char *stop = memchr(text, '&', (size_t)(end - text));
		const char *equals, *name, *value;

		if (!stop)
			stop = end;
		equals = memchr(text, '=', (size_t)(stop - text));
		if (equals && equals > text) {
			name = decode(arena, text, (size_t)(equals - text));
			value = decode(
				arena, equals + 1, (size_t)(stop - equals - 1));
			if (name && value) {
				ret_form->fields[ret_form->count].name = name;
				ret_form->fields[ret_form->count].value = value;
				ret_form->count++;
			}
		}
		text = stop + 1;
	}
}

const char *form_get(const struct form *form, const char *name)
{
	int i;

	for (i = 0; i < form->count; i++)
		if (!strcmp(form->fields[i].name, name))
			return form->fields[i].value;
	return NULL;
}

const char *form_escape(struct arena *arena, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *escaped = arena_alloc(arena, 3 * strlen(text) + 1), *to = escaped;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c)) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return escaped;
}

const char *cookie_get(struct arena *arena, const char *header, const char *name)
{
	size_t name_len = strlen(name);

	while (header && *header) {
		size_t len;

		header += strspn(header, " \t;");
		len = strcspn(header, ";");
		if (len > name_len && header[name_len] == '=' &&
			!memcmp(header, name, name_len)) {
			const char *value = header + name_len + 1;

			len -= name_len + 1;
			while (len && (value[len - 1] == ' ' ||
					      value[len - 1] == '\t'))
				len--;
			return len <= FORM_VALUE_MAX && text_is_clean(value, len)
				       ? arena_copy(arena, value, len)
				       : NULL;
		}
		header += len;
	}
	return NULL;
}
