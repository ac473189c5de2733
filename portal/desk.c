/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the rows of an operators' page: first who asks, then what the page
 * shows, one reply after the other, into one view. A login that has ended is
 * noticed by the first of them and shown the form; where it led is kept, so
 * that logging in goes on there.
 */
#include "desk.h"

#include <stdlib.h>

#include "base/util.h"
#include "brand.h"
#include "response.h"

/* Our own files and, as data, pictures that are for this page only. */
#define POLICY                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self'%s; "        \
	"img-src 'self' data:; connect-src 'self'; form-action 'self'; "    \
	"base-uri 'none'; frame-ancestors 'none'"

/* A page under way; the arena's. */
struct walk {
	const struct desk_page *page;
	struct view *view;
	bool asks[DESK_LOOKS_MAX];
	int at, status;
	const char *error;
};

void desk_send(struct request *req, int status, const char *template,
	struct view *view)
{
	response_header(req, "Content-Security-Policy",
		arena_printf(&req->arena, POLICY,
			request_brand(req)->style_source));
	page_send(req, status, template, view);
}

void desk_ask(
	struct request *req, const char *op, json_t *args, operation_fn *fn)
{
	operation_start_operator(
		req, op, args, request_operator_token(req), fn);
}

void desk_error(struct request *req, const struct outcome *outcome)
{
	if (outcome->code && !strcmp(outcome->code, "not_logged_in")) {
		page_log_in(req);
		return;
	}
	page_outcome_error(req, outcome);
}

const char *desk_keep(struct request *req, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	const char *kept;

	if (!text)
		abort();
	kept = arena_copy(&req->arena, text, strlen(text));
	free(text);
	return kept;
}

static bool may(const json_t *operations, const char *op)
{
	const json_t *row;
	size_t at;

	json_array_foreach(operations, at, row)
		if (!strcmp(json_string_value(row) ?: "", op))
			return true;
	return false;
}

static void add_permissions(
	struct request *req, struct view *view, const json_t *operations)
{
	const json_t *row;
	size_t at;

	json_array_foreach(operations, at, row)
		view_set_flag(view,
			arena_printf(&req->arena, "may.%s",
				json_string_value(row) ?: ""),
			true);
}

/* What a form of ours did, by its key: no text of others gets into a page. */
static void add_notice(struct request *req, struct view *view)
{
	const char *done = form_get(&req->query, "done");
	char key[48];

	if (!done || req->method != METHOD_GET)
		return;
	snprintf(key, sizeof(key), "done_%s", done);
	view_set(view, "notice", lang_text(req->lang, key));
}

struct view *desk_view(
	struct request *req, const struct desk_page *page, const json_t *me)
{
	struct view *view = page_view(req);

	view_set(view, "here", page->path);
	view_set(view, "title", lang_text(req->lang, page->title));
	desk_put_text(view, "operator", json_object_get(me, "name"));
	desk_put_word(req, view, "role", "role", json_object_get(me, "role"));
	view_set_flag(view,
		arena_printf(&req->arena, "is.%s",
			json_string_value(json_object_get(me, "role")) ?: ""),
		true);
	view_set_flag(view, "totp",
		json_is_true(json_object_get(me, "totp")));
	view_set_flag(view, "guests_in_the_clear", !req->portal->guests_have_tls);
	add_permissions(req, view, json_object_get(me, "operations"));
	add_notice(req, view);
	return view;
}

static void go_on(struct request *req, struct walk *walk);

static void on_look(struct request *req, const struct outcome *outcome)
{
	struct walk *walk = (struct walk *)req->data;

	if (outcome->code) {
		desk_error(req, outcome);
		return;
	}
	walk->page->looks[walk->at++].show(req, walk->view, outcome->reply);
	go_on(req, walk);
}

static void go_on(struct request *req, struct walk *walk)
{
	const struct desk_look *look;
	json_t *args;

	for (; walk->at < DESK_LOOKS_MAX; walk->at++) {
		look = &walk->page->looks[walk->at];
		if (!look->op)
			break;
		if (!walk->asks[walk->at])
			continue;
		args = look->args ? look->args(req) : json_object();
		if (!args)
			continue;
		desk_ask(req, look->op, args, on_look);
		return;
	}
	if (walk->error)
		view_set(walk->view, "error", walk->error);
	desk_send(req, walk->status, walk->page->template, walk->view);
}

static void on_me(struct request *req, const struct outcome *outcome)
{
	struct walk *walk = (struct walk *)req->data;
	const struct desk_look *looks = walk->page->looks;
	const json_t *operations;
	int i;

	if (outcome->code) {
		desk_error(req, outcome);
		return;
	}
	operations = json_object_get(outcome->reply, "operations");
	for (i = 0; i < DESK_LOOKS_MAX && looks[i].op; i++)
		walk->asks[i] = may(operations, looks[i].op);
	if (walk->page->needs && !may(operations, walk->page->needs)) {
		page_error(req, 403, "not_allowed_role",
			lang_text(req->lang, "error_not_allowed_role"));
		return;
	}
	walk->view = desk_view(req, walk->page, outcome->reply);
	go_on(req, walk);
}

static void show(struct request *req, const struct desk_page *page, int status,
	const char *error)
{
	struct walk *walk;

	if (!request_operator_token(req)) {
		page_log_in(req);
		return;
	}
	walk = arena_alloc(&req->arena, sizeof(*walk));
	walk->page = page;
	walk->status = status;
	walk->error = error;
	req->data = walk;
	desk_ask(req, "operators.me", json_object(), on_me);
}

void desk_show(struct request *req, const struct desk_page *page)
{
	show(req, page, 200, NULL);
}

void desk_show_refused(struct request *req, const struct desk_page *page,
	const struct outcome *outcome)
{
	const char *error =
		page_sentence(req, outcome->code, outcome->error);

	if (!strcmp(outcome->code, "not_logged_in") || outcome->status >= 500)
		desk_error(req, outcome);
	else
		show(req, page, outcome->status,
			arena_printf(&req->arena, "%s", error));
}
