/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections, by who holds them, and who has to go when there is no room.
 *
 * It is always one of the address that holds most, so who has one or two keeps
 * them whatever a crowd of others does; among equals the one that has waited
 * longest for its guest. Addresses that the daemon knows (known.h) have a share
 * of their own: strangers go first while the known ones hold no more than that,
 * and known ones first when they hold more, so neither locks the other out.
 *
 * Never one for which an answer is being made.
 */
#ifndef PORTAL_CONNS_H
#define PORTAL_CONNS_H

#include <sys/queue.h>

#include "known.h"
#include "request.h"

struct holder;

struct conn {
	struct endpoint endpoint;
	struct request *request; /* the server's; NULL between two */
	int64_t since_ns;   /* the guest's turn began */
	bool served;	    /* it has had an answer */
	bool busy;	    /* our turn, or the daemon's; or being closed */
	struct holder *holder;
	TAILQ_ENTRY(conn) in_all, in_holder; /* by since_ns, oldest first */
};

struct conns;

/* `known` stays the caller's. */
struct conns *conns_new(const struct known *known);
/* NULL is fine; there may be no connection any more. */
void conns_free(struct conns *conns);

/* Of the accepted socket `fd`. */
struct conn *conns_add(struct conns *conns, int fd, bool secure);
/* Frees it. */
void conns_remove(struct conns *conns, struct conn *conn);
/* A new turn begins, the guest's unless `busy`. */
void conns_turn(struct conns *conns, struct conn *conn, bool busy);

int conns_count(const struct conns *conns);
/* Who has to go; NULL when all are busy. */
struct conn *conns_victim(struct conns *conns);
/* The guest's turn that began first, if it was before `limit_ns`; NULL. */
struct conn *conns_late(struct conns *conns, int64_t limit_ns);

/* Calls `fn` with each; it may begin turns but add and remove none. */
void conns_each(struct conns *conns, void (*fn)(void *data, struct conn *conn),
	void *data);

#endif
