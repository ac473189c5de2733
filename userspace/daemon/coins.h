/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coin slots (P2): acceptors on one side, rules/coin.h on the other. A
 * pulse is committed before anything is made of it, and a slot takes coins only
 * while it is somebody's.
 */
#ifndef DAEMON_COINS_H
#define DAEMON_COINS_H

#include "daemon/gatehoused.h"
#include "rules/coin.h"

/* Opens the acceptors, with the privileges of the start; one that fails is
 * logged, and its slot is out of order. What was journalled by an earlier run
 * is credited. 0, or the errno of the store. */
int coins_start(struct gatehoused *g);
/* The slots refuse coins. */
void coins_stop(struct gatehoused *g);
/* Locks may have changed in this turn: coins_follow() tells the slots. */
void coins_touch(struct gatehoused *g);
/* After the turn's commit. */
void coins_follow(struct gatehoused *g);

/* A slot by its name; NULL or "": the only one. NULL without one. */
const struct config_coin *coins_slot(const struct gatehoused *g, const char *name);
/* Would it take a coin? */
bool coins_is_ready(const struct gatehoused *g, const struct config_coin *slot);

#endif
