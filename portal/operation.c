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

#include <sys/queue.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/util.h"
#include "known.h"
#include "response.h"

/* How often a daemon that is away is looked for. */
#define AGAIN_NS (50 * NSEC_PER_MSEC)
/* One that goes down may take a request twice: from a connection, and from the
 * line of those that it did not accept any more. */
#define LOST_MAX 3

TAILQ_HEAD(operation_list, operation);

struct operation {
	TAILQ_ENTRY(operation) in_list;
	struct request *req;
	struct ctl_client *client;
	struct operation_list *list, *line; /* where it is, where it waits */
	struct ctl_proof proof;
	const char *name;
	json_t *args;
	operation_fn *fn;
	int lost;    /* so often a daemon went away with it */
	uint64_t id; /* the control client's; 0 while it waits */
};

/* Who wait for room at one control client; the known (known.h) go first. */
struct line {
	struct operation_list known, strangers;
};

struct operations {
	struct portal *portal;
	struct line line, door; /* of portal->ctl and of portal->door */
	struct operation_list sent;
	int64_t away_ns; /* since when there is no daemon; 0: there is */
	bool away;	 /* said so in the log */
	struct loop_timer again;
};

struct operations *operations_new(struct portal *portal)
{
	struct operations *ops = xcalloc(1, sizeof(*ops));

	ops->portal = portal;
	TAILQ_INIT(&ops->line.known);
	TAILQ_INIT(&ops->line.strangers);
	TAILQ_INIT(&ops->door.known);
	TAILQ_INIT(&ops->door.strangers);
	TAILQ_INIT(&ops->sent);
	return ops;
}

/* `list` NULL: none. */
static void put_into(struct operation *op, struct operation_list *list)
{
	if (op->list)
		TAILQ_REMOVE(op->list, op, in_list);
	op->list = list;
	if (list)
		TAILQ_INSERT_TAIL(list, op, in_list);
}

static void operation_free(struct operation *op)
{
	put_into(op, NULL);
	op->req->operation = NULL;
	json_put(&op->args);
	free(op);
}

static void report(struct operations *ops, struct operation *op,
	const struct outcome *outcome)
{
	operation_fn *fn = op->fn;
	struct request *req = op->req;

	operation_free(op);
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

static void on_again(void *data)
{
	send_waiting(data);
}

/* A daemon that is restarted is back in a moment; one that is not is told of at
 * once. `err` says that nobody, or nobody any more, has the request. */
static bool wait_for_daemon(struct operations *ops, int err)
{
	int64_t now = clock_mono_ns();

	if (err != -ENOENT && err != -ECONNREFUSED && err != -ECONNRESET)
		return false;
	if (!ops->away_ns)
		ops->away_ns = now;
	if (now - ops->away_ns > PORTAL_RESTART_NS || ops->portal->draining)
		return false;
	loop_timer_start(ops->portal->loop, &ops->again, AGAIN_NS, 0, on_again, ops);
	return true;
}

/* An operator's login, or a guest whom the gate lets pass. */
static void note_known(struct operation *op, const json_t *reply)
{
	struct request *req = op->req;
	const json_t *online = json_object_get(reply, "online");

	if (op->proof.token ? !ctl_reply_code(reply) : json_is_true(online))
		known_note(req->portal->known, &req->endpoint->peer,
			req->started_ns);
	else if (json_is_false(online))
		known_forget(req->portal->known, &req->endpoint->peer);
}

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

	/* A guest's connection proves one request: had the daemon begun this
	 * one, it would refuse it now. So it can be sent again. */
	if (err && op->proof.fd >= 0 && op->lost < LOST_MAX &&
		wait_for_daemon(ops, err)) {
		op->lost++;
		op->id = 0;
		put_into(op, op->line);
		return;
	}
	if (err) {
		report_away(ops, op, err);
		send_waiting(ops);
		return;
	}
	ops->away_ns = 0;
	if (ops->away)
		log_info("the daemon answers again");
	ops->away = false;
	note_known(op, reply);
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

	if (ret == -EBUSY || (ret && wait_for_daemon(ops, ret)))
		return -EBUSY;
	if (ret) {
		report_away(ops, op, ret);
		return ret;
	}
	put_into(op, &ops->sent);
	return 0;
}

static struct operation *first_of(const struct line *line)
{
	return TAILQ_FIRST(&line->known) ?: TAILQ_FIRST(&line->strangers);
}

static void send_line(struct operations *ops, struct line *line)
{
	struct operation *op;

	while ((op = first_of(line)) && send_one(ops, op) != -EBUSY)
		continue;
}

static void send_waiting(struct operations *ops)
{
	send_line(ops, &ops->line);
	send_line(ops, &ops->door);
}

static void start(struct request *req, struct ctl_client *client,
	const struct ctl_proof *proof, const char *name, json_t *args,
	operation_fn *fn)
{
	struct operations *ops = req->portal->operations;
	struct line *line =
		client == req->portal->door ? &ops->door : &ops->line;
	struct operation *op = xcalloc(1, sizeof(*op));

	op->req = req;
	op->client = client;
	op->proof = *proof;
	op->name = name;
	op->args = args;
	op->fn = fn;
	req->operation = op;
	op->line = known_is(req->portal->known, &req->endpoint->peer,
			   req->started_ns)
			   ? &line->known
			   : &line->strangers;
	put_into(op, op->line);
	send_line(ops, line);
}

void operation_start(
	struct request *req, const char *name, json_t *args, operation_fn *fn)
{
	const struct ctl_proof proof = {.fd = req->endpoint->fd};

	req->endpoint->proof_used = true;
	start(req, req->portal->ctl, &proof, name, args, fn);
}

void operation_start_member(struct request *req, const char *name,
	json_t *args, const char *token, operation_fn *fn)
{
	const struct ctl_proof proof = {
		.fd = req->endpoint->fd, .token = token};

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

void operation_start_second(struct request *req, const char *ticket,
	const char *code, operation_fn *fn)
{
	const struct ctl_proof nobody = {.fd = -1};
	json_t *args = json_object();

	json_object_set_new(args, "ticket", json_string(ticket));
	json_object_set_new(args, "code", json_string(code));
	start(req, req->portal->door, &nobody, "operators.second", args, fn);
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
	operation_free(op);
}

void operations_free(struct operations *ops)
{
	struct operation *op;

	if (!ops)
		return;
	loop_timer_stop(ops->portal->loop, &ops->again);
	while ((op = TAILQ_FIRST(&ops->sent) ?: first_of(&ops->line)
						?: first_of(&ops->door)))
		report_away(ops, op, -ECANCELED);
	free(ops);
}
