/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices at the desk: who is online, who is looked for, and one device with
 * what may be done about it. What is offered depends on its state only as far
 * as a button would make no sense; the daemon judges each.
 */
#include "desk.h"

#include "base/util.h"

static json_t *list_args(struct request *req)
{
	const char *search = form_get(&req->query, "search");
	const char *all = form_get(&req->query, "all");
	json_t *args = json_object();

	desk_arg_int(&req->query, "after", args, "after");
	desk_arg_text(&req->query, "search", args, "search");
	json_object_set_new(args, "limit", json_integer(25));
	/* Who comes to the desk is online, or was a moment ago. */
	if ((!search || !*search) && !all)
		json_object_set_new(args, "state", json_string("running"));
	return args;
}

/* What both pages show of a device. */
static void put_device(
	struct request *req, struct view *view, const json_t *client)
{
	const json_t *state = json_object_get(client, "state");
	const char *name = json_string_value(json_object_get(client, "name"));

	desk_put_text(view, "mac", json_object_get(client, "mac"));
	if (name && *name)
		view_format(view, "name", "%s", name);
	desk_put_word(req, view, "state", "state", state);
	view_set_flag(view, "online",
		!strcmp(json_string_value(state) ?: "", "running"));
	desk_put_text(view, "network", json_object_get(client, "network"));
	desk_put_text(view, "plan", json_object_get(client, "plan"));
	desk_put_time(req, view, "seen", json_object_get(client, "lastSeen"));
	if (json_is_string(json_object_get(client, "kind"))) {
		desk_put_rest(req, view, "left",
			json_object_get(client, "remainingSeconds"));
		desk_put_bytes(req, view, "bytes",
			json_object_get(client, "remainingBytes"));
	}
}

static void show_list(
	struct request *req, struct view *view, const json_t *reply)
{
	const char *search = form_get(&req->query, "search");
	const json_t *client;
	size_t at;

	view_set(view, "search", search);
	view_set_flag(view, "all", form_get(&req->query, "all") != NULL);
	json_array_foreach(json_object_get(reply, "items"), at, client) {
		struct view *row = view_add_row(view, "clients");

		put_device(req, row, client);
	}
	view_set_flag(view, "none", at == 0);
	desk_put_next(req, view, reply);
	if (search)
		view_set(view, "search_escaped",
			form_escape(&req->arena, search));
}

static const struct desk_page clients = {
	"/dashboard/clients", "desk_clients.html", "desk_clients", "clients.list",
	{{"clients.list", list_args, show_list}}};

void desk_clients(struct request *req)
{
	desk_show(req, &clients);
}

static json_t *device_args(struct request *req)
{
	const char *mac = form_get(&req->query, "mac");
	json_t *args = json_object();

	if (!mac)
		mac = form_get(&req->form, "mac");
	json_object_set_new(args, "mac", json_string(mac ?: ""));
	return args;
}

static void put_states(struct view *view, const json_t *client)
{
	const char *state =
		json_string_value(json_object_get(client, "state")) ?: "";
	bool is_blocked = json_is_true(json_object_get(client, "blocked"));
	bool has_session = json_is_string(json_object_get(client, "kind"));

	view_set_flag(view, "blocked", is_blocked);
	view_set_flag(view, "has_session", has_session);
	view_set_flag(view, "may_pause",
		json_is_true(json_object_get(client, "mayPause")));
	view_set_flag(view, "is_paused", !strcmp(state, "paused"));
	view_set_flag(view, "is_held", !strcmp(state, "held"));
}

static void put_addresses(
	struct request *req, struct view *view, const json_t *addresses)
{
	const json_t *address;
	size_t at;

	json_array_foreach(addresses, at, address) {
		struct view *row = view_add_row(view, "addresses");

		desk_put_text(row, "address", json_object_get(address, "address"));
		desk_put_time(req, row, "since",
			json_object_get(address, "lastSeen"));
	}
}

static void put_waiting(
	struct request *req, struct view *view, const json_t *credits)
{
	const json_t *credit;
	size_t at;

	json_array_foreach(credits, at, credit) {
		struct view *row;

		if (!at) /* the one in use stands above */
			continue;
		row = view_add_row(view, "waiting");
		view_set(row, "plan", lang_text(req->lang, "from_desk"));
		desk_put_text(row, "plan", json_object_get(credit, "plan"));
		desk_put_rest(req, row, "left", json_object_get(credit, "seconds"));
	}
}

static void show_device(
	struct request *req, struct view *view, const json_t *client)
{
	put_device(req, view, client);
	put_states(view, client);
	desk_put_text(view, "note", json_object_get(client, "note"));
	desk_put_time(req, view, "ends", json_object_get(client, "expiresAt"));
	desk_put_bytes(req, view, "up", json_object_get(client, "bytesUp"));
	desk_put_bytes(req, view, "down", json_object_get(client, "bytesDown"));
	desk_put_int(view, "rate_up", json_object_get(client, "upKbps"));
	desk_put_int(view, "rate_down", json_object_get(client, "downKbps"));
	desk_put_text(view, "group", json_object_get(client, "group"));
	desk_put_text(view, "held_for", json_object_get(client, "heldFor"));
	desk_put_text(view, "paused_by", json_object_get(client, "pausedBy"));
	view_set_flag(view, "random",
		json_is_true(json_object_get(client, "randomMac")));
	put_addresses(req, view, json_object_get(client, "addresses"));
	put_waiting(req, view, json_object_get(client, "credits"));
}

const struct desk_page desk_page_client = {
	"/dashboard/clients/client", "desk_client.html", "desk_client", "clients.get",
	{{"clients.get", device_args, show_device},
		{"plans.list", NULL, desk_put_plans}}};

void desk_client(struct request *req)
{
	desk_show(req, &desk_page_client);
}
