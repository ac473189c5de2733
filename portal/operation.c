/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations under way. The control client takes CTL_CLIENT_PENDING_MAX of
 * them at a time; the rest wait here in order. Each belongs to one request,
 * so there are never more than connections.
 *
 * An operation that ended is always reported as an outcome: a daemon that is
 * away looks to a handler like any other refusal.
 */
#include "operation.h"

#include "base/ip.h"
#include "base/log.h"
#include "base/util.h"
#include "response.h"

struct operation {
	struct operation *next, **prev; /* in `waiting` or `sent` */
	struct request *req;
	struct ctl_client *client;
	struct ctl_proof proof;
	const char *name;
	json_t *args;
	operation_fn *fn;
	uint64_t id; /* the control client's; 0 while it waits */
};

struct operations {
	struct portal *portal;
	struct operation *waiting, **last_waiting;
	struct operation *sent;
	bool away; /* said so in the log */
};

struct operations *operations_new(struct portal *portal)
{
	struct operations *ops = xcalloc(1, sizeof(*ops));

	ops->portal = portal;
	ops->last_waiting = &ops->waiting;
	return ops;
}

static void unlink_operation(struct operations *ops, struct operation *op)
{
	if (!op->prev)
		return;
	*op->prev = op->next;
	if (op->next)
		op->next->prev = op->prev;
	if (ops->last_waiting == &op->next)
		ops->last_waiting = op->prev;
	op->prev = NULL;
}

static void operation_free(struct operations *ops, struct operation *op)
{
	unlink_operation(ops, op);
	op->req->operation = NULL;
	json_put(&op->args);
	free(op);
}

static void report(struct operations *ops, struct operation *op,
	const struct outcome *outcome)
{
	operation_fn *fn = op->fn;
	struct request *req = op->req;

	operation_free(ops, op);
	fn(req, outcome);
}

static void report_away(struct operations *ops, struct operation *op, int err)
{
	const struct ctl_code_row *code = ctl_code_lookup("unavailable");
	const struct outcome outcome = {
		.status = code->http,
		.code = code->name,
		.error = "The gateway does not answer at the moment. "
			 "Please try again in a few seconds.",
	};

	/* Once per absence; guests may be many. */
	if (!ops->away)
		log_warning("%s: no answer from the daemon: %s", op->name,
			strerror(-err));
	ops->away = true;
	report(ops, op, &outcome);
}

static void send_waiting(struct operations *ops);

/* A refusal by rate says how long. */
static void set_retry(struct request *req, const json_t *reply)
{
	const json_t *after = json_object_get(reply, "retryAfter");

	if (json_is_integer(after))
		response_header(req, "Retry-After",
			arena_printf(&req->arena, "%lld",
				(long long)json_integer_value(after)));
}

static void on_reply(void *data, int err, const json_t *reply)
{
	struct operation *op = data;
	struct operations *ops = op->req->portal->operations;
	const struct ctl_code_row *code = NULL;
	struct outcome outcome = {.status = 200, .reply = reply};

	if (err) {
		report_away(ops, op, err);
		send_waiting(ops);
		return;
	}
	if (ops->away)
		log_info("the daemon answers again");
	ops->away = false;
	code = ctl_reply_code(reply);
	set_retry(op->req, reply);
	if (code) {
		outcome.status = code->http;
		outcome.code = code->name;
		outcome.error =
			json_string_value(json_object_get(reply, "error"));
		if (!outcome.error)
			outcome.error = "Something went wrong.";
	}
	report(ops, op, &outcome);
	send_waiting(ops);
}

/* 0, -EBUSY: later, or the operation was reported as failed. */
static int send_one(struct operations *ops, struct operation *op)
{
	int ret = ctl_client_send(op->client, op->name, op->args, &op->proof,
		on_reply, op, &op->id);

	if (ret == -EBUSY)
		return ret;
	unlink_operation(ops, op);
	if (ret) {
		report_away(ops, op, ret);
		return ret;
	}
	json_put(&op->args);
	op->next = ops->sent;
	op->prev = &ops->sent;
	if (op->next)
		op->next->prev = &op->next;
	ops->sent = op;
	return 0;
}

static void send_waiting(struct operations *ops)
{
	while (ops->waiting && send_one(ops, ops->waiting) != -EBUSY)
		continue;
}

static void start(struct request *req, struct ctl_client *client,
	const struct ctl_proof *proof, const char *name, json_t *args,
	operation_fn *fn)
{
	struct operations *ops = req->portal->operations;
	struct operation *op = xcalloc(1, sizeof(*op));

	op->req = req;
	op->client = client;
	op->proof = *proof;
	op->name = name;
	op->args = args;
	op->fn = fn;
	req->operation = op;
	op->prev = ops->last_waiting;
	*ops->last_waiting = op;
	ops->last_waiting = &op->next;
	if (ops->waiting == op)
		send_waiting(ops);
}

void operation_start(
	struct request *req, const char *name, json_t *args, operation_fn *fn)
{
	const struct ctl_proof proof = {.fd = req->endpoint->fd};

	req->endpoint->proof_used = true;
	start(req, req->portal->ctl, &proof, name, args, fn);
}

void operation_start_operator(struct request *req, const char *name,
	json_t *args, const char *token, operation_fn *fn)
{
	const struct ctl_proof proof = {.fd = -1, .token = token};

	start(req, req->portal->ctl, &proof, name, args, fn);
}

void operation_start_login(struct request *req, const char *name,
	const char *password, operation_fn *fn)
{
	const struct ctl_proof nobody = {.fd = -1};
	json_t *args = json_object();
	char address[IP_TEXT];

	json_object_set_new(args, "name", json_string(name));
	json_object_set_new(args, "password", json_string(password));
	json_object_set_new(args, "address",
		json_string(ip_format(&req->endpoint->peer, address)));
	start(req, req->portal->door, &nobody, "operators.login", args, fn);
}

void operation_start_session(struct request *req, operation_fn *fn)
{
	const char *token = request_token(req);
	json_t *args = json_object();

	json_object_set_new(args, "claim", json_true());
	if (token)
		json_object_set_new(args, "token", json_string(token));
	operation_start(req, "guest.session", args, fn);
}

void operation_cancel(struct request *req)
{
	struct operation *op = req->operation;

	if (!op)
		return;
	if (op->id)
		ctl_client_cancel(op->client, op->id);
	operation_free(req->portal->operations, op);
}

void operations_free(struct operations *ops)
{
	if (!ops)
		return;
	while (ops->sent)
		report_away(ops, ops->sent, -ECANCELED);
	while (ops->waiting)
		report_away(ops, ops->waiting, -ECANCELED);
	free(ops);
}
