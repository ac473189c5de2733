/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a session reads on a page: the credit in use with its own time and bytes,
 * which is what the gate enforces now, and those that follow one by one. What
 * ends with its time or its bytes has no honest sum.
 */
#include <time.h>

#include "base/text.h"
#include "base/util.h"
#include "locale.h"
#include "pages.h"
#include "response.h"

static void set_bytes(struct request *req, struct view *view,
	const char *name, const json_t *bytes)
{
	view_set(view, name,
		lang_bytes(&req->arena, req->lang, json_integer_value(bytes)));
}

static const char *clock_text(struct request *req, long long seconds)
{
	return arena_printf(&req->arena, "%02lld:%02lld:%02lld",
		seconds % SEC_PER_DAY / 3600, seconds % 3600 / 60, seconds % 60);
}

static const char *days_text(struct request *req, long long seconds)
{
	return lang_count(
		&req->arena, req->lang, "days", seconds / SEC_PER_DAY);
}

/* "2 days" and "03:04:05" of it. */
static void set_time(struct request *req, struct view *view, long long seconds)
{
	seconds = MAX(seconds, 0LL);
	view_set_int(view, "seconds", seconds);
	if (seconds >= SEC_PER_DAY)
		view_set(view, "days", days_text(req, seconds));
	view_set(view, "days_forms", lang_forms(&req->arena, req->lang, "days"));
	view_set(view, "clock", clock_text(req, seconds));
}

/* "1 day 03:04:05". */
static const char *time_text(struct request *req, const json_t *seconds)
{
	long long value = json_integer_value(seconds);

	if (!json_is_integer(seconds))
		return lang_text(req->lang, "no_end");
	if (value < SEC_PER_DAY)
		return clock_text(req, value);
	return arena_printf(&req->arena, "%s %s", days_text(req, value),
		clock_text(req, value));
}

/* How many use the voucher, if more than this device may. */
static void set_devices(struct view *view, const json_t *session)
{
	const json_t *max = json_object_get(session, "devicesMax");

	if (!json_is_integer(max))
		return;
	view_set_int(view, "devices",
		json_integer_value(json_object_get(session, "devices")));
	view_set_int(view, "devices_max", json_integer_value(max));
}

/* The credits that wait behind the one in use. */
static void add_waiting(
	struct request *req, struct view *view, const json_t *credits)
{
	const json_t *credit;
	size_t at;

	view_set_int(view, "credits", (long long)json_array_size(credits));
	json_array_foreach(credits, at, credit) {
		const json_t *bytes = json_object_get(credit, "bytes");
		const char *plan =
			json_string_value(json_object_get(credit, "plan"));
		struct view *row;

		if (at == 0)
			continue;
		row = view_add_row(view, "waiting");
		view_format(row, "name", "%s",
			plan ? plan : lang_text(req->lang, "from_desk"));
		view_set(row, "time",
			time_text(req, json_object_get(credit, "seconds")));
		if (json_is_integer(bytes))
			view_set(row, "room",
				lang_bytes(&req->arena, req->lang,
					json_integer_value(bytes)));
		else
			view_set(row, "room",
				lang_text(req->lang, "no_data_limit"));
	}
	view_set_flag(view, "several", json_array_size(credits) > 1);
}

/* A time of the reply; 0: there is none. */
static time_t time_of(const json_t *time)
{
	const char *text = json_string_value(time);
	struct tm tm = {0};

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	return timegm(&tm);
}

/* By the clock of the box. NULL: there is none. */
static const char *day_and_time(struct request *req, const json_t *when)
{
	time_t at = time_of(when);

	return at ? lang_date_time(&req->arena, req->lang, at, time(NULL)) : NULL;
}

static const char *time_of_day(struct request *req, const json_t *when)
{
	time_t at = time_of(when);
	char text[8];
	struct tm tm;

	if (!at)
		return NULL;
	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%H:%M", &tm);
	return arena_copy(&req->arena, text, strlen(text));
}

const char *page_local_time(struct request *req, const json_t *time)
{
	return day_and_time(req, time);
}

/* When all of it is over; the script says it in the guest's own way. */
static void set_end(struct request *req, struct view *view, const json_t *session)
{
	const json_t *end = json_object_get(session, "expiresAt");
	const char *local = day_and_time(req, end);

	if (local)
		view_format(view, "expires", "%s", json_string_value(end));
	view_set(view, "ends", local);
}

void page_hours(struct view *view, const char *name, const char *hours)
{
	char text[192] = "";
	size_t len = 0;

	for (; *hours && len + 2 < sizeof(text); hours++) {
		if (*hours == ' ')
			text[len++] = ',';
		text[len++] = *hours;
	}
	text[len] = '\0';
	view_format(view, name, "%s", text);
}

/* What its plan says of time besides how much there is. */
static void set_terms(struct request *req, struct view *view, const json_t *session)
{
	const json_t *idle = json_object_get(session, "idleMinutes");
	const json_t *valid = json_object_get(session, "validUntil");

	page_hours(view, "hours",
		json_string_value(json_object_get(session, "hours")) ?: "");
	view_set(view, "opens",
		time_of_day(req, json_object_get(session, "opensAt")));
	if (json_is_string(valid))
		view_format(view, "valid_at", "%s", json_string_value(valid));
	view_set(view, "valid", day_and_time(req, valid));
	if (json_is_integer(idle))
		view_set(view, "idle_minutes",
			lang_count(&req->arena, req->lang, "minutes",
				json_integer_value(idle)));
}

/* The resume link: of a token that is handed out now, or of the browser's own
 * one. The daemon has hashes only and cannot show it again, we can. */
