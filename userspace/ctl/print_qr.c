/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QR code in the terminal, for who sits at one with a phone in the hand, and
 * below it what it says, to be copied.
 */
#include "ctl/print.h"

#include <stdio.h>

#include "base/qr.h"
#include "base/util.h"
#include "ctl/print_table.h"

static const struct column until[] = {
	{"good until", "expiresAt", FORMAT_TIME},
	{},
};

static void print_file(const json_t *own, const char *key)
{
	const char *path = json_string_value(json_object_get(own, key));

	if (path)
		fprintf(stderr, "%s is written.\n", path);
}

void print_qr(const json_t *reply)
{
	const json_t *own = json_object_get(reply, "own");
	const char *url = json_string_value(json_object_get(reply, "loginUrl"));
	const char *text = url ?: json_string_value(json_object_get(reply, "text"));

	if (!text)
		return;
	/* Too long for a code is too long for a terminal. */
	if (isatty(STDOUT_FILENO))
		qr_put_text(stdout, text);
	print_line(text);
	if (json_object_get(reply, "expiresAt"))
		print_fields(reply, until);
	print_file(own, "png");
	print_file(own, "svg");
	print_file(own, "poster");
}

void print_totp(const json_t *reply)
{
	const char *url = json_string_value(json_object_get(reply, "url"));
	const char *secret = json_string_value(json_object_get(reply, "secret"));

	if (!url || !secret) {
		print_done(reply);
		return;
	}
	if (isatty(STDOUT_FILENO))
		qr_put_text(stdout, url);
	print_line(url);
	print_line(secret);
	print_line("Scan or type it in the operator's app now: it is not shown "
		   "again.");
}
