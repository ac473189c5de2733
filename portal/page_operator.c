/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operators' instance: the form to log in, and the way out. Passwords are
 * typed here and nowhere else (docs/design.md T2); the guests' instance only
 * knows where this one is. The other pages are those of desk.h.
 */
#include "base/util.h"
#include "desk.h"
#include "response.h"

#define DASHBOARD "/dashboard"

/* Where it goes on behind the login: to a page of the desk and nowhere else. */
static const char *next_page(struct request *req)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"/?&=%._-+";
	const char *next = req->method == METHOD_GET
				   ? req->target
				   : form_get(&req->form, "next");

	if (!next || strncmp(next, DASHBOARD, strlen(DASHBOARD)) ||
		next[strspn(next, fine)])
		return DASHBOARD;
	return next;
}

static void show_form(struct request *req, int status, const char *sentence)
{
	const char *name = form_get(&req->form, "name");
	struct view *view = page_view(req);

	view_set(view, "next", next_page(req));
	if (name)
		view_set(view, "name", name);
	if (sentence)
		view_set(view, "error", sentence);
	/* Over loopback nobody else listens. */
	view_set_flag(view, "in_the_clear",
		!req->endpoint->secure &&
			!ip_is_loopback(&req->endpoint->local));
	desk_send(req, status, "operator.html", view);
}

void page_log_in(struct request *req)
{
	if (request_operator_token(req))
		response_set_operator(req, NULL);
	show_form(req, req->method == METHOD_GET ? 200 : 401, NULL);
}

/* The second step: the code of an app; whoever has none yet is shown what to
 * scan, once. */
static void show_second(struct request *req, int status,
	const struct outcome *outcome, const char *ticket, const char *sentence)
{
	struct view *view = page_view(req);

	view_format(view, "ticket", "%s", ticket);
	view_set(view, "next", next_page(req));
	if (sentence)
		view_set(view, "error", sentence);
	desk_put_secret(view, outcome->reply);
	desk_send(req, status, "operator.html", view);
}

static void on_login(struct request *req, const struct outcome *outcome)
{
	const char *token, *ticket;

	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	ticket = json_string_value(json_object_get(outcome->reply, "ticket"));
	if (outcome->code && ticket) {
		show_second(req, 200, outcome, ticket, NULL);
		return;
	}
	if (outcome->code) {
		show_form(req, outcome->status,
			page_sentence(req, outcome->code, outcome->error));
		return;
	}
	token = json_string_value(json_object_get(outcome->reply, "token"));
	response_set_operator(req, token);
	response_redirect(req, 303, next_page(req));
}

void page_login(struct request *req)
{
	const char *name = form_get(&req->form, "name");
	const char *password = form_get(&req->form, "password");

	/* What cannot be right costs no try. */
	if (!name || !*name || strlen(name) > CTL_NAME_MAX || !password ||
		!*password || strlen(password) > 128) {
		show_form(req, 401,
			page_sentence(req, "wrong_password",
				"The name or the password is wrong."));
		return;
	}
	operation_start_login(req, name, password, on_login);
}

static void on_second(struct request *req, const struct outcome *outcome)
{
	const char *ticket = form_get(&req->form, "ticket");

	if (outcome->code && !strcmp(outcome->code, "second_factor_required"))
		show_second(req, outcome->status, outcome, ticket,
			lang_text(req->lang, "error_totp_wrong"));
	else if (outcome->code && !strcmp(outcome->code, "not_logged_in"))
		show_form(req, outcome->status,
			lang_text(req->lang, "error_totp_late"));
	else
		on_login(req, outcome);
}

void page_login_code(struct request *req)
{
	const char *ticket = form_get(&req->form, "ticket");
	const char *code = form_get(&req->form, "code");

	if (!ticket || strlen(ticket) != CTL_TICKET_LEN)
		show_form(req, 401, NULL);
	else
		operation_start_second(req, ticket,
			code && *code && strlen(code) <= 16 ? code : "-",
			on_second);
}

void page_login_again(struct request *req)
{
	const char *sentence = lang_text(req->lang, "error_form_again");

	if (request_operator_token(req))
		page_error(req, 403, "form_again", sentence);
	else
		show_form(req, 403, sentence);
}

static void on_logout(struct request *req, const struct outcome *outcome)
{
	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	response_set_operator(req, NULL);
	response_redirect(req, 303, "/");
}

void page_logout(struct request *req)
{
	const char *token = request_operator_token(req);

	if (token)
		operation_start_operator(req, "operators.leave", json_object(),
			token, on_logout);
	else
		response_redirect(req, 303, "/");
}

/* On the guests' instance. */
void page_to_operators(struct request *req)
{
	response_redirect(req, 302,
		arena_printf(&req->arena, "%s/dashboard",
			request_operators_url(req)));
}
