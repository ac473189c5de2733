/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTTP server on our event loop: accepts, bounds, and calls the handlers.
 */
#ifndef PORTAL_SERVER_H
#define PORTAL_SERVER_H

#include "portal.h"

struct server;

/*
 * Makes the parts of the server; nothing is accepted yet. With has_tls there is
 * a certificate (certificate.h). -ENOMEM.
 */
int server_new(struct portal *portal, struct server **ret_server);
/* Adds a listening socket, which the server owns from then on. */
void server_add_listener(struct server *server, int fd, bool secure);
void server_each_listener(struct server *server, void (*fn)(int fd));
void server_start(struct server *server);
/* Accepts no more and calls `fn` once who was accepted has an answer, or after
 * PORTAL_DRAIN_NS. */
void server_drain(struct server *server, void (*fn)(void *data), void *data);
/* Closes all connections; nobody may wait for an operation any more. NULL is
 * fine. */
void server_free(struct server *server);

#endif
