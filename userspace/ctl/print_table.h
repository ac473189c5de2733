/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replies are shown as: tables and lists of fields, by rows of columns.
 * For print*.c. Every string is escaped on its way to the terminal.
 */
#ifndef CTL_PRINT_TABLE_H
#define CTL_PRINT_TABLE_H

#include "base/json.h"

enum format {
	FORMAT_TEXT,
	FORMAT_NUMBER,
	FORMAT_BYTES,	/* "1.5 GB": powers of 1000, as plans are sold */
	FORMAT_ROOM,	/* the same of bytes left; null: "no limit", 0: "-" */
	FORMAT_SECONDS, /* "2d 03:04:05" */
	FORMAT_REST,	/* the same of time left; null: "no end", 0: "-" */
	FORMAT_TIME,	/* RFC 3339 -> "2026-11-21 10:39", local */
	FORMAT_MINUTES, /* the same as FORMAT_REST, from minutes */
	FORMAT_MONEY,	/* minor units; the currency is a column of its own */
	FORMAT_LIMIT,	/* number; null: "no limit" */
	FORMAT_RATE,	/* kbit/s; null: "no limit" */
	FORMAT_YES,	/* true: "yes" */
	FORMAT_EVERY,	/* seconds between; null: "daily" */
};

struct column {
	const char *title;
	const char *key;
	enum format format;
};

#define CELL_BYTES 160
/* A value as text; `cell` has CELL_BYTES. */
void print_cell(char *cell, const json_t *value, enum format format);
/* The cell, and spaces up to `width` columns of the terminal. */
void print_padded(const char *cell, int width);
/* Rows end with a NULL title. Numbers are aligned to the right. */
void print_table(const json_t *items, const struct column *columns);
/* The "items" of a list; the sentence when there are none. */
void print_items(const json_t *reply, const struct column *columns,
	const char *when_empty);
/* One field per line; absent, empty and null fields are left out, unless null
 * means that there is no limit. */
void print_fields(const json_t *object, const struct column *columns);
/* Titles have `width` columns, or more. */
void print_fields_wide(
	const json_t *object, const struct column *columns, int width);
void print_line(const char *text);

#endif
