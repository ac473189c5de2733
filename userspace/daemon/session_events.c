/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a session's events from the rules to the event stream. It decides
 * nothing and keeps nothing beyond the turn; the audit has what must be known
 * later.
 */
#include "daemon/session_events.h"

#include <stdlib.h>

#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"

struct session_events {
	struct gatehoused *g;
	json_t **list;
	size_t count, size;
};

struct session_events *session_events_new(struct gatehoused *g)
{
	struct session_events *events = xcalloc(1, sizeof(*events));

	events->g = g;
	return events;
}

void session_events_free(struct session_events *events)
{
	if (!events)
		return;
	session_events_rewind(events, 0);
	free(events->list);
	free(events);
}

static json_t *event_json(const struct happening *happening)
{
	const struct session *session = happening->session;
	const struct view *view = happening->view;
	json_t *event = json_pack("{s:s+, s:o, s:o, s:I, s:s, s:s}", "event",
		"session_", happening->name, "time", json_time(happening->at),
		"mac", json_mac(&session->mac), "sessionId",
		(json_int_t)session->id, "reason", happening->reason, "state",
		session_state_name(session->state));

	json_object_set_new(event, "kind",
		view->kind ? json_string(kind_rules(view->kind)->name)
			   : json_null());
	json_object_set_new(event, "plan", json_name(view->plan));
	json_object_set_new(
		event, "remainingSeconds", json_seconds(view->remaining_ns));
	json_object_set_new(
		event, "remainingBytes", json_limit(view->remaining_bytes));
	json_object_set_new(event, "bytesUp", json_integer(view->bytes_up));
	json_object_set_new(event, "bytesDown", json_integer(view->bytes_down));
	if (!mac_is_zero(&happening->from))
		json_object_set_new(event, "from", json_mac(&happening->from));
	return event;
}

void session_events_note(void *data, const struct happening *happening)
{
	struct session_events *events = data;

	if (!events->g->ctl || !ctl_server_has_subscribers(events->g->ctl))
		return;
	ARRAY_GROW(events->list, events->count, events->size);
	events->list[events->count++] = event_json(happening);
}

size_t session_events_mark(const struct session_events *events)
{
	return events->count;
}

void session_events_rewind(struct session_events *events, size_t mark)
{
	while (events->count > mark)
		json_decref(events->list[--events->count]);
}

void session_events_publish(struct session_events *events)
{
	size_t i;

	for (i = 0; i < events->count; i++)
		ctl_server_publish(
			events->g->ctl, events->list[i], CTL_BACKLOG_MAX);
	events->count = 0;
}
