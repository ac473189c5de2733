/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins over JSON (P2): the body goes on to the operation as it is, checked for
 * its shape; what was inserted is for the daemon to know. A refusal carries
 * what it says of the money, so that a page can show it.
 */
#include "api.h"

#include "base/json.h"
#include "base/util.h"
#include "operation.h"
#include "response.h"

struct coin_body {
	char slot[CTL_NAME_MAX + 1];
	char lock[CTL_TOKEN_MAX + 1];
	char terms[CTL_TERMS_MAX + 1];
	int64_t minutes, pesos;
	bool slot_set, lock_set, minutes_set, pesos_set;
};

#define AT(field) offsetof(struct coin_body, field)
#define TERMS_ROW {"terms", JSON_ARG_TEXT, false, AT(terms), 1, CTL_TERMS_MAX, 0}
static const struct json_arg lock_rows[] = {
	{"slot", JSON_ARG_TEXT, false, AT(slot), 1, CTL_NAME_MAX, AT(slot_set)},
	{"lockId", JSON_ARG_TEXT, false, AT(lock), 1, CTL_TOKEN_MAX,
		AT(lock_set)},
	TERMS_ROW, {.type = JSON_ARG_END}};
static const struct json_arg coin_rows[] = {
	{"slot", JSON_ARG_TEXT, false, AT(slot), 1, CTL_NAME_MAX, AT(slot_set)},
	{"lockId", JSON_ARG_TEXT, false, AT(lock), 1, CTL_TOKEN_MAX,
		AT(lock_set)},
	{.type = JSON_ARG_END}};
static const struct json_arg start_rows[] = {
	{"minutes", JSON_ARG_INT, false, AT(minutes), 0, INT32_MAX,
		AT(minutes_set)},
	{"pesos", JSON_ARG_INT, false, AT(pesos), 0, INT32_MAX, AT(pesos_set)},
	{"slot", JSON_ARG_TEXT, false, AT(slot), 1, CTL_NAME_MAX, AT(slot_set)},
	{"lockId", JSON_ARG_TEXT, true, AT(lock), 1, CTL_TOKEN_MAX,
		AT(lock_set)},
	TERMS_ROW,
	{.type = JSON_ARG_END}};

/* Those that the body had. */
static json_t *args_of(const struct coin_body *body)
{
	json_t *args = json_object();

	if (body->slot_set)
		json_object_set_new(args, "slot", json_string(body->slot));
	if (body->lock_set)
		json_object_set_new(args, "lockId", json_string(body->lock));
	if (body->minutes_set)
		json_object_set_new(args, "minutes", json_integer(body->minutes));
	if (body->pesos_set)
		json_object_set_new(args, "pesos", json_integer(body->pesos));
	api_accept(args, body->terms);
	return args;
}

static void start(
	struct request *req, const char *name, const struct json_arg *rows)
{
	struct coin_body body = {0};

	if (api_take_body(req, rows, &body))
		operation_start(req, name, args_of(&body), api_on_money);
}

void api_coins_lock(struct request *req)
{
	start(req, "coins.lock", lock_rows);
}

void api_coins_done(struct request *req)
{
	start(req, "coins.done", coin_rows);
}

void api_start(struct request *req)
{
	start(req, "sessions.start", start_rows);
}

void api_coins_status(struct request *req)
{
	const char *lock = form_get(&req->query, "lockId");
	json_t *args = json_object();

	if (lock && *lock)
		json_object_set_new(args, "lockId", json_string(lock));
	operation_start(req, "coins.status", args, api_on_money);
}
