/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON in and out, straight onto operations: checks the shape of what came,
 * passes the daemon's reply on as it is, and keeps the session cookie in step
 * with it. No rule lives here.
 */
#include "api.h"

#include "base/json.h"
#include "base/text.h"
#include "base/util.h"
#include "operation.h"
#include "response.h"

void api_send_outcome(struct request *req, const struct outcome *outcome)
{
	if (outcome->code)
		response_json_error(
			req, outcome->status, outcome->code, outcome->error);
	else
		response_json(req, outcome->status, outcome->reply);
}

/* Replies that hand out a token also set it as the cookie. */
static void on_reply(struct request *req, const struct outcome *outcome)
{
	const char *token =
		json_string_value(json_object_get(outcome->reply, "token"));

	if (!outcome->code && token && text_is_hex(token, CTL_TOKEN_LEN))
		response_set_token(req, token);
	api_send_outcome(req, outcome);
}

/* The fields of a refusal that are about money, or say what to ask for. */
static const char *const details[] = {"creditedMinor", "pesos", "minutes",
	"currency", "costMinor", "retryAfter", "secretKind"};

void api_refuse(struct request *req, const struct outcome *outcome)
{
	json_t *reply = json_pack("{s:b, s:s, s:s}", "success", 0, "error",
		outcome->error, "code", outcome->code);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(details); i++) {
		json_t *value = json_object_get(outcome->reply, details[i]);

		if (value)
			json_object_set(reply, details[i], value);
	}
	response_json(req, outcome->status, reply);
	json_decref(reply);
}

void api_on_money(struct request *req, const struct outcome *outcome)
{
	if (outcome->code)
		api_refuse(req, outcome);
	else
		on_reply(req, outcome);
}

void api_plans(struct request *req)
{
	operation_start(req, "guest.plans", json_object(), on_reply);
}

void api_session(struct request *req)
{
	operation_start_session(req, on_reply);
}

bool api_take_body(
	struct request *req, const struct json_arg *rows, void *ret_args)
{
	_cleanup_json_ json_t *body = NULL;
	char err[128] = "The body must be one JSON object.";

	if (json_parse_object(
		    req->body ? req->body : "", req->body_len, &body) == 0 &&
		json_args(body, rows, ret_args, err, sizeof(err)) == 0)
		return true;
	response_json_error(req, 400, "bad_request", err);
	return false;
}

struct activate_args {
	char code[CTL_CODE_MAX + 1];
	char terms[CTL_TERMS_MAX + 1]; /* accepted with it; "" */
};

static const struct json_arg activate_rows[] = {
	{"code", JSON_ARG_TEXT, true, offsetof(struct activate_args, code), 1,
		CTL_CODE_MAX, 0},
	{"terms", JSON_ARG_TEXT, false, offsetof(struct activate_args, terms), 1,
		CTL_TERMS_MAX, 0},
	{.type = JSON_ARG_END}};

void api_accept(json_t *args, const char *terms)
{
	if (*terms)
		json_object_set_new(args, "terms", json_string(terms));
}

void api_activate(struct request *req)
{
	struct activate_args in = {0};
	json_t *args;

	if (!api_take_body(req, activate_rows, &in))
		return;
	args = json_object();
	json_object_set_new(args, "code", json_string(in.code));
	api_accept(args, in.terms);
	operation_start(req, "vouchers.activate", args, on_reply);
}

struct restore_args {
	char token[CTL_TOKEN_MAX + 1];
};

static const struct json_arg restore_rows[] = {
	{"token", JSON_ARG_TEXT, false, offsetof(struct restore_args, token), 1,
		CTL_TOKEN_MAX, 0},
	{.type = JSON_ARG_END}};

static void on_restored(struct request *req, const struct outcome *outcome)
{
	const char *shown = request_token(req), *token = req->data;

	if (!outcome->code && text_is_hex(token, CTL_TOKEN_LEN))
		response_set_token(req, token);
	else if ((outcome->status == 404 || outcome->status == 401) && shown &&
		 !strcmp(shown, token))
		response_set_token(req, NULL);
	api_send_outcome(req, outcome);
}

void api_restore(struct request *req)
{
	struct restore_args in = {0};
	const char *token;
	json_t *args;

	if (!api_take_body(req, restore_rows, &in))
		return;
	token = *in.token ? arena_copy(&req->arena, in.token, strlen(in.token))
			  : request_token(req);
	if (!token) {
		response_json_error(req, 400, "bad_request",
			"token is missing, and there is no cookie either");
		return;
	}
	req->data = token;
	args = json_object();
	json_object_set_new(args, "token", json_string(token));
	operation_start(req, "sessions.restore", args, on_restored);
}

static const struct json_arg no_rows[] = {{.type = JSON_ARG_END}};

/* An empty object: a POST of another kind is no slip of a form's. */
static void ask(struct request *req, const char *op)
{
	if (api_take_body(req, no_rows, NULL))
		operation_start(req, op, json_object(), on_reply);
}

void api_pause(struct request *req)
{
	ask(req, "guest.pause");
}

struct free_args {
	char terms[CTL_TERMS_MAX + 1];
};

static const struct json_arg free_rows[] = {
	{"terms", JSON_ARG_TEXT, false, offsetof(struct free_args, terms), 1,
		CTL_TERMS_MAX, 0},
	{.type = JSON_ARG_END}};

void api_free(struct request *req)
{
	struct free_args in = {0};
	json_t *args;

	if (!api_take_body(req, free_rows, &in))
		return;
	args = json_object();
	api_accept(args, in.terms);
	operation_start(req, "guest.free", args, on_reply);
}

void api_resume(struct request *req)
{
	ask(req, "guest.resume");
}
