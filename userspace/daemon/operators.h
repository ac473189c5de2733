/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proof of an operator who is not at the box: a token. */
#ifndef DAEMON_OPERATORS_H
#define DAEMON_OPERATORS_H

#include "daemon/gatehoused.h"

/* Who shows it: CTL_OK, or CTL_not_logged_in; CTL_internal when the store
 * fails. In this turn's transaction. */
enum ctl_code operators_prove(struct gatehoused *g, const char *token,
	struct caller *ret_caller);
/* `caller` is a guest, and becomes staff if the cookie is of a login by QR code
 * that was made with a PIN from that very device. The same codes. */
enum ctl_code operators_prove_staff(
	struct gatehoused *g, const char *cookie, struct caller *caller);
/* Job: logins that have ended. */
int operators_clean_up(struct gatehoused *g);

#endif
