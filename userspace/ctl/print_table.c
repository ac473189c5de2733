/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned columns, durations and sizes in words. Every string passes
 * put_escaped(): names and notes may come from guests, and a terminal obeys
 * what it is told.
 */
#include "ctl/print_table.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "ctl/print.h"

#define LINE_BYTES 1024
#define COLUMNS_MAX 20

/* Cells. */

/* Escapes control characters; a cut happens between characters. */
static void put_escaped(char *cell, size_t len, const char *text)
{
	size_t at = 0;

	while (*text && at + 5 < len) {
		unsigned char c = (unsigned char)*text;
		/* Controls of Latin-1 are c2 80 to c2 9f in UTF-8. */
		bool control = c < 0x20 || c == 0x7f ||
			       (c == 0xc2 && (unsigned char)text[1] < 0xa0);

		if (control) {
			at += (size_t)snprintf(
				cell + at, len - at, "\\x%02x", c);
			text++;
			continue;
		}
		do
			cell[at++] = *text++;
		while ((*text & 0xc0) == 0x80 && at + 1 < len);
	}
	cell[at] = '\0';
}

static void put_bytes(char *cell, int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(cell, CELL_BYTES, unit ? "%.2f %s" : "%.0f %s", value,
		units[unit]);
}

static void put_seconds(char *cell, int64_t seconds)
{
	int64_t days = seconds / SEC_PER_DAY;
	int len = 0;

	if (days)
		len = snprintf(cell, CELL_BYTES, "%" PRId64 "d ", days);
	snprintf(cell + len, CELL_BYTES - (size_t)len,
		"%02" PRId64 ":%02" PRId64 ":%02" PRId64,
		seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

/* In the time zone of whoever reads it. */
static void put_time(char *cell, const char *text)
{
	struct tm tm = {0};
	time_t t;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		put_escaped(cell, CELL_BYTES, text);
		return;
	}
	t = timegm(&tm);
	localtime_r(&t, &tm);
	strftime(cell, CELL_BYTES, "%Y-%m-%d %H:%M", &tm);
}

static void put_words(char *cell, const json_t *list)
{
	char text[CELL_BYTES] = "";
	const json_t *word;
	size_t at, len = 0;

	json_array_foreach(list, at, word)
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%s", at ? "," : "",
				json_string_value(word) ?: "?");
	put_escaped(cell, CELL_BYTES, text);
}

