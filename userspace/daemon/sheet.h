/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is printed on a voucher, as fields of a reply. */
#ifndef DAEMON_SHEET_H
#define DAEMON_SHEET_H

#include "daemon/gatehoused.h"

/*
 * A reply with "venue", "portal" (the URL that a guest opens; null: there is no
 * portal), "ssid" (null: nobody said it) and no "items" yet. `network`: whose
 * portal; NULL: of the first one on which the plan is worth something. A refusal
 * when that one has none.
 */
json_t *sheet_reply(
	struct gatehoused *g, const struct plan *plan, const char *network);
/* Adds one to "items": its code and what it is worth. */
void sheet_add(struct gatehoused *g, json_t *reply,
	const struct voucher *voucher, const struct plan *plan);

#endif
