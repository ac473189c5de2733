/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch for the printer: the page that `gatehousectl voucher print` writes,
 * made of as many replies as the batch needs. It has its styles in it, so its
 * policy names them by their hash; everything else is our own markup and escaped
 * text.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/sheet.h"
#include "base/util.h"
#include "desk.h"
#include "response.h"

#define PIECES_MAX 40 /* 2000 vouchers; more are printed in several batches */
#define POLICY                                                          \
	"default-src 'none'; style-src 'sha256-%s'; img-src data:; "      \
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

struct sheet {
	const char *batch, *paper;
	int count;
	const char *pieces[PIECES_MAX]; /* replies, as text */
};

static const char *language_of(const struct request *req)
{
	return sheet_has_language(lang_code(req->lang)) ? lang_code(req->lang)
							: "en";
}

/* All vouchers in one reply. NULL: there are none. */
static json_t *join(const struct sheet *sheet)
{
	json_t *all = NULL;
	int i;

	for (i = 0; i < sheet->count; i++) {
		_cleanup_json_ json_t *piece = NULL;

		if (json_parse_object(sheet->pieces[i],
			    strlen(sheet->pieces[i]), &piece))
			continue;
		if (all)
			json_array_extend(json_object_get(all, "items"),
				json_object_get(piece, "items"));
		else
			all = json_incref(piece);
	}
	return all;
}

void desk_send_paper(struct request *req, struct buf *body)
{
	const char *style = strstr(body->data, "<style>") + strlen("<style>");
	const char *end = strstr(style, "</style>");
	char text[CRYPTO_HASH_BASE64];
	uint8_t hash[CRYPTO_HASH];

	crypto_sha256(style, (size_t)(end - style), hash);
	crypto_hash_base64(hash, text);
	response_header(req, "Content-Security-Policy",
		arena_printf(&req->arena, POLICY, text));
	response_buf(req, 200, "text/html; charset=utf-8", body);
}

static void print(struct request *req, const struct sheet *sheet)
{
	_cleanup_json_ json_t *all = join(sheet);
	struct buf body = {0};
	FILE *out = open_memstream(&body.data, &body.len);

	if (!out || !all)
		abort();
	sheet_print(out, all, sheet->paper, language_of(req));
	if (fclose(out))
		abort();
	desk_send_paper(req, &body);
}

static void ask(struct request *req, const json_t *after);

static void on_piece(struct request *req, const struct outcome *outcome)
{
	struct sheet *sheet = (struct sheet *)req->data;
	const json_t *next = json_object_get(outcome->reply, "next");

	if (outcome->code) {
		desk_error(req, outcome);
		return;
	}
	sheet->pieces[sheet->count++] = desk_keep(req, outcome->reply);
	if (json_is_integer(next) && sheet->count < PIECES_MAX)
		ask(req, next);
	else
		print(req, sheet);
}

static void ask(struct request *req, const json_t *after)
{
	const struct sheet *sheet = req->data;
	json_t *args = json_pack("{s:s, s:i}", "batch", sheet->batch, "limit", 50);

	if (after)
		json_object_set_new(
			args, "after", json_integer(json_integer_value(after)));
	desk_ask(req, "vouchers.sheet", args, on_piece);
}

void desk_sheet(struct request *req)
{
	const char *paper = form_get(&req->query, "paper") ?: "a4";
	struct sheet *sheet = arena_alloc(&req->arena, sizeof(*sheet));

	if (!request_operator_token(req)) {
		page_log_in(req);
		return;
	}
	if (!sheet_has_paper(paper)) {
		page_error(req, 404, "not_found", "There is no such paper.");
		return;
	}
	sheet->batch = form_get(&req->query, "batch") ?: "";
	sheet->paper = paper;
	req->data = sheet;
	ask(req, NULL);
}
