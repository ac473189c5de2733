/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all requests share. One per process; main.c fills it. */
#ifndef PORTAL_PORTAL_H
#define PORTAL_PORTAL_H

#include "base/config.h"
#include "base/crypto.h"
#include "base/loop.h"
#include "ctl/ctl_client.h"

/* Limits; the memory of the whole is bounded by their product. */
#define PORTAL_CONNECTIONS_MAX 2048
#define PORTAL_PER_ADDRESS_MAX 64
#define PORTAL_HEADERS_MAX     (16 * 1024) /* both ways, one connection */
#define PORTAL_BODY_MAX	       (4 * 1024)
#define PORTAL_IMPORT_MAX      (60 * 1024) /* of operators, who take in files */
/* From the first byte to the last of a request; of an idle connection; of an
 * answer that nobody takes. */
#define PORTAL_PATIENCE_NS (8 * 1000000000LL)
/* Stopping: how long who was accepted and has said nothing is waited for, and
 * all the others. */
#define PORTAL_DRAIN_QUIET_NS (300 * 1000000LL)
#define PORTAL_DRAIN_NS	      (1000 * 1000000LL)
/* While a daemon that was there a moment ago is restarted, requests wait. */
#define PORTAL_RESTART_NS (3 * 1000000000LL)
/* Longer than the daemon ever needs. */
#define PORTAL_DAEMON_NS (5 * 1000000000LL)

struct brands;
struct operations;
struct refusals;
struct known;

/* The program runs for guests or for operators. */
enum instance {
	INSTANCE_GUEST = 1,
	INSTANCE_OPERATOR = 2,
	INSTANCE_BOTH = INSTANCE_GUEST | INSTANCE_OPERATOR,
};

struct portal {
	struct config config;
	struct loop *loop;
	enum instance instance; /* whom it serves; routes.h */
	struct ctl_client *ctl;
	struct ctl_client *door; /* for logins; NULL: guests' instance */
	struct operations *operations;
	struct refusals *refusals;
	struct brands *brands; /* of the networks, in their order */
	struct known *known; /* whose place in line is the first */
	uint8_t form_key[CRYPTO_KEY]; /* signs form tokens; made at start */
	bool has_tls;
	bool guests_have_tls; /* where operators are told */
	bool draining;	/* stops: each answer ends its connection */
	bool http_work; /* libmicrohttpd is to be run before we sleep */
};

#endif
