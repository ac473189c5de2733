/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about the box itself: how it is, whether kernel and store agree,
 * what became of packets, and taking the gate down.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/certificates.h"
#include "daemon/client_json.h"
#include "daemon/jobs.h"
#include "daemon/network_record.h"
#include "daemon/ops_handlers.h"
#include "daemon/store_health.h"
#include "daemon/sync.h"
#include "daemon/uplink.h"
#include "datapath/garden.h"
#include "datapath/reasons.h"
#include "store/spent.h"

#define DIFFERENCES_MAX 200 /* named in one reply */

/* To the microsecond: more digits would claim what nobody measured. */
static double to_ms(int64_t ns)
{
	return round((double)ns / 1000.0) / 1000.0;
}

static const char *attach_state_name(enum attach_state state)
{
	switch (state) {
	case ATTACH_STATE_ABSENT:
		return "absent";
	case ATTACH_STATE_ATTACHED:
		return "gated";
	case ATTACH_STATE_RETIRED:
		return "closed";
	case ATTACH_STATE_FAILED:
		break;
	}
	return "failed";
}

static void add_port(void *data, const struct attach_row *row)
{
	json_array_append_new(data,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:i,"
			  " s:s}",
			"interface", row->name, "network",
			row->network ? row->network->name : "",
			"upload", row->up, "download", row->down, "state",
			attach_state_name(row->state), "checkOnly",
			row->is_master, "isolated", row->is_isolated,
			"pacedUp", row->is_up_paced, "pacedDown",
			row->is_down_paced, "repairs",
			(int)row->repairs, "problem", row->problem));
}

static const char *gate_of(const json_t *ports, const char *network)
{
	const char *gate = "absent";
	const json_t *port;
	size_t at;

	json_array_foreach(ports, at, port) {
		const char *state =
			json_string_value(json_object_get(port, "state"));

		if (strcmp(network, json_string_value(json_object_get(
					    port, "network"))))
			continue;
		/* The worst of its ports speaks for a network. */
		if (strcmp(gate, "failed"))
			gate = state;
	}
	return gate;
}

/* What keeps guests from the portal or more though the gate is on; "": nothing. */
static const char *network_problem(
	const struct attach *attach, const struct config_network *network)
{
	const struct links *links = attach_links(attach);
	const char *untold = attach_network_problem(attach, network);

	if (untold[0])
		return untold;
	if (!ip_is_zero(&network->portal4) &&
		!links_has_address(links, &network->portal4))
		return "the box does not have the address portal4";
	if (!ip_is_zero(&network->portal6) &&
		!links_has_address(links, &network->portal6))
		return "the box does not have the address portal6";
	return "";
}

/* What the garden has, and what passed to and from it. */
static json_t *garden_json(struct gatehoused *g, const struct config_network *n)
{
	struct gh_garden_count count = {0};
	int ret = garden_count(g->dp, (uint32_t)n->number, &count);

	if (ret)
		log_error("cannot read the garden's counters: %s", strerror(-ret));
	return json_pack("{s:i, s:i, s:i, s:I, s:I}", "entries", n->garden_count,
		"kbps", n->garden_kbps, "networkKbps", n->garden_network_kbps,
		"upBytes", (json_int_t)count.up_bytes, "downBytes",
		(json_int_t)count.down_bytes);
}

static json_t *networks_json(struct gatehoused *g, const json_t *ports)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < g->config.network_count; i++) {
		const struct config_network *n = &g->config.networks[i];
		struct ipaddr resolver4 = network_resolver(n, false);
		struct ipaddr resolver6 = network_resolver(n, true);

		json_array_append_new(list,
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:b, s:o, s:o, s:o, "
				  "s:o, s:s, s:s, s:s, s:o, s:s}",
				"name", n->name, "number", n->number, "interface",
				n->interface, "ssid", n->ssid, "venueName",
				n->venue_name, "isolate", n->isolate, "portal4",
				json_ip(&n->portal4), "portal6",
				json_ip(&n->portal6), "resolver4",
				json_ip(&resolver4), "resolver6",
				json_ip(&resolver6), "onSpoof",
				config_spoof_name(n->on_spoof), "sourceCheck",
				config_source_name(n->source_check), "gate",
				gate_of(ports, n->name), "garden",
				garden_json(g, n), "problem",
				network_problem(g->attach, n)));
	}
	return list;
}

