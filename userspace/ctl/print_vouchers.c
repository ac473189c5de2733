/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vouchers as text: lists, one with its history, a file for a spreadsheet, and
 * what is sold or printed. Codes go to who asked for them, and nowhere else.
 */
#include <inttypes.h>
#include <string.h>

#include "base/csv.h"
#include "base/util.h"
#include "ctl/print.h"
#include "ctl/print_table.h"
#include "base/sheet.h"

static const struct column voucher_columns[] = {
	{"CODE", "code", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"BATCH", "batch", FORMAT_TEXT},
	{"EXPIRES", "expiresAt", FORMAT_TIME},
	{"SOLD", "soldAt", FORMAT_TIME},
	{"FOR", "soldMinor", FORMAT_MONEY},
	{"USED", "usedAt", FORMAT_TIME},
	{"USED BY", "usedMac", FORMAT_TEXT},
	{"MADE BY", "createdBy", FORMAT_TEXT},
	{},
};
static const struct column one_voucher_columns[] = {
	{"code", "code", FORMAT_TEXT},
	{"state", "state", FORMAT_TEXT},
	{"plan", "plan", FORMAT_TEXT},
	{"batch", "batch", FORMAT_TEXT},
	{"expires", "expiresAt", FORMAT_TIME},
	{"payment", "paymentId", FORMAT_NUMBER},
	{"sold for", "soldMinor", FORMAT_MONEY},
	{},
};
static const struct column session_columns[] = {
	{"session", "id", FORMAT_NUMBER},
	{"  device", "mac", FORMAT_TEXT},
	{"  state", "state", FORMAT_TEXT},
	{"  time in all", "remainingSeconds", FORMAT_REST},
	{"  bytes up", "bytesUp", FORMAT_BYTES},
	{"  bytes down", "bytesDown", FORMAT_BYTES},
	{},
};
static const struct column history_columns[] = {
	{"WHEN", "at", FORMAT_TIME},
	{"WHAT", "what", FORMAT_TEXT},
	{"WHO", "who", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"DETAIL", "detail", FORMAT_TEXT},
	{},
};
static const struct column batch_columns[] = {
	{"BATCH", "batch", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"MADE", "createdAt", FORMAT_TIME},
	{"BY", "createdBy", FORMAT_TEXT},
	{"EXPIRES", "expiresAt", FORMAT_TIME},
	{"VOUCHERS", "vouchers", FORMAT_NUMBER},
	{"UNUSED", "unused", FORMAT_NUMBER},
	{"USED", "used", FORMAT_NUMBER},
	{"REVOKED", "revoked", FORMAT_NUMBER},
	{"SOLD", "sold", FORMAT_NUMBER},
	{"FOR", "soldMinor", FORMAT_MONEY},
	{},
};
static const char *const export_keys[] = {"code", "plan", "batch", "state",
	"createdAt", "createdBy", "expiresAt", "soldAt", "soldBy", "soldMinor",
	"usedAt", "usedMac"};

void print_vouchers(const json_t *reply)
{
	print_items(reply, voucher_columns, "no vouchers");
}

void print_batches(const json_t *reply)
{
	print_items(reply, batch_columns, "no vouchers");
}

void print_voucher(const json_t *reply)
{
	print_fields_wide(reply, one_voucher_columns, 13);
	if (json_is_object(json_object_get(reply, "session")))
		print_fields_wide(
			json_object_get(reply, "session"), session_columns, 13);
	putchar('\n');
	print_table(json_object_get(reply, "history"), history_columns);
}

void print_voucher_csv(const json_t *reply)
{
	const json_t *item, *value;
	char number[24];
	size_t at, i;

	for (i = 0; i < ARRAY_SIZE(export_keys); i++)
		csv_put(stdout, export_keys[i], !i);
	fputs("\r\n", stdout);
	json_array_foreach(json_object_get(reply, "items"), at, item) {
		for (i = 0; i < ARRAY_SIZE(export_keys); i++) {
			value = json_object_get(item, export_keys[i]);
			snprintf(number, sizeof(number), "%" PRId64,
				(int64_t)json_integer_value(value));
			csv_put(stdout,
				json_is_integer(value) ? number
						       : json_string_value(value),
				!i);
		}
		fputs("\r\n", stdout);
	}
}

/* What was said of the paper; gatehousectl has judged it. */
static const char *own(const json_t *reply, const char *key)
{
	return json_string_value(
		json_object_get(json_object_get(reply, "own"), key));
}

void print_sheet(const json_t *reply)
{
	sheet_print(stdout, reply, own(reply, "paper") ?: "a4",
		own(reply, "lang") ?: "en");
}

/* The code alone in its line: it may be read by a script. */
void print_sale(const json_t *reply)
{
	const json_t *item =
		json_array_get(json_object_get(reply, "items"), 0);
	int64_t paid = json_integer_value(json_object_get(reply, "paidMinor"));
	bool is_sheet = own(reply, "paper") || own(reply, "out");
	char text[200];

	if (is_sheet)
		print_sheet(reply);
	else
		print_line(json_string_value(json_object_get(item, "code")) ?: "?");
	snprintf(text, sizeof(text),
		"%s, sold for %" PRId64 ".%02" PRId64 " %s (payment %" PRId64 ").",
		json_string_value(json_object_get(item, "plan")) ?: "",
		paid / 100, paid % 100,
		json_string_value(json_object_get(reply, "currency")) ?: "",
		(int64_t)json_integer_value(json_object_get(reply, "paymentId")));
	/* The sheet is the guest's, this the seller's. */
	if (is_sheet)
		fprintf(stderr, "%s\n", text);
	else
		print_line(text);
}

void print_import(const json_t *reply)
{
	const json_t *refused = json_object_get(reply, "refused"), *code;
	int64_t weak = json_integer_value(json_object_get(reply, "weak"));
	size_t at;

	printf("%" PRId64 " codes were taken in, %" PRId64
	       " were known before, %zu were refused.\n",
		(int64_t)json_integer_value(json_object_get(reply, "added")),
		(int64_t)json_integer_value(json_object_get(reply, "known")),
		json_array_size(refused));
	if (json_array_size(refused))
		print_line("A code has letters and digits, 32 at most. Refused:");
	json_array_foreach(refused, at, code)
		print_line(json_string_value(code) ?: "?");
	if (weak)
		printf("%" PRId64 " of the codes can be guessed: they have less "
		       "than 32 bits. Use them up soon, and print others with "
		       "`gatehousectl voucher create`.\n",
			weak);
}
