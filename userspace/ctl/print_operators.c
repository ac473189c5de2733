/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operators, their API tokens, and the log of who asked for what. A new token
 * is shown here once; nobody can show it again.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "ctl/print.h"
#include "ctl/print_table.h"

static const struct column operator_columns[] = {
	{"NAME", "name", FORMAT_TEXT},
	{"ROLE", "role", FORMAT_TEXT},
	{"LAST LOGIN", "lastLoginAt", FORMAT_TIME},
	{"LOGINS", "sessions", FORMAT_NUMBER},
	{"TOKENS", "tokens", FORMAT_NUMBER},
	{"MADE", "createdAt", FORMAT_TIME},
	{"BY", "createdBy", FORMAT_TEXT},
	{},
};

static const struct column token_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"OPERATOR", "name", FORMAT_TEXT},
	{"ROLE", "role", FORMAT_TEXT},
	{"FOR", "label", FORMAT_TEXT},
	{"USED", "usedAt", FORMAT_TIME},
	{"EXPIRES", "expiresAt", FORMAT_TIME},
	{"MADE", "createdAt", FORMAT_TIME},
	{"BY", "createdBy", FORMAT_TEXT},
	{},
};

static const struct column access_columns[] = {
	{"TIME", "time", FORMAT_TIME},
	{"WHO", "who", FORMAT_TEXT},
	{"OPERATION", "operation", FORMAT_TEXT},
	{"RESULT", "result", FORMAT_TEXT},
	{"MS", "ms", FORMAT_TEXT},
	{},
};

void print_operators(const json_t *reply)
{
	print_items(reply, operator_columns,
		"no operators; `gatehousectl operator add NAME --role admin` "
		"makes the first");
}

void print_operator(const json_t *reply)
{
	const char *message =
		json_string_value(json_object_get(reply, "message"));
	json_int_t ended = json_integer_value(json_object_get(reply, "ended"));
	char text[256];

	snprintf(text, sizeof(text), "%s (%s)",
		json_string_value(json_object_get(reply, "name")),
		json_string_value(json_object_get(reply, "role")));
	print_line(text);
	if (message)
		print_line(message);
	if (json_object_get(reply, "ended"))
		printf("%" PRId64 " login%s ended.\n", (int64_t)ended,
			ended == 1 ? "" : "s");
}

void print_tokens(const json_t *reply)
{
	print_items(reply, token_columns, "no API tokens");
}

void print_token(const json_t *reply)
{
	print_line(json_string_value(json_object_get(reply, "token")));
	fputs("It is shown this once. Whoever has it may do what the operator "
	      "may;\nsend it as `Authorization: Bearer TOKEN`.\n",
		stderr);
}

void print_access(const json_t *reply)
{
	print_items(reply, access_columns, "nothing was asked for yet");
}
