/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a guest lands who logged in by the QR code (docs/design.md 6.7, U6):
 * what is left, how to get more, until when the booking holds, where the venue
 * tells of itself. Without that login it is the same for whoever is online,
 * less the booking.
 */
#include "base/util.h"
#include "pages.h"
#include "qr_login.h"
#include "response.h"

static void add_text(struct view *view, const char *name, const json_t *object,
	const char *key)
{
	view_format(view, name, "%s",
		json_string_value(json_object_get(object, key)) ?: "");
}

/* "2026-11-24T10:00:00Z", for the script, and as the box says it. */
static void add_time(struct request *req, struct view *view, const char *name,
	const json_t *member, const char *key)
{
	const json_t *time = json_object_get(member, key);

	view_set(view, name, page_local_time(req, time));
	view_format(view, arena_printf(&req->arena, "%s_at", name), "%s",
		json_string_value(time) ?: "");
}

static void add_member(
	struct request *req, struct view *view, const json_t *member)
{
	const json_t *max = json_object_get(member, "devicesMax");

	view_set_flag(view, "member", json_is_object(member));
	add_text(view, "name", member, "name");
	add_text(view, "id", member, "userId");
	add_time(req, view, "check_in", member, "checkIn");
	add_time(req, view, "check_out", member, "checkOut");
	if (!json_is_integer(max))
		return;
	/* Of the booking, however many use the credit in use. */
	view_set_int(view, "devices",
		json_integer_value(json_object_get(member, "devices")));
	view_set_int(view, "devices_max", json_integer_value(max));
}

static void on_home(struct request *req, const struct outcome *outcome)
{
	const char *state;
	struct view *view;

	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	state = json_string_value(json_object_get(outcome->reply, "state"));
	view = page_view(req);
	page_session_values(req, view, outcome->reply, state ? state : "captive");
	add_member(req, view, json_object_get(outcome->reply, "member"));
	view_set(view, "venue_url", request_network(req)->venue_url);
	page_send(req, 200, "concierge.html", view);
}

void page_concierge(struct request *req)
{
	const char *token = request_token(req);
	struct qr_cookie cookie;
	json_t *args = json_object();

	if (qr_cookie_read(req, &cookie))
		qr_cookie_put(&cookie, args);
	if (token)
		json_object_set_new(args, "token", json_string(token));
	operation_start(req, "qr.home", args, on_home);
}
