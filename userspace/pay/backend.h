/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of an acceptor; for pay/ only. */
#ifndef PAY_BACKEND_H
#define PAY_BACKEND_H

#include "pay/acceptor.h"
#include "pay/pulse.h"

struct acceptor {
	const struct backend *backend;
	struct loop *loop;
	const struct config_coin *coin;
	uid_t portal_uid;
	struct acceptor_handlers handlers;
	struct acceptor_state state;
	struct pulse_meter meter;
	void *own; /* the backend's */
};

struct backend {
	/* Sets `own`; on failure nothing is left. */
	int (*open)(struct acceptor *acceptor);
	void (*close)(struct acceptor *acceptor);
	void (*show)(struct acceptor *acceptor);
	bool (*is_ready)(const struct acceptor *acceptor);
};

extern const struct backend backend_gpio, backend_socket;

#endif
