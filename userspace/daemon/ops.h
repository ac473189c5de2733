/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations: the one table of what can be asked for, by whom, with which
 * arguments. The CLI, the portal and the JSON API reach nothing else.
 */
#ifndef DAEMON_OPS_H
#define DAEMON_OPS_H

#include "daemon/ctl_server.h"
#include "daemon/gatehoused.h"
#include "daemon/proof.h"
#include "daemon/throttle.h"

/* Room for the largest argument struct. */
#define OP_ARGS_MAX 4352

/*
 * Does the work and returns the reply; NULL after ctl_server_defer(). `args` is
 * the row's struct, filled and checked. Runs in a savepoint of the turn's
 * transaction: after a reply that is no success nothing of it remains. Must not
 * block.
 */
typedef json_t *op_fn(struct gatehoused *g, const struct caller *caller,
	const void *args);

struct op {
	const char *name;
	unsigned int proofs; /* enum proof, those accepted */
	enum role least;     /* for callers with a role */
	enum rate_class rate; /* for guests */
	const struct json_arg *args;
	op_fn *handler;
};

/* Ends with a row without a name. */
extern const struct op ops[];
/* NULL when there is none. */
const struct op *op_lookup(const char *name);

/* A frame of the control socket -> its reply. `g` is a struct gatehoused. */
json_t *ops_handle(void *g, const struct ctl_frame *frame);

/* What a frame asks for. */
struct op_request {
	const struct op *op; /* NULL: none that is known */
	/* An operator's proof, "": none; of what is too long one byte too many. */
	char token[CTL_TOKEN_LEN + 2];
	_Alignas(16) char args[OP_ARGS_MAX];
};
/*
 * First half of ops_handle(): `ret` out of a frame, zeroed by the caller.
 * CTL_OK, or the code with a sentence in `err`; the operation is set once it is
 * known, also when its arguments are wrong. Needs nothing but its arguments:
 * what it may be asked is fuzzed.
 */
enum ctl_code ops_parse(const char *text, size_t len, struct op_request *ret,
	char *err, size_t err_len);

/* What an answer to a guest has besides, and what it costs him: for a reply that
 * came later. */
void ops_answered(struct gatehoused *g, const struct op *op,
	const struct caller *caller, json_t *reply);
/* For a reply that comes later: `fn` as a handler, in a savepoint of the turn's
 * transaction. */
json_t *ops_run(struct gatehoused *g, const char *name,
	json_t *(*fn)(struct gatehoused *g, void *data), void *data);

#endif
