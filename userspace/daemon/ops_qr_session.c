/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A login by the QR code once it is there (U5): whose it is, with the role of
 * this moment, and its end. How one comes to be is in ops_qr_login.c.
 */
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "rules/qr_login.h"

void json_add_stay(const struct member *member, json_t *reply)
{
	json_object_set_new(reply, "checkIn", json_time(member->check_in));
	json_object_set_new(reply, "checkOut", json_time(member->check_out));
	json_object_set_new(reply, "devices",
		member->id ? json_integer(member->online) : json_null());
	json_object_set_new(reply, "devicesMax",
		member->id ? json_integer(member->devices) : json_null());
}

static int find_login(struct gatehoused *g, const char *session,
	const char *cookie, struct qr_session *ret_row, struct member *ret_member,
	enum role *ret_role)
{
	struct moment now = moment_now();

	return qr_login_find(&g->rules, session, cookie, &now, ret_row,
		ret_member, ret_role);
}

static json_t *refuse_login(int ret)
{
	return ret == -ENOENT ? reply_refuse(CTL_session_unknown,
				  "This login is over. Scan the QR code again.")
			      : reply_failed("qr.session", ret);
}

/* Who it is, and until when. */
static json_t *login_json(struct gatehoused *g, const struct qr_session *row,
	const struct member *member, enum role role)
{
	json_t *login = json_pack("{s:s, s:s, s:o, s:o, s:o}", "role",
		member_role_name(role), "userId", row->identity, "expiresAt",
		json_time(row->expires_at), "hotelId",
		json_name(g->config.qr_venue_id), "name",
		json_name(member->name));

	json_add_stay(member, login);
	return login;
}

json_t *op_qr_session(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_qr_session *a = args;
	struct qr_session row;
	struct member member;
	enum role role;
	json_t *login;
	int ret = find_login(g, a->session, a->cookie_set ? a->cookie : NULL,
		&row, &member, &role);

	if (ret)
		return refuse_login(ret);
	login = login_json(g, &row, &member, role);
	json_object_set_new(login, "sessionId", json_string(a->session));
	return reply_fields("{s:o}", "session", login);
}

json_t *op_qr_home(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_home *a = args;
	json_t *reply = op_guest_session(g, caller, &a->guest);
	struct qr_session row;
	struct member member;
	enum role role;
	int ret = -ENOENT;

	if (!reply_is_ok(reply))
		return reply;
	if (a->session_set)
		ret = find_login(g, a->session, a->cookie_set ? a->cookie : NULL,
			&row, &member, &role);
	if (ret && ret != -ENOENT) {
		json_decref(reply);
		return refuse_login(ret);
	}
	json_object_set_new(reply, "member",
		ret ? json_null() : login_json(g, &row, &member, role));
	return reply;
}

json_t *op_qr_logout(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_qr_session *a = args;
	struct qr_session row;
	struct member member;
	enum role role;
	int ret = find_login(g, a->session, a->cookie_set ? a->cookie : NULL,
		&row, &member, &role);

	if (ret)
		return refuse_login(ret);
	ret = store_qr_session_remove(g->store, row.id);
	if (!ret)
		ret = audit_now(g, caller, "qr logout", &row.mac, NULL);
	return ret ? reply_failed("qr.logout", ret) : reply_ok();
}
