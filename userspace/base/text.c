/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one judge of text from outside: arguments of operations, forms, headers
 * and settings. What passes can be stored, logged and shown as it is; escaping
 * for a place is that place's duty.
 */
#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Length of the UTF-8 sequence at `text` and its code point; 0: malformed. */
static size_t utf8_next(const char *text, size_t len, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)text[0];
	size_t n = c < 0x80   ? 1
		   : c < 0xc2 ? 0
		   : c < 0xe0 ? 2
		   : c < 0xf0 ? 3
		   : c < 0xf5 ? 4
			      : 0,
	       i;
	uint32_t point = n == 1	  ? c
			 : n == 2 ? c & 0x1f
			 : n == 3 ? c & 0x0f
				  : c & 0x07;

	if (!n || n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (n > 1 && (point < least[n] || point > 0x10ffff ||
			     (point >= 0xd800 && point < 0xe000)))
		return 0;
	*ret_point = point;
	return n;
}

bool text_is_clean(const char *text, size_t len)
{
	size_t i = 0, n;
	uint32_t point = 0;

	for (; i < len; i += n) {
		n = utf8_next(text + i, len - i, &point);
		if (!n || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return false;
	}
	return true;
}

bool text_is_hex(const char *text, size_t len)
{
	return strlen(text) == len &&
	       strspn(text, "0123456789abcdefABCDEF") == len;
}

/* As towlower() and iswalnum() know Unicode, whatever the program's locale. */
static locale_t unicode(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale;
}

void text_fold(const char *text, char *buf, size_t len)
{
	size_t left = strlen(text), n, at = 0;
	locale_t before = uselocale(unicode());
	char bytes[MB_LEN_MAX];
	mbstate_t state = {0};
	uint32_t point = 0;
	size_t made;

	for (; left; text += n, left -= n) {
		n = utf8_next(text, left, &point);
		if (!n)
			break;
		if (!iswalnum((wint_t)point))
			continue;
		made = wcrtomb(bytes, (wchar_t)towlower((wint_t)point), &state);
		if (made == (size_t)-1 || at + made >= len)
			break;
		memcpy(buf + at, bytes, made);
		at += made;
	}
	uselocale(before);
	buf[at] = '\0';
}

bool text_has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, n))
			return true;
	}
	return false;
}

bool text_is_host_name(const char *text)
{
	const char *label = text, *c;
	bool is_number = true;
	int labels = 1;

	for (c = text; *c; c++) {
		if (*c == '.') {
			if (c == label)
				return false;
			label = c + 1;
			labels++;
			is_number = true;
			continue;
		}
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
		if (c - label == 63)
			return false;
		is_number = is_number && isdigit((unsigned char)*c);
	}
	return labels > 1 && c != label && !is_number;
}