static void set_token(
	struct request *req, struct view *view, const json_t *session)
{
	const char *token =
		json_string_value(json_object_get(session, "token"));
	bool is_new = token && text_is_hex(token, CTL_TOKEN_LEN);

	if (is_new)
		response_set_token(req, token);
	else if (json_is_true(json_object_get(session, "tokenGood")))
		token = request_token(req);
	else
		token = NULL;
	if (!token)
		return;
	view_format(view, "token", "%s", token);
	view_format(view, "resume", "%s/r#%s", request_base_url(req), token);
	view_set_flag(view, "resume_new", is_new);
	page_qr(view, view_get(view, "resume"));
}

/* NULL without one: the name of a section says nothing to guests. */
static const char *ssid_of(const struct config *config, const json_t *network)
{
	const char *name = json_string_value(network);
	const struct config_network *n =
		name ? config_network_named(config, name) : NULL;

	return n && strcmp(n->ssid, n->name) != 0 ? n->ssid : NULL;
}

/* Where the session is for, in the guests' words. */
static void set_networks(
	struct request *req, struct view *view, const json_t *networks)
{
	char text[512] = "";
	const json_t *name;
	size_t at, len = 0;

	json_array_foreach(networks, at, name) {
		const char *ssid = ssid_of(&req->portal->config, name)
					   ?: json_string_value(name);

		if (ssid && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%s", at ? ", " : "", ssid);
	}
	view_format(view, "networks", "%s", text);
}

/* Why it is held; by what the device sends, if nothing else is said. */
static void set_hold(struct view *view, const json_t *session)
{
	const char *why =
		json_string_value(json_object_get(session, "heldFor")) ?: "";
	bool by_hand = !strcmp(why, "operator");
	bool is_twin = !strncmp(why, "two_", strlen("two_"));

	view_set_flag(view, "held_by_hand", by_hand);
	view_set_flag(view, "held_twin", is_twin);
	view_set_flag(view, "held_conduct", why[0] && !by_hand && !is_twin);
}

/* Of a whole, as a page draws it: in tenths of a hundredth. */
#define PART_OF	 1000
#define LOW_PART 10 /* less than a tenth is little */

/* Sets "62.5" of 100 and, when there is little, the flag. Without a whole there is
 * nothing to draw. */
static void set_part(struct view *view, const char *name, const char *low,
	const json_t *left, const json_t *whole)
{
	double all = (double)json_integer_value(whole);
	double part = (double)json_integer_value(left);
	int tenths;

	if (!json_is_integer(left) || !json_is_integer(whole) || all <= 0)
		return;
	tenths = (int)(MIN(part / all, 1.0) * PART_OF);
	view_format(view, name, "%d.%d", tenths / 10, tenths % 10);
	view_set_flag(view, low, tenths * LOW_PART < PART_OF);
}

/* How much of its time and bytes is left of the credit in use. */
static void set_parts(struct view *view, const json_t *session)
{
	const json_t *seconds = json_object_get(session, "creditTotalSeconds");
	const json_t *bytes = json_object_get(session, "creditTotalBytes");

	if (json_is_integer(seconds))
		view_set_int(view, "total", json_integer_value(seconds));
	if (json_is_integer(bytes))
		view_set_int(view, "total_bytes", json_integer_value(bytes));
	set_part(view, "part", "low",
		json_object_get(session, "creditSeconds"), seconds);
	set_part(view, "left_part", "left_low",
		json_object_get(session, "remainingBytes"), bytes);
}

void page_session_values(struct request *req, struct view *view,
	const json_t *session, const char *state)
{
	const json_t *seconds = json_object_get(session, "creditSeconds");
	const json_t *left = json_object_get(session, "remainingBytes");
	const json_t *up = json_object_get(session, "bytesUp");
	const json_t *down = json_object_get(session, "bytesDown");
	const json_t *network = json_object_get(session, "network");
	bool is_exempt = !strcmp(state, "exempt");

	/* Online, and no session whose time there is to show. */
	if (is_exempt)
		state = "running";
	view_set(view, "state", arena_copy(&req->arena, state, strlen(state)));
	view_set_flag(view, view_get(view, "state"), true);
	/* There the script shows a token by itself. */
	view_set_flag(view, "restores", !strcmp(state, "captive"));
	if (json_is_integer(json_object_get(session, "freeMinutes")))
		view_set(view, "free_minutes",
			lang_count(&req->arena, req->lang, "minutes",
				json_integer_value(json_object_get(
					session, "freeMinutes"))));
	view_set_flag(view, "may_share",
		json_is_true(json_object_get(session, "mayShare")));
	view_set_flag(view, "may_pause",
		json_is_true(json_object_get(session, "mayPause")));
	if (json_is_integer(seconds) && !is_exempt)
		set_time(req, view, json_integer_value(seconds));
	else
		view_set_flag(view, "no_end", true);
	if (json_is_integer(left))
		set_bytes(req, view, "left", left);
	if (json_is_integer(up) && json_is_integer(down)) {
		set_bytes(req, view, "up", up);
		set_bytes(req, view, "down", down);
	}
	set_parts(view, session);
	view_format(view, "group", "%s",
		json_string_value(json_object_get(session, "group")) ?: "");
	view_format(view, "plan", "%s",
		json_string_value(json_object_get(session, "plan")) ?: "");
	page_device(view, session);
	page_terms(view, session);
	view_set_flag(view, "no_internet",
		json_is_false(json_object_get(session, "internet")));
	set_devices(view, session);
	view_set(view, "network", ssid_of(&req->portal->config, network));
	set_networks(req, view, json_object_get(session, "networks"));
	add_waiting(req, view, json_object_get(session, "credits"));
	set_end(req, view, session);
	set_terms(req, view, session);
	set_hold(view, session);
	set_token(req, view, session);
}
