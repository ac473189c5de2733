/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "My devices": what a guest has put beside the own session, with forms to add
 * a television and to take it away. A form that was carried out leads back to
 * the page; a refusal is shown above the session.
 */
#include "base/util.h"
#include "pages.h"
#include "response.h"

static void add_rows(struct view *view, const json_t *reply)
{
	const json_t *item;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, item) {
		struct view *row = view_add_row(view, "beside");

		view_format(row, "address", "%s",
			json_string_value(json_object_get(item, "mac")) ?: "");
		view_set_flag(row, "unseen",
			!json_is_true(json_object_get(item, "seen")));
	}
	json_array_foreach(json_object_get(reply, "found"), at, item) {
		struct view *row = view_add_row(view, "found");

		view_format(row, "pick", "%s",
			json_string_value(json_object_get(item, "pick")) ?: "");
		view_format(row, "end", "%s",
			json_string_value(json_object_get(item, "end")) ?: "");
		view_set_flag(view, "any_found", true);
	}
}

static void on_devices(struct request *req, const struct outcome *outcome)
{
	long long count, max;
	struct view *view;

	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	count = json_integer_value(json_object_get(outcome->reply, "devices"));
	max = json_integer_value(json_object_get(outcome->reply, "devicesMax"));
	add_rows(view, outcome->reply);
	view_set_int(view, "devices", count);
	view_set_int(view, "devices_max", max);
	view_set_flag(view, "room", count < max);
	page_send(req, 200, "devices.html", view);
}

void page_devices(struct request *req)
{
	operation_start(req, "guest.devices", json_object(), on_devices);
}

static void on_changed(struct request *req, const struct outcome *outcome)
{
	if (!outcome->code)
		response_redirect(req, 303, "/devices");
	else if (outcome->status >= 500)
		page_outcome_error(req, outcome);
	else
		page_entry(req, page_view(req), outcome->status, outcome->reply,
			page_sentence(req, outcome->code, outcome->error));
}

/* The field of the form as the operation's argument. */
static void send_field(struct request *req, const char *op, const char *name)
{
	json_t *text = json_string(form_get(&req->form, name) ?: "");
	json_t *args = json_object();

	json_object_set_new(args, name, text ? text : json_string(""));
	operation_start(req, op, args, on_changed);
}

void page_device_add(struct request *req)
{
	send_field(req, "guest.add",
		form_get(&req->form, "pick") ? "pick" : "mac");
}

void page_device_remove(struct request *req)
{
	send_field(req, "guest.remove", "mac");
}
