/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members, the QR codes by which they log in, and who did. A code itself is
 * shown by print_qr.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "ctl/print.h"
#include "ctl/print_table.h"

static const struct column member_columns[] = {
	{"IDENTITY", "identity", FORMAT_TEXT},
	{"NAME", "name", FORMAT_TEXT},
	{"ROLE", "role", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"ONLINE", "online", FORMAT_NUMBER},
	{"OF", "devices", FORMAT_NUMBER},
	{"FROM", "checkIn", FORMAT_TIME},
	{"UNTIL", "checkOut", FORMAT_TIME},
	{"LAST LOGIN", "lastUsedAt", FORMAT_TIME},
	{},
};
static const struct column one_member_columns[] = {
	{"identity", "identity", FORMAT_TEXT},
	{"name", "name", FORMAT_TEXT},
	{"e-mail", "email", FORMAT_TEXT},
	{"role", "role", FORMAT_TEXT},
	{"operator", "operator", FORMAT_TEXT},
	{"plan", "plan", FORMAT_TEXT},
	{"devices", "devices", FORMAT_NUMBER},
	{"online", "online", FORMAT_NUMBER},
	{"check-in", "checkIn", FORMAT_TIME},
	{"check-out", "checkOut", FORMAT_TIME},
	{"last name", "proofName", FORMAT_TEXT},
	{"room", "proofRoom", FORMAT_TEXT},
	{"last login", "lastUsedAt", FORMAT_TIME},
	{"made", "createdAt", FORMAT_TIME},
	{"by", "createdBy", FORMAT_TEXT},
	{},
};
static const struct column code_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"WHERE", "label", FORMAT_TEXT},
	{"GOOD", "isActive", FORMAT_YES},
	{"UNTIL", "expiresAt", FORMAT_TIME},
	{"REVOKED", "revokedAt", FORMAT_TIME},
	{"NEXT", "nextId", FORMAT_NUMBER},
	{"LOGINS", "sessionCount", FORMAT_NUMBER},
	{"MADE", "createdAt", FORMAT_TIME},
	{"BY", "createdBy", FORMAT_TEXT},
	{},
};
static const struct column session_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"IDENTITY", "identity", FORMAT_TEXT},
	{"NAME", "name", FORMAT_TEXT},
	{"ROLE", "role", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"ADDRESS", "ip", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"CODE", "qrTokenId", FORMAT_NUMBER},
	{"SINCE", "createdAt", FORMAT_TIME},
	{"UNTIL", "expiresAt", FORMAT_TIME},
	{},
};

void print_members(const json_t *reply)
{
	print_items(reply, member_columns,
		"no members; `gatehousectl member add` and `member import` make "
		"some");
}

void print_member(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));

	print_fields(reply, one_member_columns);
	if (message)
		print_line(message);
}

void print_member_import(const json_t *reply)
{
	const json_t *failed = json_object_get(reply, "failed"), *row;
	char text[400];
	size_t at;

	printf("New members: %" PRId64 ", there before and changed: %" PRId64
	       ", lines refused: %zu.\n",
		(int64_t)json_integer_value(json_object_get(reply, "added")),
		(int64_t)json_integer_value(json_object_get(reply, "changed")),
		json_array_size(failed));
	json_array_foreach(failed, at, row) {
		snprintf(text, sizeof(text), "line %" PRId64 ": %s",
			(int64_t)json_integer_value(json_object_get(row, "line")),
			json_string_value(json_object_get(row, "error")));
		print_line(text);
	}
}

void print_qr_codes(const json_t *reply)
{
	const json_t *codes = json_object_get(reply, "qrTokens");

	if (json_array_size(codes))
		print_table(codes, code_columns);
	else
		print_line("no QR codes; `gatehousectl qr generate` makes one");
}

void print_qr_sessions(const json_t *reply)
{
	print_items(reply, session_columns, "nobody is logged in by a QR code");
}
