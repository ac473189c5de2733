/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members at the desk (U6, U9): who may log in by the code of the house, from
 * when to when, and taking in a file of them. A file goes to the daemon line by
 * line in pieces of its size; what it did not take is named by its row.
 */
#include "desk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "response.h"

#define PIECE_MAX  3900 /* bytes of lines in one members.import */
#define FAILED_MAX 50	/* rows that are named */

static json_t *list_args(struct request *req)
{
	json_t *args = json_object();

	desk_arg_int(&req->query, "after", args, "after");
	desk_arg_text(&req->query, "search", args, "text");
	return args;
}

static void show_list(
	struct request *req, struct view *view, const json_t *reply)
{
	const char *search = form_get(&req->query, "search");
	const json_t *member;
	size_t at;

	view_set(view, "search", search);
	if (search)
		view_set(view, "search_escaped",
			form_escape(&req->arena, search));
	json_array_foreach(json_object_get(reply, "items"), at, member) {
		struct view *row = view_add_row(view, "members");

		desk_put_int(row, "id", json_object_get(member, "id"));
		desk_put_text(row, "identity", json_object_get(member, "identity"));
		desk_put_text(row, "name", json_object_get(member, "name"));
		desk_put_word(req, row, "role", "role",
			json_object_get(member, "role"));
		desk_put_time(req, row, "from", json_object_get(member, "checkIn"));
		desk_put_time(req, row, "to", json_object_get(member, "checkOut"));
	}
	view_set_flag(view, "none", at == 0);
	view_set(view, "devices", "5");
	desk_put_next(req, view, reply);
}

static void add_choice(
	struct view *view, const char *list, const char *choice, bool is_chosen)
{
	struct view *row =
		view_add_row(view, strcmp(list, "plan") ? "operators" : "plans");

	view_format(row, "choice", "%s", choice);
	view_set_flag(row, "chosen", is_chosen);
}

/* Plans and accounts to choose from; the present one of a member is marked. It
 * may not be on sale any more, or on another page of the list: a form without it
 * would take it away. */
static void add_choices(struct view *view, const char *list, const json_t *reply)
{
	const char *now = view_get(view, list);
	bool is_there = !now || !*now;
	const json_t *item;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, item) {
		const char *name =
			json_string_value(json_object_get(item, "name")) ?: "";
		bool is_chosen = now && !strcmp(now, name);

		add_choice(view, list, name, is_chosen);
		is_there |= is_chosen;
	}
	if (!is_there)
		add_choice(view, list, now, true);
}

static void show_plans(
	struct request *req, struct view *view, const json_t *reply)
{
	add_choices(view, "plan", reply);
}

static void show_operators(
	struct request *req, struct view *view, const json_t *reply)
{
	add_choices(view, "account", reply);
}

const struct desk_page desk_page_members = {"/dashboard/members",
	"desk_members.html", "desk_members", "members.list",
	{{"members.list", list_args, show_list}, {"plans.list", NULL, show_plans},
		{"operators.list", NULL, show_operators}}};

void desk_members(struct request *req)
{
	desk_show(req, &desk_page_members);
}

/* One of them. */

static json_t *one_args(struct request *req)
{
	json_t *args = json_object();

	desk_arg_int(form_get(&req->query, "id") ? &req->query : &req->form, "id",
		args, "id");
	return args;
}

/* For an <input type="datetime-local">, by the clock of the box. */
static void put_moment(struct view *view, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	struct tm tm = {0};
	char local[32];
	time_t at;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	at = timegm(&tm);
	localtime_r(&at, &tm);
	strftime(local, sizeof(local), "%Y-%m-%dT%H:%M", &tm);
	view_format(view, name, "%s", local);
}

static void show_one(
	struct request *req, struct view *view, const json_t *member)
{
	desk_put_int(view, "id", json_object_get(member, "id"));
	desk_put_text(view, "identity", json_object_get(member, "identity"));
	desk_put_text(view, "name", json_object_get(member, "name"));
	desk_put_text(view, "email", json_object_get(member, "email"));
	desk_put_text(view, "account", json_object_get(member, "operator"));
	desk_put_text(view, "plan", json_object_get(member, "plan"));
	desk_put_int(view, "devices", json_object_get(member, "devices"));
	desk_put_text(view, "last_name", json_object_get(member, "proofName"));
	desk_put_text(view, "room", json_object_get(member, "proofRoom"));
	desk_put_int(view, "online", json_object_get(member, "online"));
	put_moment(view, "from", json_object_get(member, "checkIn"));
	put_moment(view, "to", json_object_get(member, "checkOut"));
}