static void add_job(void *data, const struct job_report *report)
{
	json_array_append_new(data,
		json_pack("{s:s, s:o, s:f, s:i}", "name", report->name, "lastRun",
			json_time(report->last_run_sec), "lastMs",
			to_ms(report->last_ns), "result", report->last_result));
}

static int count_captive(void *data, const struct captive *captive)
{
	(*(json_int_t *)data)++;
	return 0;
}

json_t *op_status(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct spent_groups groups = store_spent_groups(g->store);
	json_t *ports = json_array(), *jobs = json_array(), *networks;
	json_t *reply;
	json_int_t captive = 0;
	int64_t sessions = 0;
	uint64_t losses = 0;
	int ret = store_session_count(g->store, &sessions);

	if (!ret)
		ret = captive_each(g->dp, count_captive, &captive);
	if (!ret)
		ret = events_losses(g->dp, &losses);
	if (ret) {
		json_decref(ports);
		json_decref(jobs);
		return reply_failed("status", ret);
	}
	attach_each(g->attach, add_port, ports);
	jobs_each(g->jobs, add_job, jobs);
	networks = networks_json(g, ports);
	reply = reply_fields("{s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:f, s:f,"
			    " s:f, s:o, s:o, s:o, s:o}",
		"version", GATEHOUSE_VERSION, "uptimeSeconds",
		(json_int_t)((clock_mono_ns() - g->started_ns) / NSEC_PER_SEC),
		"sessions", (json_int_t)sessions, "records",
		(json_int_t)record_cache_count(sync_cache(g->sync)), "recordsMax",
		(json_int_t)datapath_meta(g->dp)->clients_max, "recordsState",
		sync_room_name(sync_room(g->sync)), "captive", captive,
		"eventsLost", (json_int_t)losses, "eventsSkipped",
		(json_int_t)alarms_lost(g->alarms), "sweepMs",
		to_ms(g->sweep_ns), "sweepLongestMs",
		to_ms(g->sweep_longest_ns), "reconcileMs", to_ms(g->reconcile_ns),
		"repairedAt", json_time(g->repaired_sec), "networks", networks,
		"ports", ports, "jobs", jobs);
	json_object_set_new(reply, "spent",
		json_pack("{s:I, s:I, s:I, s:b}", "commits",
			(json_int_t)groups.commits, "lines",
			(json_int_t)groups.lines, "largest",
			(json_int_t)groups.largest, "behind",
			store_spent_error(g->store) != 0));
	json_object_set_new(reply, "portals", certificates_json(g));
	json_object_set_new(reply, "internet", uplink_json(g));
	json_object_set_new(reply, "store",
		json_string(g->store_error ? "failing" : "ok"));
	json_object_set_new(reply, "storeProblem", store_health_json(g));
	json_object_set_new(reply, "clock",
		json_string(wall_state_name(&g->wall)));
	json_object_set_new(reply, "time", json_time(clock_wall_sec()));
	return reply;
}

/* A verification that somebody waits for. */
struct differences {
	struct gatehoused *g;
	uint64_t ticket;
	bool repair;
	json_t *list;
	json_int_t count;
};

static void add_difference(
	void *data, const struct sync_difference *difference)
{
	struct differences *differences = data;

	if (++differences->count > DIFFERENCES_MAX)
		return;
	json_array_append_new(differences->list,
		json_pack("{s:o, s:o, s:s, s:s, s:s}", "mac",
			difference->group ? json_null()
					  : json_mac(&difference->mac),
			"group",
			difference->group ? json_string(difference->group)
					  : json_null(),
			"field", difference->field,
			"expected", difference->expected, "found",
			difference->found));
}

