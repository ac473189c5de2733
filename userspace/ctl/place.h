/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's place: a network namespace with one interface, "eth0", that is
 * plugged into a bridge of this box like a guest's phone into an access point.
 */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include <stdbool.h>

#include "base/json.h"

/* Is the interface a bridge, so that something can be plugged in? */
bool place_is_bridge(const char *interface);

/*
 * Calls `fn` in a process of its own in such a place; what it returns comes
 * back, owned by the caller. Nothing of it stays, whoever of the two is killed.
 * -EPERM: only root can; -EIO: the place could not be made, `ip` has said why.
 */
int place_run(const char *bridge, json_t *(*fn)(void *data), void *data,
	json_t **ret_result);

/* Runs a command, "ip", "addr", ... with a NULL behind; -EIO when it fails. */
int place_command(const char *const *words);

#endif
