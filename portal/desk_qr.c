/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codes that guests log in by (U2, U3, U8): a list, one of them as pictures
 * and on paper, and who is logged in by them. The token of a code is in the
 * daemon's answer and in the pictures made of it; addresses have its number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "base/poster.h"
#include "base/qr.h"
#include "base/util.h"
#include "brand.h"
#include "desk.h"
#include "locale.h"
#include "response.h"

#define PNG_PIXELS 1024 /* of a side: sharp on paper, too */

static const char *text_of(const json_t *reply, const char *name)
{
	return json_string_value(json_object_get(reply, name)) ?: "";
}

/* As paper wants it, with the venue's logo if that is a PNG of a fitting size. */
static struct qr_look look_of(const struct request *req)
{
	const struct brand *brand = request_brand(req);
	const struct asset *logo =
		brand->logo ? brand_image(brand, brand->logo) : NULL;
	struct qr_look look = {.level = 'Q', .pixels = PNG_PIXELS};

	if (logo && qr_check_logo(logo->data, logo->len) == 0) {
		look.logo = logo->data;
		look.logo_len = logo->len;
	}
	return look;
}

/* A picture of the link; empty when it cannot be drawn. The caller's. */
static struct buf draw(const struct request *req, const char *url, bool is_png)
{
	struct qr_look look = look_of(req);
	struct buf picture = {0};
	FILE *out = open_memstream(&picture.data, &picture.len);
	int ret;

	if (!out)
		abort();
	ret = is_png ? qr_put_png(out, url, &look)
		     : qr_put_svg_look(out, url, &look);
	if (fclose(out))
		abort();
	if (ret)
		buf_fini(&picture);
	return picture;
}

/* The same as an address that has the picture in it; the caller's. */
static char *draw_data(const struct request *req, const char *url, bool is_png)
{
	struct buf picture = draw(req, url, is_png);
	char *text = desk_data_url(is_png ? "image/png" : "image/svg+xml",
		picture.data, picture.len);

	buf_fini(&picture);
	return text;
}

/* The page. */

static json_t *id_args(struct request *req)
{
	json_t *args;

	if (!form_get(&req->query, "id"))
		return NULL;
	args = json_object();
	desk_arg_int(&req->query, "id", args, "id");
	return args;
}

static void show_code(
	struct request *req, struct view *view, const json_t *reply)
{
	const char *url = text_of(reply, "loginUrl");
	_cleanup_free_ char *png = draw_data(req, url, true);
	_cleanup_free_ char *svg = draw_data(req, url, false);

	desk_put_text(view, "code_id", json_object_get(reply, "qrTokenId"));
	desk_put_text(view, "link", json_object_get(reply, "loginUrl"));
	desk_put_text(view, "label", json_object_get(reply, "label"));
	desk_put_time(req, view, "until", json_object_get(reply, "expiresAt"));
	view_format(view, "png", "%s", png);
	view_format(view, "svg", "%s", svg);
}

/* Numbers are written as text in some replies. */
static void put_id(struct view *view, const char *name, const json_t *id)
{
	desk_put_int(view, name, id);
	desk_put_text(view, name, id);
}

static void show_list(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *code;
	size_t at;

	json_array_foreach(json_object_get(reply, "qrTokens"), at, code) {
		struct view *row = view_add_row(view, "codes");
		bool is_active = json_is_true(json_object_get(code, "isActive"));

		put_id(row, "id", json_object_get(code, "id"));
		desk_put_text(row, "label", json_object_get(code, "label"));
		desk_put_text(row, "by", json_object_get(code, "createdBy"));
		desk_put_time(req, row, "made", json_object_get(code, "createdAt"));
		desk_put_time(req, row, "until", json_object_get(code, "expiresAt"));
		desk_put_int(row, "count", json_object_get(code, "sessionCount"));
		view_set_flag(row, "active", is_active);
		view_set_flag(row, "revoked",
			json_is_string(json_object_get(code, "revokedAt")));
	}
	view_set_flag(view, "no_codes", at == 0);
}

static json_t *sessions_args(struct request *req)
{
	json_t *args = json_object();

	desk_arg_int(&req->query, "after", args, "after");
	return args;
}

static void show_sessions(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *login;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, login) {
		struct view *row = view_add_row(view, "logins");

		put_id(row, "id", json_object_get(login, "id"));
		desk_put_text(row, "identity", json_object_get(login, "identity"));
		desk_put_text(row, "name", json_object_get(login, "name"));
		desk_put_word(req, row, "role", "role",
			json_object_get(login, "role"));
		desk_put_text(row, "mac", json_object_get(login, "mac"));
		desk_put_time(
			req, row, "since", json_object_get(login, "createdAt"));
	}
	view_set_flag(view, "no_logins", at == 0);
	desk_put_next(req, view, reply);
}

