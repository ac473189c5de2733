/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An operation that waits for a password to be made or checked (passwords.h):
 * its answer comes in a turn of its own, so the loop waits for nothing.
 */
#ifndef DAEMON_LATER_H
#define DAEMON_LATER_H

#include "base/ip.h"
#include "daemon/ops.h"
#include "daemon/passwords.h"
#include "gatehouse/ctl.h"

/* An operation that waits for its password. */
struct later {
	struct gatehoused *g;
	const char *operation;
	json_t *(*finish)(struct gatehoused *g, const struct later *later);
	uint64_t ticket;
	int64_t begun_ns;
	struct caller caller;
	/* Of the account. */
	int64_t id; /* 0: there is none, or not yet */
	char name[CTL_NAME_MAX + 1];
	enum role role;
	char before[CRYPTO_PASSWORD]; /* what a login was checked against */
	char password[PASSWORDS_TEXT]; /* the next one, once that is right */
	char address[IP_TEXT];
	struct ipaddr ip;
	bool is_known;
	/* What came of it. */
	int ret;
	const char *stored;
};

/* `finish` makes the reply. The caller fills in what it needs. */
struct later *later_new(struct gatehoused *g, const struct caller *caller,
	const char *operation,
	json_t *(*finish)(struct gatehoused *g, const struct later *later));
void later_free(struct later *later);
/* A passwords_fn whose data is a struct later, which is freed. */
void later_done(void *data, int ret, const char *stored);
/* For the handler to return: NULL, the reply comes later; or, after `ret`, a
 * refusal. `later` is taken. */
json_t *later_wait(struct later *later, int ret);

/* A `finish`: the account has the new password; in ops_operators.c. */
json_t *password_changed(struct gatehoused *g, const struct later *later);

#endif
