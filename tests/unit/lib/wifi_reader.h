/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a WIFI: string as a phone does: fields end at a ';' without a backslash
 * before it, and a backslash makes the next character plain.
 */
#ifndef TESTS_WIFI_READER_H
#define TESTS_WIFI_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct wifi_read {
	char security[16], ssid[256], password[512], hidden[16];
};

/* One field's value; returns behind its ';', NULL: it does not end. */
static inline const char *wifi_read_value(const char *at, char *ret, size_t size)
{
	size_t len = 0;

	for (; *at && *at != ';'; at++) {
		if (*at == '\\' && !*++at)
			return NULL;
		if (len + 1 >= size)
			return NULL;
		ret[len++] = *at;
	}
	ret[len] = '\0';
	return *at ? at + 1 : NULL;
}

static inline bool wifi_read(const char *text, struct wifi_read *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (strncmp(text, "WIFI:", 5))
		return false;
	for (text += 5; *text && *text != ';';) {
		char key = *text;

		if (text[1] != ':')
			return false;
		text += 2;
		if (key == 'T')
			text = wifi_read_value(text, ret->security, sizeof(ret->security));
		else if (key == 'S')
			text = wifi_read_value(text, ret->ssid, sizeof(ret->ssid));
		else if (key == 'P')
			text = wifi_read_value(text, ret->password, sizeof(ret->password));
		else if (key == 'H')
			text = wifi_read_value(text, ret->hidden, sizeof(ret->hidden));
		else
			return false;
		if (!text)
			return false;
	}
	return !strcmp(text, ";");
}

#endif