const struct desk_page desk_page_qr = {"/dashboard/admin/qr", "desk_qr.html",
	"desk_qr", "qr.list",
	{{"qr.show", id_args, show_code}, {"qr.list", NULL, show_list},
		{"qr.sessions", sessions_args, show_sessions}}};

void desk_qr(struct request *req)
{
	desk_show(req, &desk_page_qr);
}

/* One code as a file, and on a sheet of paper. */

static void ask_for_code(struct request *req, operation_fn *fn)
{
	json_t *args = id_args(req);

	if (!request_operator_token(req)) {
		json_decref(args);
		page_log_in(req);
	} else if (!args) {
		page_error(req, 404, "not_found", "There is no such page here.");
	} else {
		desk_ask(req, "qr.show", args, fn);
	}
}

static void on_picture(struct request *req, const struct outcome *outcome)
{
	const char *format = form_get(&req->query, "format");
	bool is_png = !format || strcmp(format, "svg") != 0;
	struct buf picture;

	if (outcome->code) {
		desk_error(req, outcome);
		return;
	}
	picture = draw(req, text_of(outcome->reply, "loginUrl"), is_png);
	response_header(req, "Content-Disposition",
		is_png ? "attachment; filename=\"login.png\""
		       : "attachment; filename=\"login.svg\"");
	response_buf(req, 200, is_png ? "image/png" : "image/svg+xml", &picture);
}

void desk_qr_image(struct request *req)
{
	ask_for_code(req, on_picture);
}

/* First the operator's language, then those that most guests read. */
static const char *poster_languages(struct request *req)
{
	const char *code = lang_code(req->lang);

	if (!poster_has_languages(code))
		return "en";
	return strcmp(code, "en") ? arena_printf(&req->arena, "%s,en", code)
				  : code;
}

static const char *day_of(struct request *req, const json_t *time)
{
	const char *text = json_string_value(time);
	struct tm tm = {0};

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return "";
	return lang_date(&req->arena, req->lang, timegm(&tm), 0);
}

static void on_poster(struct request *req, const struct outcome *outcome)
{
	const json_t *reply = outcome->reply;
	struct qr_look look = look_of(req);
	struct poster poster = {.is_login = true, .look = &look};
	struct buf body = {0};
	FILE *out;
	int ret;

	if (outcome->code) {
		desk_error(req, outcome);
		return;
	}
	if (!*text_of(reply, "loginUrl")) {
		page_error(req, 404, "not_found", "There is no such page here.");
		return;
	}
	poster.venue = text_of(reply, "venue");
	if (!*poster.venue)
		poster.venue = request_network(req)->venue_name;
	poster.url = text_of(reply, "loginUrl");
	poster.ssid = text_of(reply, "ssid");
	poster.until = day_of(req, json_object_get(reply, "expiresAt"));
	poster.languages = poster_languages(req);
	out = open_memstream(&body.data, &body.len);
	if (!out)
		abort();
	ret = poster_put(out, &poster);
	if (fclose(out))
		abort();
	if (!ret) {
		desk_send_paper(req, &body);
		return;
	}
	buf_fini(&body);
	page_error(req, 500, "internal", "The poster cannot be drawn.");
}

void desk_qr_poster(struct request *req)
{
	ask_for_code(req, on_poster);
}

/* The API (U2, U3). */

static void on_generated(struct request *req, const struct outcome *outcome)
{
	_cleanup_free_ char *png = NULL;
	_cleanup_json_ json_t *reply = NULL;
	struct buf picture;
	const char *url;

	if (outcome->code) {
		api_send_outcome(req, outcome);
		return;
	}
	reply = json_copy((json_t *)outcome->reply);
	url = text_of(reply, "loginUrl");
	png = draw_data(req, url, true);
	picture = draw(req, url, false);
	json_object_set_new(reply, "qrCode",
		json_pack("{s:s, s:s}", "png", png, "svg",
			picture.data ?: ""));
	buf_fini(&picture);
	response_json(req, 200, reply);
}

void api_qr_generate(struct request *req)
{
	api_operator_ask(req, "qr.generate", on_generated);
}

void api_qr_list(struct request *req)
{
	api_operator_ask(req, "qr.list", api_send_outcome);
}
