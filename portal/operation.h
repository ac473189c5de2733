/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking the daemon on behalf of the guest at the other end of a request's
 * connection. The connection itself goes along as the proof of who asks
 * (docs/design.md T1); it can prove one request.
 */
#ifndef PORTAL_OPERATION_H
#define PORTAL_OPERATION_H

#include "request.h"

/* What became of it. */
struct outcome {
	int status;	     /* HTTP */
	const char *code;    /* of CTL_CODES; NULL: success */
	const char *error;   /* sentence for a person; NULL with success */
	const json_t *reply; /* NULL when the daemon did not answer */
};

typedef void operation_fn(struct request *req, const struct outcome *outcome);

struct operations *operations_new(struct portal *portal);
/* Answers everybody who still waits with `unavailable`. NULL is fine. */
void operations_free(struct operations *operations);

/*
 * `args` is taken. `fn` is called exactly once unless the request ends first,
 * possibly before this returns, and must answer the request.
 */
void operation_start(
	struct request *req, const char *name, json_t *args, operation_fn *fn);
/*
 * Asks for the visitor's own session. The browser's token is shown with it, and
 * who has none of this session may be given one (docs/design.md P1).
 */
void operation_start_session(struct request *req, operation_fn *fn);
/* Asked by a member of staff who logged in on this device: with the connection
 * goes `token`, the browser's half of that login, which lives as long as the
 * request. */
void operation_start_member(struct request *req, const char *name,
	json_t *args, const char *token, operation_fn *fn);
/* On the operators' instance: asked by whoever has the token, which lives as
 * long as the request. */
void operation_start_operator(struct request *req, const char *name,
	json_t *args, const char *token, operation_fn *fn);
/* The same of nobody yet. Passwords take their time, so others do not wait in
 * line behind them. */
void operation_start_login(struct request *req, const char *name,
	const char *password, operation_fn *fn);
/* The step behind it: a code for the ticket that the first one answered. */
void operation_start_second(struct request *req, const char *ticket,
	const char *code, operation_fn *fn);
/* The request ends: its `fn` is not called any more. */
void operation_cancel(struct request *req);

#endif
