/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens, told as it happens: the kernel's events and our own repairs,
 * to every peer that asked for them. Nothing is kept; who was not there or did
 * not read has missed it, and `status` and the log have what matters.
 */
#include "daemon/watch.h"

#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"

static bool is_watched(const struct gatehoused *g)
{
	return g->ctl && ctl_server_has_subscribers(g->ctl);
}

static json_t *mac_of(const struct gh_mac *from)
{
	struct mac mac;

	memcpy(mac.addr, from->addr, sizeof(mac.addr));
	return mac_is_zero(&mac) ? json_null() : json_mac(&mac);
}

static void add_evidence(json_t *object, const struct gh_event *event)
{
	struct ipaddr addr;
	char text[IP_TEXT];

	memcpy(addr.addr, event->ip.addr, sizeof(addr.addr));
	json_object_set_new(object, "other", mac_of(&event->other));
	json_object_set_new(object, "address",
		ip_is_zero(&addr) ? json_null()
				  : json_string(ip_format(&addr, text)));
}

void watch_event(struct gatehoused *g, const struct gh_event *event)
{
	struct moment now = moment_now();
	int64_t age_ns = now.mono_ns - (int64_t)event->time_ns;
	json_t *object;

	if (!is_watched(g))
		return;
	object = json_pack("{s:s, s:o, s:o, s:o, s:o}", "event",
		event_name(event->type), "time",
		json_time(now.wall_sec - age_ns / NSEC_PER_SEC), "mac",
		mac_of(&event->mac), "network", json_network(g, event->network),
		"recordId",
		event->record_id ? json_integer((json_int_t)event->record_id)
				 : json_null());
	if (event->type >= GH_EVENT_SUSPICIOUS)
		add_evidence(object, event);
	ctl_server_publish(g->ctl, object, CTL_EVENTS_MAX);
}

void watch_group(struct gatehoused *g, const char *name, const struct mac *mac,
	uint32_t network)
{
	if (is_watched(g))
		ctl_server_publish(g->ctl,
			json_pack("{s:s, s:o, s:o, s:o, s:s}", "event",
				"group_exhausted", "time",
				json_time(clock_wall_sec()), "mac",
				mac ? json_mac(mac) : json_null(), "network",
				json_network(g, network), "group", name),
			CTL_EVENTS_MAX);
}

void watch_repair(struct gatehoused *g, const char *name, const char *what)
{
	if (is_watched(g))
		ctl_server_publish(g->ctl,
			json_pack("{s:s, s:o, s:s, s:s}", "event", "repaired",
				"time", json_time(clock_wall_sec()), "interface",
				name, "what", what),
			CTL_EVENTS_MAX);
}

json_t *op_watch(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	ctl_server_subscribe(g->ctl);
	return reply_ok();
}
