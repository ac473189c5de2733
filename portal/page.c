/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the pages share: the values of each view, the error pages, and how a
 * session reads. Nothing here asks the daemon.
 */
#include "pages.h"

#include "assets.h"
#include "base/text.h"
#include "base/util.h"
#include "csrf.h"
#include "url.h"
#include "response.h"

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
		view_set_flag(row, "current", lang == req->lang);
	}
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

struct view *page_view(struct request *req)
{
	struct view *view = view_new(&req->arena);
	char *token = arena_alloc(&req->arena, CSRF_TEXT);

	view_set(view, "venue", req->portal->config.venue_name);
	view_format(view, "example", "%s" EXAMPLE,
		req->portal->config.voucher_prefix);
	view_set(view, "lang", lang_code(req->lang));
	view_set(view, "version", assets_version());
	view_set(view, "form",
		csrf_make(req->portal->form_key, &req->endpoint->peer,
			req->started_ns, token));
	add_languages(req, view);
	add_url(req, view);
	return view;
}

void page_send(struct request *req, int status, const char *template,
	struct view *view)
{
	const char *code = form_get(&req->query, "lang");
	struct buf body = {0};

	if (template_render(template, view, req->lang, &body)) {
		buf_fini(&body);
		response_text(req, 500, "text/plain; charset=utf-8",
			"Something went wrong here. Please try again.\n");
		return;
	}
	if (code && i18n_lookup(code) == req->lang)
		response_header(req, "Set-Cookie",
			arena_printf(&req->arena,
				COOKIE_LANG "=%s; Max-Age=31536000; Path=/; "
					    "HttpOnly; SameSite=Lax",
				lang_code(req->lang)));
	response_header(req, "Content-Language", lang_code(req->lang));
	response_buf(req, status, HTML, &body);
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
	page_send(req, status, "error.html", view);
}

void page_error(
	struct request *req, int status, const char *code, const char *error)
{
	/* A request that failed before its headers were judged. */
	if (!req->lang)
		req->lang = i18n_pick(NULL);
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

void page_outcome_error(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	page_device(view, outcome->reply);
	send_error(req, view, outcome->status,
		page_sentence(req, outcome->code, outcome->error));
}

void page_entry(struct request *req, struct view *view, int status,
	const char *sentence)
{
	const char *code = form_get(&req->form, "code");

	view_set(view, "state", "captive");
	view_set_flag(view, "captive", true);
	view_set(view, "error", sentence);
	if (code && strlen(code) <= CTL_CODE_MAX)
		view_set(view, "code", code);
	view_set_flag(view, "after_error", sentence != NULL);
	page_send(req, status, "welcome.html", view);
}

void page_form_again(struct request *req)
{
	page_entry(req, page_view(req), 403,
		lang_text(req->lang, "error_form_again"));
}

void page_advice(struct request *req, struct view *view, int status,
	const char *sentence)
{
	view_set(view, "error", sentence);
	page_send(req, status, "help.html", view);
}

/* "1.4 GB"; decimal units, as plans are sold. */
static void set_bytes(struct view *view, const char *name, long long bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	view_format(view, name, unit && value < 100 ? "%.1f %s" : "%.0f %s",
		value, units[unit]);
}

/* "2 days" and "03:04:05" of it. */
static void set_time(struct view *view, long long seconds)
{
	seconds = MAX(seconds, 0LL);
	view_set_int(view, "seconds", seconds);
	if (seconds >= SEC_PER_DAY)
		view_set_int(view, "days", seconds / SEC_PER_DAY);
	view_set_flag(view, "one_day", seconds / SEC_PER_DAY == 1);
	view_format(view, "clock", "%02lld:%02lld:%02lld",
		seconds % SEC_PER_DAY / 3600, seconds % 3600 / 60, seconds % 60);
}

/* The resume link: of a token that is handed out now, or of the browser's own
 * one. The daemon has hashes only and cannot show it again, we can. */
static void set_token(
	struct request *req, struct view *view, const json_t *session)
{
	const char *token =
		json_string_value(json_object_get(session, "token"));
	bool is_new = token && text_is_hex(token, CTL_TOKEN_LEN);

	if (is_new)
		response_set_token(req, token);
	else if (json_is_true(json_object_get(session, "tokenGood")))
		token = request_token(req);
	else
		token = NULL;
	if (!token)
		return;
	view_format(view, "token", "%s", token);
	view_format(view, "resume", "%s/r#%s", request_base_url(req), token);
	view_set_flag(view, "resume_new", is_new);
}

/* NULL without one: the name of a section says nothing to guests. */
static const char *ssid_of(const struct config *config, const json_t *network)
{
	const char *name = json_string_value(network);
	int i;

	for (i = 0; name && i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (!strcmp(n->name, name))
			return strcmp(n->ssid, n->name) ? n->ssid : NULL;
	}
	return NULL;
}

void page_session_values(struct request *req, struct view *view,
	const json_t *session, const char *state)
{
	const json_t *seconds = json_object_get(session, "remainingSeconds");
	const json_t *left = json_object_get(session, "remainingBytes");
	const json_t *up = json_object_get(session, "bytesUp");
	const json_t *down = json_object_get(session, "bytesDown");
	const json_t *network = json_object_get(session, "network");

	view_set(view, "state", arena_copy(&req->arena, state, strlen(state)));
	view_set_flag(view, view_get(view, "state"), true);
	if (json_is_integer(seconds))
		set_time(view, json_integer_value(seconds));
	else
		view_set_flag(view, "no_end", true);
	if (json_is_integer(left)) {
		set_bytes(view, "left", json_integer_value(left));
		view_set_int(view, "left_raw", json_integer_value(left));
	}
	if (json_is_integer(up) && json_is_integer(down)) {
		set_bytes(view, "up", json_integer_value(up));
		set_bytes(view, "down", json_integer_value(down));
	}
	view_format(view, "plan", "%s",
		json_string_value(json_object_get(session, "plan")) ?: "");
	page_device(view, session);
	view_set(view, "network", ssid_of(&req->portal->config, network));
	view_format(view, "expires", "%s",
		json_string_value(json_object_get(session, "expiresAt")) ?: "");
	set_token(req, view, session);
}
