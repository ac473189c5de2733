/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies as text for a person: aligned columns, durations and sizes in words.
 * Which columns a verb shows is a table below. Every string passes
 * put_escaped(): names and notes may come from guests, and a terminal obeys
 * what it is told.
 */
#include "ctl/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

#define CELL_BYTES 160
#define COLUMNS_MAX 16

/* Cells. */

/* Escapes control characters; a cut happens between characters. */
static void put_escaped(char *cell, const char *text)
{
	size_t at = 0;

	while (*text && at + 5 < CELL_BYTES) {
		unsigned char c = (unsigned char)*text;
		/* Controls of Latin-1 are c2 80 to c2 9f in UTF-8. */
		bool control = c < 0x20 || c == 0x7f ||
			       (c == 0xc2 && (unsigned char)text[1] < 0xa0);

		if (control) {
			at += (size_t)snprintf(
				cell + at, CELL_BYTES - at, "\\x%02x", c);
			text++;
			continue;
		}
		do
			cell[at++] = *text++;
		while ((*text & 0xc0) == 0x80 && at + 1 < CELL_BYTES);
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
	int64_t days = seconds / 86400;
	int len = 0;

	if (days)
		len = snprintf(cell, CELL_BYTES, "%" PRId64 "d ", days);
	snprintf(cell + len, CELL_BYTES - (size_t)len,
		"%02" PRId64 ":%02" PRId64 ":%02" PRId64,
		seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

static void put_other(char *cell, const json_t *value)
{
	if (json_is_string(value))
		put_escaped(cell, json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, CELL_BYTES, "%" PRId64,
			(int64_t)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(cell, CELL_BYTES, "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(cell, CELL_BYTES, json_is_true(value) ? "yes" : "no");
	else
		snprintf(cell, CELL_BYTES, "-");
}

static void put_cell(char *cell, const json_t *value, enum format format)
{
	int64_t number = json_integer_value(value);

	if (!value || json_is_null(value)) {
		snprintf(cell, CELL_BYTES, "%s",
			!value                      ? "-"
			: format == FORMAT_SECONDS  ? "no end"
			: format == FORMAT_MINUTES  ? "no end"
			: format == FORMAT_LIMIT    ? "no limit"
			: format == FORMAT_BYTES    ? "no limit"
						    : "-");
		return;
	}
	if (!json_is_integer(value) || format == FORMAT_TEXT ||
		format == FORMAT_NUMBER || format == FORMAT_LIMIT ||
		format == FORMAT_YES)
		put_other(cell, value);
	else if (format == FORMAT_BYTES)
		put_bytes(cell, number);
	else if (format == FORMAT_SECONDS)
		put_seconds(cell, number);
	else if (format == FORMAT_MINUTES)
		put_seconds(cell, number * 60);
	else if (format == FORMAT_MONEY)
		snprintf(cell, CELL_BYTES, "%" PRId64 ".%02" PRId64,
			number / 100, number % 100);
	else if (number == 0)
		snprintf(cell, CELL_BYTES, "-");
	else
		snprintf(cell, CELL_BYTES, "%" PRId64 " kbit/s", number);
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

static bool to_the_right(enum format format)
{
	return format != FORMAT_TEXT && format != FORMAT_YES;
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
			put_cell(cell, json_object_get(item, columns[i].key),
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
			put_cell(cell, json_object_get(item, columns[i].key),
				columns[i].format);
			widths[i] = MAX(widths[i], width_of(cell));
		}
	}
	print_row(columns, widths, NULL);
	json_array_foreach(items, at, item)
		print_row(columns, widths, item);
}

void print_fields(const json_t *object, const struct column *columns)
{
	char cell[CELL_BYTES];
	int i, width = 0;

	for (i = 0; columns[i].title; i++)
		width = MAX(width, width_of(columns[i].title));
	for (i = 0; columns[i].title; i++) {
		const json_t *value = json_object_get(object, columns[i].key);

		if (!value || (json_is_null(value) &&
				      !to_the_right(columns[i].format)))
			continue;
		put_cell(cell, value, columns[i].format);
		fputs(columns[i].title, stdout);
		pad(width - width_of(columns[i].title) + 2);
		puts(cell);
	}
}

void print_line(const char *text)
{
	char cell[CELL_BYTES];

	put_escaped(cell, text);
	puts(cell);
}

void print_problem(const char *text)
{
	char cell[CELL_BYTES];

	put_escaped(cell, text);
	fprintf(stderr, "gatehousectl: %s\n", cell);
}

/* Verbs. */

static const struct column status_columns[] = {
	{"version", "version", FORMAT_TEXT},
	{"running for", "uptimeSeconds", FORMAT_SECONDS},
	{"sessions running", "sessions", FORMAT_NUMBER},
	{"client records", "records", FORMAT_NUMBER},
	{"room for records", "recordsMax", FORMAT_NUMBER},
	{"captive clients", "captive", FORMAT_NUMBER},
	{"last sweep, ms", "sweepMs", FORMAT_NUMBER},
	{"last reconcile, ms", "reconcileMs", FORMAT_NUMBER},
	{"last repair", "repairedAt", FORMAT_TEXT},
	{},
};
static const struct column network_columns[] = {
	{"NETWORK", "name", FORMAT_TEXT},
	{"NO", "number", FORMAT_NUMBER},
	{"INTERFACE", "interface", FORMAT_TEXT},
	{"PORTAL", "portal4", FORMAT_TEXT},
	{"PORTAL IPV6", "portal6", FORMAT_TEXT},
	{"GATE", "gate", FORMAT_TEXT},
	{},
};
static const struct column port_columns[] = {
	{"PORT", "interface", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"UPLOAD", "upload", FORMAT_TEXT},
	{"DOWNLOAD", "download", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{},
};
static const struct column client_columns[] = {
	{"CLIENT", "mac", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"TIME LEFT", "remainingSeconds", FORMAT_SECONDS},
	{"BYTES LEFT", "remainingBytes", FORMAT_BYTES},
	{"UP", "bytesUp", FORMAT_BYTES},
	{"DOWN", "bytesDown", FORMAT_BYTES},
	{"LAST SEEN", "lastSeen", FORMAT_TEXT},
	{"NAME", "name", FORMAT_TEXT},
	{},
};
static const struct column one_client_columns[] = {
	{"client", "mac", FORMAT_TEXT},
	{"number", "id", FORMAT_NUMBER},
	{"name", "name", FORMAT_TEXT},
	{"note", "note", FORMAT_TEXT},
	{"state", "state", FORMAT_TEXT},
	{"private address", "randomMac", FORMAT_YES},
	{"blocked", "blocked", FORMAT_YES},
	{"network", "network", FORMAT_TEXT},
	{"last seen", "lastSeen", FORMAT_TEXT},
	{"kind", "kind", FORMAT_TEXT},
	{"plan", "plan", FORMAT_TEXT},
	{"time left", "remainingSeconds", FORMAT_SECONDS},
	{"expires", "expiresAt", FORMAT_TEXT},
	{"bytes left", "remainingBytes", FORMAT_BYTES},
	{"bytes up", "bytesUp", FORMAT_BYTES},
	{"bytes down", "bytesDown", FORMAT_BYTES},
	{"session", "sessionId", FORMAT_NUMBER},
	{"token", "hasToken", FORMAT_YES},
	{},
};
static const struct column session_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"CLIENT", "mac", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"KIND", "kind", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"TIME LEFT", "remainingSeconds", FORMAT_SECONDS},
	{"BYTES LEFT", "remainingBytes", FORMAT_BYTES},
	{"STARTED", "startedAt", FORMAT_TEXT},
	{"ENDED", "endedAt", FORMAT_TEXT},
	{"WHY", "endReason", FORMAT_TEXT},
	{},
};
static const struct column plan_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"NAME", "name", FORMAT_TEXT},
	{"TIME", "minutes", FORMAT_MINUTES},
	{"MB", "megabytes", FORMAT_LIMIT},
	{"UP", "upKbps", FORMAT_RATE},
	{"DOWN", "downKbps", FORMAT_RATE},
	{"PRICE", "priceMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{"MOVES", "moves", FORMAT_LIMIT},
	{"DEVICES", "devices", FORMAT_NUMBER},
	{"TOKEN DAYS", "tokenDays", FORMAT_NUMBER},
	{},
};
static const struct column voucher_columns[] = {
	{"CODE", "code", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"BATCH", "batch", FORMAT_TEXT},
	{"EXPIRES", "expiresAt", FORMAT_TEXT},
	{"USED", "usedAt", FORMAT_TEXT},
	{"BY", "usedMac", FORMAT_TEXT},
	{},
};
static const struct column difference_columns[] = {
	{"CLIENT", "mac", FORMAT_TEXT},
	{"FIELD", "field", FORMAT_TEXT},
	{"STORE", "expected", FORMAT_TEXT},
	{"KERNEL", "found", FORMAT_TEXT},
	{},
};
static const struct column reason_columns[] = {
	{"REASON", "reason", FORMAT_TEXT},
	{"PACKETS", "packets", FORMAT_NUMBER},
	{"BYTES", "bytes", FORMAT_NUMBER},
	{},
};

static void print_items(const json_t *reply, const struct column *columns,
	const char *when_empty)
{
	const json_t *items = json_object_get(reply, "items");

	if (json_array_size(items))
		print_table(items, columns);
	else
		print_line(when_empty);
}

void print_done(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));

	print_line(message ? message : "done");
}

void print_status(const json_t *reply)
{
	print_fields(reply, status_columns);
	putchar('\n');
	print_table(json_object_get(reply, "networks"), network_columns);
	if (json_array_size(json_object_get(reply, "ports"))) {
		putchar('\n');
		print_table(json_object_get(reply, "ports"), port_columns);
	}
}

void print_clients(const json_t *reply)
{
	print_items(reply, client_columns, "no clients");
}

void print_client(const json_t *reply)
{
	print_fields(reply, one_client_columns);
}

void print_sessions(const json_t *reply)
{
	print_items(reply, session_columns, "no sessions");
}

void print_plans(const json_t *reply)
{
	print_items(reply, plan_columns, "no plans");
}

/* One per line and nothing else: made to be piped. */
void print_codes(const json_t *reply)
{
	const json_t *code;
	size_t at;

	json_array_foreach(json_object_get(reply, "codes"), at, code)
		print_line(json_string_value(code));
}

void print_vouchers(const json_t *reply)
{
	print_items(reply, voucher_columns, "no vouchers");
}

/* Of a success, and of a reply with the code "differs". */
void print_verify(const json_t *reply)
{
	const json_t *differences = json_object_get(reply, "differences");
	json_int_t checked =
		json_integer_value(json_object_get(reply, "checked"));

	if (json_array_size(differences)) {
		print_table(differences, difference_columns);
		if (json_is_true(json_object_get(reply, "repaired")))
			print_line("All of them are repaired.");
	} else {
		printf("%" PRId64 " client records equal the store.\n",
			(int64_t)checked);
	}
}

void print_reasons(const json_t *reply)
{
	print_items(reply, reason_columns, "no packets yet");
}