const struct desk_page desk_page_member = {"/dashboard/members/member",
	"desk_member.html", "desk_member", "members.get",
	{{"members.get", one_args, show_one}, {"plans.list", NULL, show_plans},
		{"operators.list", NULL, show_operators}}};

void desk_member(struct request *req)
{
	desk_show(req, &desk_page_member);
}

/* A file of them. */

struct import {
	const char *header;
	char *rest; /* lines that have not been sent */
	long long added, changed;
	int row;	 /* how many lines went before, the header included */
	int piece;	 /* lines of the piece under way */
	int failed_count;
	struct {
		int row;
		const char *error;
	} failed[FAILED_MAX];
};

static void show_import(struct request *req, const struct outcome *me)
{
	const struct import *import = req->data;
	struct view *view, *row;
	int i;

	if (me->code) {
		desk_error(req, me);
		return;
	}
	view = desk_view(req, &desk_page_members, me->reply);
	view_set_int(view, "added", import->added);
	view_set_int(view, "changed", import->changed);
	for (i = 0; i < MIN(import->failed_count, FAILED_MAX); i++) {
		row = view_add_row(view, "failed");
		view_set_int(row, "row", import->failed[i].row);
		view_set(row, "why", import->failed[i].error);
	}
	view_set_flag(view, "any_failed", import->failed_count > 0);
	view_set_flag(view, "more_failed", import->failed_count > FAILED_MAX);
	desk_send(req, 200, "desk_imported.html", view);
}

static void note_failed(
	struct request *req, struct import *import, const json_t *failed)
{
	const json_t *row;
	size_t at;

	json_array_foreach(failed, at, row) {
		const char *error =
			json_string_value(json_object_get(row, "error"));
		int n = import->failed_count++;

		if (n >= FAILED_MAX)
			continue;
		import->failed[n].row = import->row +
			(int)json_integer_value(json_object_get(row, "row"));
		import->failed[n].error =
			arena_printf(&req->arena, "%s", error ?: "");
	}
}

static void send_piece(struct request *req, struct import *import);

static void on_piece(struct request *req, const struct outcome *outcome)
{
	struct import *import = (struct import *)req->data;

	if (outcome->code) {
		desk_show_refused(req, &desk_page_members, outcome);
		return;
	}
	import->added +=
		json_integer_value(json_object_get(outcome->reply, "added"));
	import->changed +=
		json_integer_value(json_object_get(outcome->reply, "changed"));
	note_failed(req, import, json_object_get(outcome->reply, "failed"));
	import->row += import->piece;
	send_piece(req, import);
}

/* Whole lines, as many as fit; a longer one goes alone and is refused. */
static void send_piece(struct request *req, struct import *import)
{
	char *text = import->rest;
	size_t len = 0, line;

	import->piece = 0;
	while (text[len]) {
		line = strcspn(text + len, "\n");
		line += text[len + line] == '\n';
		if (len && len + line > PIECE_MAX)
			break;
		len += line;
		import->piece++;
	}
	if (!len) {
		desk_ask(req, "operators.me", json_object(), show_import);
		return;
	}
	import->rest = text + len;
	desk_ask(req, "members.import",
		json_pack("{s:s, s:s}", "header", import->header, "rows",
			arena_copy(&req->arena, text, len)),
		on_piece);
}

void desk_members_import(struct request *req)
{
	char *text = form_lines(&req->arena, req->body, req->body_len, "csv");
	struct import *import = arena_alloc(&req->arena, sizeof(*import));

	if (!request_operator_token(req)) {
		page_log_in(req);
		return;
	}
	if (!text || !*text) {
		page_error(req, 400, "import_empty",
			lang_text(req->lang, "error_import_empty"));
		return;
	}
	import->header = strsep(&text, "\n");
	import->rest = text ?: "";
	import->row = 1;
	req->data = import;
	send_piece(req, import);
}
