/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "My devices": what a guest has put beside the own session, with forms to add
 * a television and to take it away. A form that was carried out leads back to
 * the page; a refusal is shown above the session.
 */
#include <ctype.h>

#include "base/mac.h"
#include "base/text.h"
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
	/* By an old link: there is nothing to share, and nothing to add. */
	if (max < 2 && !json_array_size(json_object_get(outcome->reply, "items"))) {
		response_redirect(req, 303, "/");
		return;
	}
	add_rows(view, outcome->reply);
	view_set_int(view, "devices", count);
	view_set_int(view, "devices_max", max);
	view_set_flag(view, "room", count < max);
	if (json_is_true(json_object_get(outcome->reply, "added")))
		view_format(view, "added", "%s",
			json_string_value(json_object_get(outcome->reply, "mac")) ?: "");
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

static void ask(
	struct request *req, const char *op, const char *name, const char *value)
{
	json_t *args = json_object();

	json_object_set_new(args, name, json_string(value));
	operation_start(req, op, args, on_changed);
}

bool page_read_mac(const char *text, char ret_mac[static MAC_TEXT])
{
	char plain[13] = "";
	size_t at = 0;
	struct mac mac;

	for (; *text; text++) {
		if (strchr(":-. ", *text))
			continue;
		if (at == 12 || !isxdigit((unsigned char)*text))
			return false;
		plain[at++] = *text;
	}
	snprintf(ret_mac, MAC_TEXT, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", plain,
		plain + 2, plain + 4, plain + 6, plain + 8, plain + 10);
	return at == 12 && mac_parse(ret_mac, &mac) == 0;
}

static void ask_by_address(struct request *req, const char *op)
{
	char mac[MAC_TEXT];

	if (page_read_mac(form_get(&req->form, "mac") ?: "", mac))
		ask(req, op, "mac", mac);
	else
		page_slip(req, 400, "error_device_mac");
}

void page_device_add(struct request *req)
{
	const char *pick = form_get(&req->form, "pick");

	if (pick && text_is_hex(pick, CTL_PICK_LEN))
		ask(req, "guest.add", "pick", pick);
	else
		ask_by_address(req, "guest.add");
}

void page_device_remove(struct request *req)
{
	ask_by_address(req, "guest.remove");
}