static json_t *differences_json(struct differences *differences, size_t checked)
{
	json_t *reply = reply_ok();

	if (differences->count) {
		json_decref(reply);
		reply = reply_refuse(CTL_differs,
			"%lld differences between the kernel and the store.",
			(long long)differences->count);
	}
	json_object_set_new(reply, "checked", json_integer((json_int_t)checked));
	json_object_set_new(reply, "repaired", json_boolean(differences->repair));
	json_object_set(reply, "differences", differences->list);
	return reply;
}

static void on_verified(void *data, int result, size_t checked)
{
	struct differences *differences = data;

	/* When the daemon ends, nobody is connected any more. */
	if (result != -ECANCELED)
		ctl_server_answer(differences->g->ctl, differences->ticket,
			result ? reply_failed("verify", result)
			       : differences_json(differences, checked));
	json_decref(differences->list);
	free(differences);
}

json_t *op_verify(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_verify *a = args;
	struct differences *differences;
	int ret;

	if (a->repair && caller->role < ROLE_SUPERVISOR)
		return reply_refuse(CTL_not_allowed,
			"Repairing needs the role supervisor.");
	differences = xcalloc(1, sizeof(*differences));
	*differences = (struct differences){
		.g = g, .repair = a->repair, .list = json_array()};
	ret = sync_verify(g->sync,
		&(struct sync_verification){.repair = a->repair,
			.fn = add_difference, .done = on_verified,
			.data = differences});
	if (ret) {
		json_decref(differences->list);
		free(differences);
		return ret == -EBUSY ? reply_refuse(CTL_conflict,
			"Too many verifications are under way.")
				     : reply_failed("verify", ret);
	}
	differences->ticket = ctl_server_defer(g->ctl);
	return NULL;
}

json_t *op_reasons(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct gh_count counts[GH_REASONS];
	json_t *items = json_array();
	int ret = reasons_read(g->dp, counts), i;

	if (ret) {
		json_decref(items);
		return reply_failed("reasons", ret);
	}
	for (i = 0; i < GH_REASONS; i++)
		if (counts[i].packets)
			json_array_append_new(items,
				json_pack("{s:s, s:I, s:I}", "reason",
					reason_name((enum gh_reason)i),
					"packets", (json_int_t)counts[i].packets,
					"bytes", (json_int_t)counts[i].bytes));
	return reply_fields("{s:o}", "items", items);
}

static json_t *event_json(const struct security_event *event)
{
	json_t *evidence = NULL;

	if (json_parse_object(
		    event->evidence, strlen(event->evidence), &evidence))
		evidence = json_object();
	return json_pack("{s:I, s:o, s:o, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:o}",
		"id", (json_int_t)event->id, "at", json_time(event->at),
		"lastAt", json_time(event->last_at), "count",
		(json_int_t)event->count, "type", event->type, "severity",
		severity_name(event->severity), "network", event->network,
		"mac", mac_is_zero(&event->mac) ? json_null() : json_mac(&event->mac),
		"sessionId",
		event->session_id ? json_integer(event->session_id) : json_null(),
		"description", event->description, "evidence", evidence);
}

json_t *op_events_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_events *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct security_event_filter filter = {
		.mac = a->mac_set ? &a->mac : NULL,
		.type = a->type_set ? a->type : NULL,
		.severity = a->severity_set ? a->severity : NULL,
	};
	struct security_event rows[OPS_LIST_MAX];
	enum severity severity;
	json_t *items;
	int n, i;

	if (a->severity_set && severity_parse(a->severity, &severity))
		return reply_refuse(CTL_bad_request,
			"severity is INFO, MEDIUM, HIGH or CRITICAL.");
	alarms_flush(g->alarms);
	n = store_security_event_list(g->store, &filter,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("events.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, event_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

json_t *op_unload(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_unload *a = args;
	int ret = audit_now(
		g, caller, "unload", NULL, a->open ? "open" : "closed");

	if (!ret)
		ret = gatehoused_unload(g, a->open);
	if (ret)
		return reply_failed("unload", ret);
	return reply_fields("{s:s}", "message",
		a->open ? "The gate is removed: every client gets through, paid "
			  "or not. gatehoused is shutting down."
			: "The gate is removed: no client gets through any more. "
			  "gatehoused is shutting down.");
}
