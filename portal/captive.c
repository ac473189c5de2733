/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to machines. Probes of captive clients are normally answered in the
 * kernel and those of running ones by the internet; they come here when a
 * resolver points their names at the portal, or when someone tests. The table
 * below says what each system takes for "there is internet".
 */
#include "captive.h"

#include "base/json.h"
#include "base/util.h"
#include "operation.h"
#include "response.h"
#include "routes.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_HTML  "text/html; charset=utf-8"

static const char apple_success[] =
	"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>";
static const char firefox_canonical[] =
	"<meta http-equiv=\"refresh\" content=\"0;"
	"url=https://support.mozilla.org/kb/captive-portal\"/>";

static const struct probe {
	const char *path;
	int status;
	const char *type, *body;
} probes[] = {
	/* Android, ChromeOS */
	{"/generate_204", 204, TEXT_PLAIN, ""},
	{"/gen_204", 204, TEXT_PLAIN, ""},
	/* Apple */
	{"/hotspot-detect.html", 200, TEXT_HTML, apple_success},
	{"/library/test/success.html", 200, TEXT_HTML, apple_success},
	/* Windows */
	{"/connecttest.txt", 200, TEXT_PLAIN, "Microsoft Connect Test"},
	{"/ncsi.txt", 200, TEXT_PLAIN, "Microsoft NCSI"},
	/* Firefox */
	{"/canonical.html", 200, TEXT_HTML, firefox_canonical},
	{"/success.txt", 200, TEXT_PLAIN, "success\n"},
	/* NetworkManager: GNOME, Fedora */
	{"/check_network_status.txt", 200, TEXT_PLAIN,
		"NetworkManager is online\n"},
	{"/static/hotspot.txt", 200, TEXT_PLAIN, "OK"},
};

static bool is_online(const struct outcome *outcome)
{
	return json_is_true(json_object_get(outcome->reply, "online"));
}

void captive_redirect(struct request *req)
{
	response_redirect(req, 302,
		arena_printf(&req->arena, "%s/", request_base_url(req)));
}

static const struct probe *probe_of(const struct route *route)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(probes[i].path, route->path))
			return &probes[i];
	return NULL;
}

const char *captive_probe_at(int index)
{
	return index < (int)ARRAY_SIZE(probes) ? probes[index].path : NULL;
}

static void on_probed(struct request *req, const struct outcome *outcome)
{
	const struct probe *probe = probe_of(req->route);

	if (outcome->code) {
		response_text(req, outcome->status, TEXT_PLAIN, outcome->error);
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

/* RFC 8908 section 5: what is left until the client is captive. */
static void on_state(struct request *req, const struct outcome *outcome)
{
	_cleanup_json_ json_t *out = NULL;
	json_t *seconds;
	json_int_t bytes;
	struct buf body = {0};
	char *text;

	if (outcome->code) {
		response_json_error(
			req, outcome->status, outcome->code, outcome->error);
		return;
	}
	out = json_object();
	json_object_set_new(out, "captive", json_boolean(!is_online(outcome)));
	json_object_set_new(out, "user-portal-url",
		json_string(arena_printf(
			&req->arena, "%s/", request_base_url(req))));
	if (request_network(req)->venue_url[0])
		json_object_set_new(out, "venue-info-url",
			json_string(request_network(req)->venue_url));
	json_object_set_new(out, "can-extend-session", json_true());
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
