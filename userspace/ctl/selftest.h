/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays a phone that has just joined: an address, a name, each system's probe,
 * the sign-in page, the portal's API, and says what does not work and why.
 */
#ifndef CTL_SELFTEST_H
#define CTL_SELFTEST_H

#include "base/json.h"

/*
 * `own` has the options: "network" (default: the first), "here" (this machine
 * is the client, no daemon is asked), "ca". *ret_reply: a success, or the
 * refusal `differs`, both with "checks"; or a refusal that says why nothing was
 * tested. Owned by the caller. A negative errno: the daemon was not reached.
 */
int selftest_make(const char *socket, const json_t *own, json_t **ret_reply);

#endif
