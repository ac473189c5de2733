/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON API for guests (docs/api.md); handlers of routes.c. */
#ifndef PORTAL_API_H
#define PORTAL_API_H

#include "base/json.h"
#include "operation.h"
#include "request.h"

void api_session(struct request *req);
void api_plans(struct request *req);
void api_activate(struct request *req);
void api_restore(struct request *req);
void api_pause(struct request *req);
void api_resume(struct request *req);
void api_free(struct request *req);
void api_guest_devices(struct request *req); /* api_devices.c */
void api_guest_device_add(struct request *req);
void api_guest_device_remove(struct request *req);
void api_start(struct request *req); /* api_coins.c */
void api_coins_lock(struct request *req);
void api_coins_status(struct request *req);
void api_coins_done(struct request *req);
void api_qr_validate(struct request *req); /* api_qr.c */
void api_qr_session(struct request *req);
void api_qr_logout(struct request *req);

/* For api_*.c: the body by the rows; false: answered. */
bool api_take_body(
	struct request *req, const struct json_arg *rows, void *ret_args);
/* The terms of use that the body accepted, "" for none, as an argument. */
void api_accept(json_t *args, const char *terms);
/* An operation_fn: the reply as it is, a refusal as JSON. */
void api_send_outcome(struct request *req, const struct outcome *outcome);
/* Answers with a refusal, and what it says beside its code. */
void api_refuse(struct request *req, const struct outcome *outcome);
/* An operation_fn: a token becomes the cookie; a refusal keeps what it says of
 * money. */
void api_on_money(struct request *req, const struct outcome *outcome);

/* Of the operators' instance; api_operator.c. */
void api_login(struct request *req);
void api_logout(struct request *req);
void api_me(struct request *req);
void api_devices(struct request *req);
void api_device(struct request *req);
void api_device_put(struct request *req);
void api_operator(struct request *req);
void api_qr_generate(struct request *req); /* desk_qr.c */
void api_qr_list(struct request *req);

/* Asks with the login or the API token of the request, the body as arguments;
 * answers at once who has none. */
void api_operator_ask(struct request *req, const char *name, operation_fn *fn);

#endif
