/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How gatehousectl shows a reply to a person. Text in replies may come from
 * guests: nothing of it reaches the terminal unescaped.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include "base/json.h"

enum format {
	FORMAT_TEXT,
	FORMAT_NUMBER,
	FORMAT_BYTES,    /* "1.5 GB": powers of 1000, as plans are sold */
	FORMAT_ROOM,     /* the same of bytes left; null: "no limit", 0: "-" */
	FORMAT_SECONDS,  /* "2d 03:04:05" */
	FORMAT_REST,     /* the same of time left; null: "no end", 0: "-" */
	FORMAT_TIME,     /* RFC 3339 -> "2026-11-21 10:39", local */
	FORMAT_MINUTES,  /* the same from minutes */
	FORMAT_MONEY,    /* minor units; the currency is a column of its own */
	FORMAT_LIMIT,    /* number; null: "no limit" */
	FORMAT_RATE,     /* kbit/s; 0 or null: "-" */
	FORMAT_YES,      /* true: "yes" */
};

struct column {
	const char *title;
	const char *key;
	enum format format;
};

/* Rows end with a NULL title. Numbers are aligned to the right. */
void print_table(const json_t *items, const struct column *columns);
/* One field per line; absent, empty and null fields are left out, unless null
 * means that there is no limit. */
void print_fields(const json_t *object, const struct column *columns);
/* Text with control characters escaped, and a line feed. */
void print_line(const char *text);
/* The same to stderr, behind "gatehousectl: ". */
void print_problem(const char *text);

/* Printers of verbs: the reply of a success. */
void print_done(const json_t *reply);
void print_status(const json_t *reply);
void print_clients(const json_t *reply);
void print_client(const json_t *reply);
void print_sessions(const json_t *reply);
void print_plans(const json_t *reply);
void print_codes(const json_t *reply);
void print_vouchers(const json_t *reply);
void print_verify(const json_t *reply);
void print_reasons(const json_t *reply);

#endif
