/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An operator's own account: another password, and an app whose codes are asked
 * for besides it (RFC 6238). The secret is shown once, on the answer to the form
 * that makes it, and counts from its first code on.
 */
#include "desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/qr.h"
#include "base/util.h"

/* "ABCD EFGH ...": to be typed. */
static void put_typed(struct view *view, const char *secret)
{
	char text[64] = "";
	size_t at = 0;

	for (; *secret && at + 6 < sizeof(text); secret += strnlen(secret, 4))
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.4s",
			at ? " " : "", secret);
	view_format(view, "secret", "%s", text);
}

/* As an address that has the picture in it. The caller's. */
static char *draw(const char *text)
{
	_cleanup_free_ char *svg = NULL;
	size_t svg_len;
	FILE *out = open_memstream(&svg, &svg_len);

	if (!out)
		abort();
	qr_put_svg(out, text);
	if (fclose(out))
		abort();
	return desk_data_url("image/svg+xml", svg, svg_len);
}

void desk_put_secret(struct view *view, const json_t *reply)
{
	const char *url = json_string_value(json_object_get(reply, "url"));
	const char *secret =
		json_string_value(json_object_get(reply, "secret"));
	char *picture;

	if (!url || !secret)
		return;
	picture = draw(url);
	view_format(view, "picture", "%s", picture);
	free(picture);
	put_typed(view, secret);
}

const struct desk_page desk_page_account = {"/dashboard/account",
	"desk_account.html", "desk_account", NULL, {{NULL}}};

void desk_account(struct request *req)
{
	desk_show(req, &desk_page_account);
}

static void on_me(struct request *req, const struct outcome *me)
{
	_cleanup_json_ json_t *secret = NULL;
	const char *text = req->data;
	struct view *view;

	if (me->code || json_parse_object(text, strlen(text), &secret)) {
		desk_error(req, me);
		return;
	}
	view = desk_view(req, &desk_page_account, me->reply);
	desk_put_secret(view, secret);
	desk_send(req, 200, "desk_account.html", view);
}

void desk_show_secret(struct request *req, const struct outcome *outcome)
{
	req->data = desk_keep(req, outcome->reply);
	desk_ask(req, "operators.me", json_object(), on_me);
}
