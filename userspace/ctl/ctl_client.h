/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller's side of the control socket (include/gatehouse/ctl.h), for
 * gatehousectl and the portal: one blocking call, and a client on the event
 * loop that keeps one connection and answers by callback.
 *
 * A reply that says "success":false is a reply, not an error of these
 * functions; ctl_reply_code() tells which.
 */
#ifndef CTL_CTL_CLIENT_H
#define CTL_CTL_CLIENT_H

#include "base/json.h"
#include "base/loop.h"
#include "gatehouse/ctl.h"

/* What a code of CTL_CODES means to the caller. */
struct ctl_code_row {
	const char *name;
	int http; /* status that the portal sends */
	int exit; /* exit status of gatehousectl */
};

/* Row of a code; an unknown one (a newer daemon) reads as "internal". */
const struct ctl_code_row *ctl_code_lookup(const char *name);
/* The code of a reply; NULL when it says "success":true. */
const struct ctl_code_row *ctl_reply_code(const json_t *reply);

/*
 * One request on a connection of its own. `args` may be NULL and stays the
 * caller's; `fd` is the guest's accepted TCP socket, or -1. Blocks at most
 * `timeout_ms`. 0 with a reply that the caller owns, or
 *   -ENOENT, -ECONNREFUSED  no daemon listens at `path`
 *   -EACCES                 this user may not connect
 *   -ECONNRESET             the daemon closed before it answered: the request
 *                           may or may not have been carried out
 *   -ETIMEDOUT, -EMSGSIZE (request too large), -EBADMSG (reply not understood)
 */
int ctl_call(const char *path, const char *op, const json_t *args, int fd,
	int timeout_ms, json_t **ret_reply);

/*
 * The same, and after a success every frame that follows goes to `fn`, until
 * the daemon closes the connection (-ECONNRESET) or `fn` returns other than 0,
 * which is then returned. A refusal is given back as *ret_reply, and 0.
 * `timeout_ms` is for the reply; events may take as long as they like.
 */
int ctl_watch(const char *path, const char *op, const json_t *args,
	int timeout_ms, int (*fn)(void *data, const json_t *event), void *data,
	json_t **ret_reply);

/*
 * Requests waiting for their reply on one ctl_client; more answer -EBUSY. The
 * daemon's own limit per connection is the same.
 */
#define CTL_CLIENT_PENDING_MAX 256

struct ctl_client;

/*
 * `err` is 0 and `reply` borrowed for the time of the call, or `err` is one of
 * ctl_call()'s and `reply` NULL. Called exactly once per request that
 * ctl_client_send() took, never from within ctl_client_send().
 */
typedef void ctl_reply_fn(void *data, int err, const json_t *reply);

/* Connects when the first request is sent, and again after the daemon was
 * away. `path` is copied. */
struct ctl_client *ctl_client_new(
	struct loop *loop, const char *path, int64_t timeout_ns);
/* Drops waiting requests without calling back. NULL is fine; not to be called
 * from a ctl_reply_fn. */
void ctl_client_free(struct ctl_client *client);

/* Who asks; without either it is the uid at this end. */
struct ctl_proof {
	int fd; /* a guest's accepted TCP socket, or -1 */
	const char *token; /* an operator's, or NULL */
};

/*
 * Sends a request without blocking. `args` as in ctl_call(); it and what proves
 * who asks may be gone when this returns (a socket that must wait for room is
 * duplicated). 0 or ctl_call()'s errors, and then `fn` is not called.
 * `ret_id`, which may be NULL, names the request for ctl_client_cancel().
 */
int ctl_client_send(struct ctl_client *client, const char *op,
	const json_t *args, const struct ctl_proof *proof, ctl_reply_fn *fn,
	void *data, uint64_t *ret_id);
/* The callback of that request will not come; the request itself may still be
 * carried out. Unknown ids are ignored. */
void ctl_client_cancel(struct ctl_client *client, uint64_t id);

#endif
