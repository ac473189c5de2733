/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the pages share: the values of each view and the error pages. Nothing
 * here asks the daemon.
 */
#include "pages.h"

#include "assets.h"
#include <strings.h>

#include "base/text.h"
#include "base/util.h"
#include "brand.h"
#include "csrf.h"
#include "url.h"
#include "response.h"
#include "squeeze.h"
#include "routes.h"
#include "wispr.h"

#define HTML "text/html; charset=utf-8"

/* What comes behind the prefix of a voucher's code, as an example: 8
 * characters and their check character (userspace/rules/voucher.h). */
#define EXAMPLE "7KMW3PXQ9"

static void add_languages(const struct request *req, struct view *view)
{
	const struct lang *lang;
	int i;

	for (i = 0; (lang = i18n_at(i)); i++) {
		struct view *row = view_add_row(view, "languages");

		view_set(row, "code", lang_code(lang));
		view_set(row, "language", lang_text(lang, "language"));
		view_set_flag(row, "current", !strcmp(lang_code(lang), lang_code(req->lang)));
	}
}

/* Where another language is chosen: here, if this page can be asked for. */
static const char *here(const struct request *req)
{
	const struct route *route;

	if (*req->path == '/' &&
		!routes_lookup(req->portal->instance, METHOD_GET, req->path,
			&route) &&
		route->kind == ROUTE_PAGE)
		return req->path;
	return "/";
}

static void add_url(struct request *req, struct view *view)
{
	const char *text = form_get(&req->query, "url");
	struct url url;

	if (!text)
		text = form_get(&req->form, "url");
	if (!text || url_parse(text, &url))
		return;
	view_format(view, "url", "%s", url.url);
	view_format(view, "host", "%s", url.host);
	view_set(view, "url_escaped", form_escape(&req->arena, url.url));
}

static void add_brand(struct request *req, struct view *view)
{
	const struct brand *brand = request_brand(req);
	int i;

	view_set(view, "brand_style", brand->style);
	view_set(view, "logo", brand->logo);
	view_set(view, "brand_version", brand->version);
	for (i = 0; i < brand->page_count; i++) {
		const struct brand_page *page = &brand->pages[i];
		struct view *row;

		/* By name: the rest of that name is in other languages. */
		if (i && !strcmp(page[-1].name, page->name))
			continue;
		row = view_add_row(view, "venue_pages");
		view_set_flag(view, "venue_links", true);
		view_set(row, "name", page->name);
		view_set(row, "title",
			brand_page(brand, page->name, lang_code(req->lang))
				->title);
	}
}

struct view *page_view(struct request *req)
{
	struct view *view = view_new(&req->arena);
	char *token = arena_alloc(&req->arena, CSRF_TEXT);

	view_set(view, "venue", request_network(req)->venue_name);
	view_format(view, "example", "%s" EXAMPLE,
		req->portal->config.voucher_prefix);
	view_set_flag(view, "coins", req->portal->config.coin_count > 0);
	view_set(view, "lang", lang_code(req->lang));
	view_set(view, "version", assets_version());
	view_set(view, "form",
		csrf_make(req->portal->form_key, &req->endpoint->peer,
			req->started_ns, token));
	view_set_flag(view, "qr_login", request_network(req)->qr_login);
	view_set(view, "here", here(req));
	add_languages(req, view);
	add_brand(req, view);
	add_url(req, view);
	return view;
}

static void cannot_render(struct request *req, struct buf *body)
{
	buf_fini(body);
	response_text(req, 500, "text/plain; charset=utf-8",
		"Something went wrong here. Please try again.\n");
}

static void send_body(
	struct request *req, int status, const struct view *view, struct buf *body)
{
	const char *code = form_get(&req->query, "lang");

	if (view_get(view, "wispr"))
		wispr_put_redirect(req, body);
	if (code && !strcasecmp(code, lang_code(req->lang)))
		response_header(req, "Set-Cookie",
			arena_printf(&req->arena,
				COOKIE_LANG "=%s; Max-Age=31536000; Path=/; "
					    "HttpOnly; SameSite=Lax%s",
				lang_code(req->lang),
				req->endpoint->secure ? "; Secure" : ""));
	response_header(req, "Content-Language", lang_code(req->lang));
	squeeze_page(req, body);
	response_buf(req, status, HTML, body);
}

void page_send(struct request *req, int status, const char *template,
	struct view *view)
{
	struct buf body = {0};

	if (template_render(template, view, req->lang, &body))
		cannot_render(req, &body);
	else
		send_body(req, status, view, &body);
}

void page_send_venue(
	struct request *req, struct view *view, const struct buf *inner)
{
	struct buf body = {0};
	int ret = template_render("venue.html", view, req->lang, &body);

	buf_put(&body, inner->data, inner->len);
	if (!ret)
		ret = template_render("venue-end.html", view, req->lang, &body);
	if (ret)
		cannot_render(req, &body);
	else
		send_body(req, 200, view, &body);
}

const char *page_sentence(
	const struct request *req, const char *code, const char *error)
{
	char key[64];
	const char *text;

	snprintf(key, sizeof(key), "error_%s", code);
	text = lang_text(req->lang, key);
	return text ? text : error;
}

static void send_error(struct request *req, struct view *view, int status,
	const char *sentence)
{
	view_set(view, "error", sentence);
	view_set_flag(view, "retry", status == 503 && req->method == METHOD_GET);
	/* Elsewhere the same would happen again. */
	view_set_flag(view, "again", status >= 500 || status == 429);
	page_send(req, status,
		req->portal->instance == INSTANCE_OPERATOR ? "desk_error.html"
							   : "error.html",
		view);
}

void page_error(
	struct request *req, int status, const char *code, const char *error)
{
	/* A request that failed before its headers were judged. */
	if (!req->lang)
		req->lang = i18n_pick(NULL);
	/* What no page of ours sends: the details are nothing to a guest. */
	if (!strcmp(code, "bad_request"))
		error = lang_text(req->lang, "not_understood");
	send_error(req, page_view(req), status, page_sentence(req, code, error));
}

bool page_has_advice(const char *code)
{
	return code && (!strcmp(code, "voucher_used") ||
			       !strcmp(code, "not_transferable"));
}

void page_refused(struct view *view, const struct outcome *outcome)
{
	page_device(view, outcome->reply);
	if (page_has_advice(outcome->code))
		view_set(view, "why", outcome->code);
}

void page_device(struct view *view, const json_t *reply)
{
	const char *mac = json_string_value(json_object_get(reply, "mac"));

	if (mac)
		view_format(view, "mac", "%s", mac);
}

void page_terms(struct view *view, const json_t *reply)
{
	const char *version = json_string_value(json_object_get(reply, "terms"));

	if (version)
		view_format(view, "terms", "%s", version);
}

void page_accept(const struct request *req, json_t *args)
{
	const char *version = form_get(&req->form, "terms");

	if (version && *version && strlen(version) <= CTL_TERMS_MAX)
		json_object_set_new(args, "terms", json_string(version));
}

void page_outcome_error(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	page_device(view, outcome->reply);
	send_error(req, view, outcome->status,
		page_sentence(req, outcome->code, outcome->error));
}

void page_advice(struct request *req, struct view *view, int status,
	const char *sentence)
{
	view_set(view, "error", sentence);
	page_send(req, status, "help.html", view);
}
