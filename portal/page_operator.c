/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operators' instance: the form to log in, and who is logged in. Passwords
 * are typed here and nowhere else (docs/design.md T2); the guests' instance only
 * knows where this one is.
 */
#include "base/util.h"
#include "pages.h"
#include "response.h"

static void show_form(struct request *req, int status, const char *sentence)
{
	const char *name = form_get(&req->form, "name");
	struct view *view = page_view(req);

	view_set_flag(view, "login", true);
	if (name)
		view_set(view, "name", name);
	if (sentence)
		view_set(view, "error", sentence);
	/* Over loopback nobody else listens. */
	view_set_flag(view, "in_the_clear",
		!req->endpoint->secure &&
			!ip_is_loopback(&req->endpoint->local));
	page_send(req, status, "operator.html", view);
}

static void on_me(struct request *req, const struct outcome *outcome)
{
	const char *role;
	struct view *view;
	char key[32];

	if (outcome->status == 401) {
		response_set_operator(req, NULL);
		show_form(req, 200, NULL);
		return;
	}
	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	view_set_flag(view, "logged_in", true);
	view_set_flag(view, "guests_in_the_clear", !req->portal->guests_have_tls);
	view_format(view, "name", "%s",
		json_string_value(json_object_get(outcome->reply, "name")));
	role = json_string_value(json_object_get(outcome->reply, "role"));
	snprintf(key, sizeof(key), "role_%s", role ? role : "");
	view_format(view, "role", "%s", lang_text(req->lang, key) ?: role);
	page_send(req, 200, "operator.html", view);
}

void page_operator(struct request *req)
{
	const char *token = request_operator_token(req);

	if (token)
		operation_start_operator(
			req, "operators.me", json_object(), token, on_me);
	else
		show_form(req, 200, NULL);
}

static void on_login(struct request *req, const struct outcome *outcome)
{
	const char *token;

	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	if (outcome->code) {
		show_form(req, outcome->status,
			page_sentence(req, outcome->code, outcome->error));
		return;
	}
	token = json_string_value(json_object_get(outcome->reply, "token"));
	response_set_operator(req, token);
	response_redirect(req, 303, "/");
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
