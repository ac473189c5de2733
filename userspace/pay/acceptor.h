/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coin acceptors: what tells of coins, and is told when to take them. Either a
 * GPIO line (coin_gpio.c), or a program at a Unix socket (coin_socket.c), which
 * docs/coin-acceptors.md describes.
 */
#ifndef PAY_ACCEPTOR_H
#define PAY_ACCEPTOR_H

#include <sys/types.h>

#include "base/config.h"
#include "base/loop.h"

/* One report of an acceptor. */
struct acceptor_pulse {
	int64_t at_ns; /* monotonic: when it fell */
	int64_t amount_minor;
	int64_t seq; /* the acceptor's own number; UNLIMITED: none */
};

/* What a slot shows. */
struct acceptor_state {
	bool inhibit; /* take no coin */
	int64_t lock; /* its number; 0: none */
	int seconds;  /* left of it */
};

struct acceptor_handlers {
	/*
	 * Keeps it for good before it returns: 0, `ret_is_new` says whether it
	 * was not there before, and then it is the daemon's. An errno: the
	 * acceptor still has it, and tells again.
	 */
	int (*pulse)(void *data, const struct acceptor_pulse *pulse,
		bool *ret_is_new);
	/* The last number that was kept; UNLIMITED: none. */
	int64_t (*last_seq)(void *data);
	/* Something that is no coin; a sentence. */
	void (*noise)(void *data, const char *what);
	void *data;
};

struct acceptor;

/*
 * Opens what the slot's settings say; needs the privileges of the start.
 * `coin` must stay where it is. `portal_uid` -1: unknown. 0 or an errno.
 */
int acceptor_open(struct loop *loop, const struct config_coin *coin,
	uid_t portal_uid, const struct acceptor_handlers *handlers,
	struct acceptor **ret_acceptor);
/* NULL is fine. */
void acceptor_close(struct acceptor *acceptor);
/* Before the first call coins are refused. */
void acceptor_show(struct acceptor *acceptor, const struct acceptor_state *state);
/* Is there a device, or a program, that would take coins? */
bool acceptor_is_ready(const struct acceptor *acceptor);

#endif
