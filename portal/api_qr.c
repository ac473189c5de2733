/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Login by the venue's QR code as JSON (docs/design.md U4, U5): in, who is
 * logged in, and out. The half of a login that only its browser may have goes
 * into the cookie and never into an answer.
 */
#include "api.h"

#include "base/util.h"
#include "qr_login.h"
#include "response.h"

/* `qrCode` is how older programs call the token. */
struct validate_args {
	char token[CTL_URL_MAX + 1], code[CTL_URL_MAX + 1];
	char id[CTL_IDENTITY_MAX + 1];
	char secret[CTL_SECRET_MAX + 1];
	char terms[CTL_TERMS_MAX + 1];
};

#define TEXT(s, name, field, required) \
	{name, JSON_ARG_TEXT, required, offsetof(struct s, field), 1, \
		sizeof(((struct s *)0)->field) - 1, 0}

static const struct json_arg validate_rows[] = {
	TEXT(validate_args, "token", token, false),
	TEXT(validate_args, "qrCode", code, false),
	TEXT(validate_args, "userId", id, true),
	TEXT(validate_args, "secret", secret, false),
	TEXT(validate_args, "terms", terms, false),
	{.type = JSON_ARG_END}};

/* The reply without the cookie's half. */
static void on_login(struct request *req, const struct outcome *outcome)
{
	_cleanup_json_ json_t *reply = NULL;

	if (outcome->code) {
		api_refuse(req, outcome);
		return;
	}
	qr_cookie_keep(req, outcome->reply);
	reply = json_copy((json_t *)outcome->reply);
	json_object_del(reply, "cookie");
	response_json(req, outcome->status, reply);
}

void api_qr_validate(struct request *req)
{
	struct validate_args in = {.token = ""};
	const char *token;
	json_t *args;

	if (!api_take_body(req, validate_rows, &in))
		return;
	if (!in.token[0] == !in.code[0]) {
		response_json_error(req, 400, "bad_request",
			"Give the QR code's token, as token or as qrCode.");
		return;
	}
	token = qr_token(req, in.token[0] ? in.token : in.code);
	if (!token) {
		response_json_error(req, 404, "qr_unknown",
			"This is no QR code of this venue.");
		return;
	}
	args = qr_login_args(req, token, in.id, in.secret);
	api_accept(args, in.terms);
	operation_start(req, "qr.login", args, on_login);
}

struct session_args {
	char session[CTL_TOKEN_LEN + 1];
	/* What programs that check out by the QR code send along. */
	char token[CTL_URL_MAX + 1], code[CTL_URL_MAX + 1];
	char id[CTL_IDENTITY_MAX + 1];
};

static const struct json_arg session_rows[] = {
	TEXT(session_args, "sessionId", session, false),
	TEXT(session_args, "token", token, false),
	TEXT(session_args, "qrCode", code, false),
	TEXT(session_args, "userId", id, false),
	{.type = JSON_ARG_END}};

/* In the request: the login is this browser's. */
#define OWN "own"

/* About the login that the body names, or else this browser's. The cookie's
 * half is the browser's own and goes with its own login only. */
static void ask(struct request *req, const char *op, operation_fn *fn)
{
	struct session_args in = {.session = ""};
	struct qr_cookie cookie = {.session = ""};
	json_t *args;
	bool is_own;

	if (!api_take_body(req, session_rows, &in))
		return;
	if (!qr_cookie_read(req, &cookie) && !in.session[0]) {
		response_json_error(req, 400, "bad_request",
			"sessionId is missing, and there is no cookie either");
		return;
	}
	is_own = !in.session[0] || !strcmp(in.session, cookie.session);
	if (!is_own) {
		memset(&cookie, 0, sizeof(cookie));
		memcpy(cookie.session, in.session, sizeof(in.session));
	}
	req->data = is_own ? OWN : NULL;
	args = json_object();
	qr_cookie_put(&cookie, args);
	operation_start(req, op, args, fn);
}

void api_qr_session(struct request *req)
{
	ask(req, "qr.session", api_send_outcome);
}

static void on_logout(struct request *req, const struct outcome *outcome)
{
	if (!outcome->code && req->data)
		qr_cookie_delete(req);
	api_send_outcome(req, outcome);
}

void api_qr_logout(struct request *req)
{
	ask(req, "qr.logout", on_logout);
}
