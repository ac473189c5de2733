/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the page says on which a guest lands who logged in by the QR code: the
 * visitor's own session, and of the booking what concerns the guest. Both in one
 * operation, because a connection proves only one.
 */
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"

json_t *op_qr_home(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_home *a = args;
	json_t *reply = op_guest_session(g, caller, &a->guest);

	if (reply_is_ok(reply))
		json_object_set_new(reply, "member", json_null());
	return reply;
}
