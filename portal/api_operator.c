/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operators' API: a login, the devices (P4), and every operation of the
 * daemon's table by its name. Who may do what is the daemon's to say, from the
 * token of the cookie or of the Authorization header; no rule lives here.
 */
#include "api.h"

#include "base/json.h"
#include "base/text.h"
#include "base/util.h"
#include "operation.h"
#include "response.h"

#define NAME_MAX_LEN 31 /* of an operation */

static void on_reply(struct request *req, const struct outcome *outcome)
{
	if (!outcome->code) {
		response_json(req, 200, outcome->reply);
		return;
	}
	if (outcome->reply) /* it may say more than the sentence */
		response_json(req, outcome->status, outcome->reply);
	else
		response_json_error(
			req, outcome->status, outcome->code, outcome->error);
}

/* `args` is taken. */
static void ask_for(struct request *req, const char *name, json_t *args,
	operation_fn *fn)
{
	const char *token = request_operator_token(req);

	if (token) {
		operation_start_operator(req, name, args, token, fn);
		return;
	}
	json_decref(args);
	response_json_error(req, 401, "not_logged_in",
		"Please log in, or send an API token as \"Authorization: Bearer "
		"TOKEN\".");
}

static void ask(struct request *req, const char *name, json_t *args)
{
	ask_for(req, name, args, on_reply);
}

/* The body, or an empty object without one; NULL: answered. */
static json_t *take_object(struct request *req)
{
	json_t *body = NULL;

	if (!req->body_len)
		return json_object();
	if (json_parse_object(req->body, req->body_len, &body) == 0)
		return body;
	response_json_error(
		req, 400, "bad_request", "The body must be one JSON object.");
	return NULL;
}

void api_operator_ask(struct request *req, const char *name, operation_fn *fn)
{
	json_t *args = req->method == METHOD_GET ? json_object()
						 : take_object(req);

	if (args)
		ask_for(req, name, args, fn);
}

/* POST /api/operator/clients.allow: the body is the arguments. */
void api_operator(struct request *req)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyz._";
	const char *name = req->path + strlen("/api/operator/");
	size_t len = strlen(name);
	json_t *args;

	if (!len || len > NAME_MAX_LEN || strspn(name, fine) != len) {
		response_json_error(req, 404, "unknown_operation",
			"There is no such operation.");
		return;
	}
	args = take_object(req);
	if (args)
		ask(req, name, args);
}

/* A number of the query, as an argument. */
static void add_number(struct request *req, const char *name, json_t *args)
{
	const char *text = form_get(&req->query, name);
	char *end;
	long long number;

	if (!text)
		return;
	number = strtoll(text, &end, 10);
	/* The daemon says what is wrong with what is no number. */
	json_object_set_new(args, name,
		*text && !*end ? json_integer(number) : json_string(text));
}

void api_devices(struct request *req)
{
	json_t *args = json_object();

	add_number(req, "limit", args);
	add_number(req, "after", args);
	ask(req, "clients.list", args);
}

/* The device that the path names, its number or its MAC, into the arguments. */
static bool name_device(struct request *req, json_t *args)
{
	const char *id = req->path + strlen("/api/devices/");
	json_t *value;

	if (json_object_get(args, "mac")) {
		response_json_error(req, 400, "bad_request",
			"The device is named by the path, not by the body.");
		return false;
	}
	value = json_string(id);
	if (!*id || !value) {
		json_decref(value);
		response_json_error(
			req, 404, "not_found", "There is no such device.");
		return false;
	}
	json_object_set_new(args, "mac", value);
	return true;
}

static void ask_about_device(
	struct request *req, const char *name, json_t *args)
{
	if (!args)
		return;
	if (name_device(req, args))
		ask(req, name, args);
	else
		json_decref(args);
}

void api_device(struct request *req)
{
	ask_about_device(req, "clients.get", json_object());
}

void api_device_put(struct request *req)
{
	ask_about_device(req, "clients.set", take_object(req));
}

void api_me(struct request *req)
{
	ask(req, "operators.me", json_object());
}

/* Logging in and out. */

/* The token is for the cookie, which no script of a page can read. */
static void on_login(struct request *req, const struct outcome *outcome)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *token;

	if (outcome->code) {
		on_reply(req, outcome);
		return;
	}
	token = json_string_value(json_object_get(outcome->reply, "token"));
	response_set_operator(req, token);
	reply = json_deep_copy(outcome->reply);
	json_object_del(reply, "token");
	response_json(req, 200, reply);
}

struct login_args {
	char name[CTL_NAME_MAX + 1];
	char password[129];
	char code[17]; /* of an app, for accounts that have one */
};

static const struct json_arg login_rows[] = {
	{"name", JSON_ARG_TEXT, true, offsetof(struct login_args, name), 1,
		CTL_NAME_MAX, 0},
	{"password", JSON_ARG_TEXT, true, offsetof(struct login_args, password),
		1, 128, 0},
	{"code", JSON_ARG_TEXT, false, offsetof(struct login_args, code), 1, 16,
		0},
	{.type = JSON_ARG_END}};

/* The password was right; the code came along, or else that is the answer. */
static void on_password(struct request *req, const struct outcome *outcome)
{
	const char *ticket =
		json_string_value(json_object_get(outcome->reply, "ticket"));
	const char *code = req->data;

	if (outcome->code && ticket && *code)
		operation_start_second(req, ticket, code, on_login);
	else
		on_login(req, outcome);
}

void api_login(struct request *req)
{
	_cleanup_json_ json_t *body = take_object(req);
	struct login_args in = {0};
	char err[128];

	if (!body)
		return;
	if (json_args(body, login_rows, &in, err, sizeof(err))) {
		response_json_error(req, 400, "bad_request", err);
		return;
	}
	req->data = arena_copy(&req->arena, in.code, strlen(in.code));
	operation_start_login(req, in.name, in.password, on_password);
	crypto_wipe(&in, sizeof(in));
}

static void on_logout(struct request *req, const struct outcome *outcome)
{
	if (!outcome->code || outcome->status == 401)
		response_set_operator(req, NULL);
	on_reply(req, outcome);
}

void api_logout(struct request *req)
{
	const char *token = request_operator_token(req);

	if (token)
		operation_start_operator(req, "operators.leave", json_object(),
			token, on_logout);
	else
		ask(req, "operators.leave", json_object());
}
