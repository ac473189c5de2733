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
	FORMAT_SECONDS,  /* "2d 03:04:05"; null: "no end" */
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
/* One field per line; absent and null fields are left out, FORMAT_SECONDS and
 * FORMAT_LIMIT excepted. */
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
