/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one run of the portal leaves to the next: its listening sockets, so that
 * who connects while it is restarted waits a moment instead of being refused,
 * and the key of its forms, so that a page from before still works. The service
 * manager keeps them (FDSTORE of sd_notify(3), sd_listen_fds(3)); without one
 * each run begins anew.
 */
#ifndef PORTAL_HANDOVER_H
#define PORTAL_HANDOVER_H

#include "base/crypto.h"
#include "gatehouse/types.h"

/* Takes over what was kept. Call once, before the rest. */
void handover_begin(void);
/* The socket that listens there already, then the caller's; -1: none. */
int handover_listener(const struct ipaddr *addr, int port);
/* To be kept; the caller's still. */
void handover_keep_listener(int fd);
/* The key of the run before, or a new one that is kept. */
void handover_form_key(uint8_t key[static CRYPTO_KEY]);
/* What nobody asked for is closed, and no longer kept. Call before
 * handover_keep_listener(). */
void handover_end(void);

#endif
