/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel's notes about one MAC to evidence. Events are told by the
 * frame that shows it, so what is noted by then shows it as well.
 */
#include "daemon/twin_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "datapath/twins.h"

static json_t *time_of(uint64_t at_ns)
{
	struct moment now = moment_now();
	int64_t ago_ns = now.mono_ns - (int64_t)at_ns;

	return json_time(now.wall_sec - ago_ns / NSEC_PER_SEC);
}

static json_t *guise_json(struct gatehoused *g, const struct gh_guise *guise)
{
	char text[TWINS_SYSTEM];

	if (guise->network)
		return json_network(g, guise->network);
	twins_system_format(guise, text);
	return json_string(text);
}

static void add_turns(struct gatehoused *g, json_t *evidence,
	const struct gh_turns *turns, const char *name)
{
	json_t *two = json_array(), *times = json_array();
	bool is_first = turns->last.network == turns->first.network &&
			turns->last.ttl == turns->first.ttl &&
			turns->last.options == turns->first.options;
	const struct gh_guise *first = is_first ? &turns->last : &turns->other;
	const struct gh_guise *second = is_first ? &turns->other : &turns->last;

	json_array_append_new(two, guise_json(g, first));
	json_array_append_new(two, guise_json(g, second));
	json_array_append_new(times, time_of(first->seen_ns));
	json_array_append_new(times, time_of(second->seen_ns));
	json_object_set_new(evidence, name, two);
	json_object_set_new(evidence, "heard", times);
	json_object_set_new(evidence, "since", time_of(turns->begun_ns));
}

void json_add_twins(
	struct gatehoused *g, json_t *evidence, const struct gh_event *event)
{
	const struct gh_turns *v4, *v6;
	struct gh_twin twin;
	struct mac mac;

	memcpy(mac.addr, event->mac.addr, sizeof(mac.addr));
	if (!g->dp || twins_lookup(g->dp, &mac, &twin))
		return;
	v4 = &twin.systems[0];
	v6 = &twin.systems[1];
	if (event->type == GH_EVENT_TWO_NETWORKS)
		add_turns(g, evidence, &twin.networks, "networks");
	else
		add_turns(g, evidence,
			v4->back_ns >= v6->back_ns ? v4 : v6, "systems");
}
