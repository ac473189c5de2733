/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to machines. Probes of captive clients are normally answered in the
 * kernel and those of running ones by the internet; they come here when a
 * resolver points their names at the portal, or when someone tests. What each
 * system takes for "there is internet" is in ctl/probes.c.
 */
#include "captive.h"

#include "base/json.h"
#include "base/util.h"
#include "ctl/probes.h"
#include "operation.h"
#include "response.h"
#include "routes.h"

static bool is_online(const struct outcome *outcome)
{
	return json_is_true(json_object_get(outcome->reply, "online"));
}

void captive_redirect(struct request *req)
{
	response_redirect(req, 302,
		arena_printf(&req->arena, "%s/", request_base_url(req)));
}

static void on_probed(struct request *req, const struct outcome *outcome)
{
	const struct probe *probe = probes_lookup(req->route->path);

	if (outcome->code) {
		response_text(req, outcome->status,
			"text/plain; charset=utf-8", outcome->error);
		return;
	}
	if (probe && is_online(outcome))
		response_text(req, probe->status, probe->type, probe->body);
	else
		captive_redirect(req);
}

void captive_probe(struct request *req)
{
	operation_start(req, "guest.session", json_object(), on_probed);
}

/* Bytes of all credits; -1: one of them has no limit. */
static json_int_t bytes_of_all(const json_t *credits)
{
	json_int_t bytes = 0;
	const json_t *credit;
	size_t at;

	json_array_foreach(credits, at, credit) {
		const json_t *left = json_object_get(credit, "bytes");

		if (!json_is_integer(left))
			return -1;
		bytes += json_integer_value(left);
	}
	return bytes;
}

/* Not who is barred, nor who needs no session. */
static bool may_extend(const char *state)
{
	return state && strcmp(state, "blocked") != 0 &&
	       strcmp(state, "exempt") != 0;
}

/* RFC 8908 section 5: what is left until the client is captive. */
static void on_state(struct request *req, const struct outcome *outcome)
{
	_cleanup_json_ json_t *out = NULL;
	json_t *seconds;
	json_int_t bytes;
	const char *state =
		json_string_value(json_object_get(outcome->reply, "state"));
	struct buf body = {0};
	char *text;

	if (outcome->code) {
		response_json_error(
			req, outcome->status, outcome->code, outcome->error);
		return;
	}
	out = json_object();
	json_object_set_new(out, "captive", json_boolean(!is_online(outcome)));
	/* It must be over TLS, and without it there is no page to extend on. */
	if (req->portal->has_tls)
		json_object_set_new(out, "user-portal-url",
			json_string(arena_printf(
				&req->arena, "%s/", request_base_url(req))));
	if (request_network(req)->venue_url[0])
		json_object_set_new(out, "venue-info-url",
			json_string(request_network(req)->venue_url));
	if (req->portal->has_tls)
		json_object_set_new(
			out, "can-extend-session", json_boolean(may_extend(state)));
	seconds = json_object_get(outcome->reply, "remainingSeconds");
	bytes = bytes_of_all(json_object_get(outcome->reply, "credits"));
	/* Left out when captive or unlimited. */
	if (is_online(outcome) && json_is_integer(seconds))
		json_object_set(out, "seconds-remaining", seconds);
	if (is_online(outcome) && bytes >= 0)
		json_object_set_new(
			out, "bytes-remaining", json_integer(bytes));
	text = json_dumps(out, JSON_COMPACT);
	buf_puts(&body, text);
	free(text);
	response_header(req, "Cache-Control", "private, no-store");
	response_buf(req, 200, "application/captive+json", &body);
}

void captive_api(struct request *req)
{
	operation_start(req, "guest.session", json_object(), on_state);
}
