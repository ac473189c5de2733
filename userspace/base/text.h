/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What text may be that comes from outside. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 without control characters, those of Latin-1 included. */
bool text_is_clean(const char *text, size_t len);
/* Exactly `len` hex digits. */
bool text_is_hex(const char *text, size_t len);
/* Is `word` one of those in `list`, with a space between them? */
bool text_has_word(const char *list, const char *word);
/* What is left of a text when people compare two: its letters and digits, in
 * lower case, of every script; at most len - 1 bytes. */
void text_fold(const char *text, char *buf, size_t len);
/* A name in the DNS: two labels or more, of letters, digits, '-' and '_', the
 * last of them not a number; no dot at the end. */
bool text_is_host_name(const char *text);

#endif