static void put_other(char *cell, const json_t *value)
{
	if (json_is_array(value))
		put_words(cell, value);
	else if (json_is_string(value))
		put_escaped(cell, CELL_BYTES,
			json_string_length(value) ? json_string_value(value)
						  : "-");
	else if (json_is_real(value))
		snprintf(cell, CELL_BYTES, "%.3f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(cell, CELL_BYTES, json_is_true(value) ? "yes" : "no");
	else
		snprintf(cell, CELL_BYTES, "-");
}

static const char *const null_texts[] = {
	[FORMAT_REST] = "no end",
	[FORMAT_MINUTES] = "no end",
	[FORMAT_LIMIT] = "no limit",
	[FORMAT_ROOM] = "no limit",
	[FORMAT_RATE] = "no limit",
	[FORMAT_EVERY] = "daily",
};

static void put_number(char *cell, int64_t number, enum format format)
{
	switch (format) {
	case FORMAT_BYTES:
	case FORMAT_ROOM:
		put_bytes(cell, number);
		break;
	case FORMAT_SECONDS:
	case FORMAT_REST:
		put_seconds(cell, number);
		break;
	case FORMAT_MINUTES:
		put_seconds(cell, number * 60);
		break;
	case FORMAT_MONEY:
		snprintf(cell, CELL_BYTES, "%" PRId64 ".%02" PRId64,
			number / 100, number % 100);
		break;
	case FORMAT_RATE:
		snprintf(cell, CELL_BYTES, "%" PRId64 " kbit/s", number);
		break;
	case FORMAT_TEXT:
	case FORMAT_NUMBER:
	case FORMAT_TIME:
	case FORMAT_LIMIT:
	case FORMAT_YES:
	case FORMAT_EVERY:
		snprintf(cell, CELL_BYTES, "%" PRId64, number);
		break;
	}
}

/* Nothing left: said shorter than with a number. */
static bool is_dash(int64_t number, enum format format)
{
	return !number && (format == FORMAT_REST || format == FORMAT_ROOM);
}

void print_cell(char *cell, const json_t *value, enum format format)
{
	const char *text = "-";

	if (json_is_null(value) && null_texts[format])
		text = null_texts[format];
	if (!value || json_is_null(value))
		snprintf(cell, CELL_BYTES, "%s", text);
	else if (json_is_string(value) && format == FORMAT_TIME)
		put_time(cell, json_string_value(value));
	else if (!json_is_integer(value))
		put_other(cell, value);
	else if (is_dash(json_integer_value(value), format))
		snprintf(cell, CELL_BYTES, "-");
	else
		put_number(cell, json_integer_value(value), format);
}

/* Columns on the terminal: characters, not bytes. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void pad(int width)
{
	for (; width > 0; width--)
		putchar(' ');
}

void print_padded(const char *cell, int width)
{
	fputs(cell, stdout);
	pad(width - width_of(cell));
}

static bool to_the_right(enum format format)
{
	return format != FORMAT_TEXT && format != FORMAT_TIME &&
	       format != FORMAT_YES;
}

static void print_row(const struct column *columns, const int *widths,
	const json_t *item)
{
	char cell[CELL_BYTES];
	int i;

	for (i = 0; columns[i].title; i++) {
		bool last = !columns[i + 1].title;
		int room;

		if (item)
			print_cell(cell, json_object_get(item, columns[i].key),
				columns[i].format);
		else
			snprintf(cell, sizeof(cell), "%s", columns[i].title);
		room = widths[i] - width_of(cell);
		if (to_the_right(columns[i].format))
			pad(room);
		fputs(cell, stdout);
		if (!to_the_right(columns[i].format) && !last)
			pad(room);
		fputs(last ? "\n" : "  ", stdout);
	}
}

void print_table(const json_t *items, const struct column *columns)
{
	int widths[COLUMNS_MAX] = {0};
	char cell[CELL_BYTES];
	const json_t *item;
	size_t at;
	int i;

	for (i = 0; columns[i].title; i++)
		widths[i] = width_of(columns[i].title);
	json_array_foreach(items, at, item) {
		for (i = 0; columns[i].title; i++) {
			print_cell(cell, json_object_get(item, columns[i].key),
				columns[i].format);
			widths[i] = MAX(widths[i], width_of(cell));
		}
	}
	print_row(columns, widths, NULL);
	json_array_foreach(items, at, item)
		print_row(columns, widths, item);
}

void print_items(const json_t *reply, const struct column *columns,
	const char *when_empty)
{
	const json_t *items = json_object_get(reply, "items");

	if (json_array_size(items))
		print_table(items, columns);
	else
		print_line(when_empty);
}

void print_fields_wide(
	const json_t *object, const struct column *columns, int width)
{
	char cell[CELL_BYTES];
	int i;

	for (i = 0; columns[i].title; i++)
		width = MAX(width, width_of(columns[i].title));
	for (i = 0; columns[i].title; i++) {
		const json_t *value = json_object_get(object, columns[i].key);

		if (!value || (json_is_null(value) &&
				      !null_texts[columns[i].format]) ||
			(json_is_string(value) && !json_string_length(value)))
			continue;
		print_cell(cell, value, columns[i].format);
		fputs(columns[i].title, stdout);
		pad(width - width_of(columns[i].title) + 2);
		puts(cell);
	}
}

void print_fields(const json_t *object, const struct column *columns)
{
	print_fields_wide(object, columns, 0);
}

void print_line(const char *text)
{
	char line[LINE_BYTES];

	put_escaped(line, sizeof(line), text);
	puts(line);
}

void print_problem(const char *text)
{
	char line[LINE_BYTES];

	put_escaped(line, sizeof(line), text);
	fprintf(stderr, "gatehousectl: %s\n", line);
}
