/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is going on now, in memory; the store follows: a new alarm soon, its
 * repetitions every few seconds. A row whose transaction was lost is written
 * anew with the next repetition.
 */
#include "daemon/alarms.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/sync.h"
#include "daemon/twin_json.h"
#include "rules/pause.h"

#define GOING_ON_MAX 256
#define EVIDENCE     sizeof(((struct security_event *)0)->evidence)
#define SAME_SEC     600 /* so long after the last time it is another row */
#define ROWS_MAX     60  /* new ones a minute */
#define SOON_NS      (100 * NSEC_PER_MSEC)
#define LATER_NS     (10 * NSEC_PER_SEC)

static const struct {
	enum severity severity;
	const char *description;
} suspicions[GH_EVENT_TYPES] = {
	[GH_EVENT_ROGUE_RA] = {SEVERITY_HIGH,
		"plays router (router advertisement); dropped"},
	[GH_EVENT_ROGUE_REDIRECT] = {SEVERITY_HIGH,
		"sends others elsewhere (ICMP redirect); dropped"},
	[GH_EVENT_ROGUE_DHCP] = {SEVERITY_HIGH, "plays DHCP server; dropped"},
	[GH_EVENT_FORGED_ARP] = {SEVERITY_HIGH,
		"names another device's MAC in ARP; dropped"},
	[GH_EVENT_FORGED_ND] = {SEVERITY_HIGH,
		"names another device's MAC in neighbour discovery; dropped"},
	[GH_EVENT_BOX_ADDRESS] = {SEVERITY_HIGH,
		"uses the box's own IP address; dropped"},
	[GH_EVENT_BOX_MAC] = {SEVERITY_HIGH,
		"sends with the box's own MAC, or the network has a loop; "
		"dropped"},
	[GH_EVENT_SPOOFED] = {SEVERITY_HIGH,
		"uses an IP address that belongs to another device"},
	[GH_EVENT_TWO_NETWORKS] = {SEVERITY_HIGH,
		"two devices have this MAC: it is on two networks at once"},
	/* Whoever shares his connection looks like that, too. */
	[GH_EVENT_TWO_SYSTEMS] = {SEVERITY_MEDIUM,
		"two devices have this MAC, or one shares its connection: two "
		"systems at once"},
};

struct alarm {
	const char *type; /* NULL: a free place */
	enum severity severity;
	const char *description;
	struct mac mac;
	uint32_t network;
	char evidence[EVIDENCE]; /* a JSON object */
	int64_t id; /* of its row; 0: not there yet */
	int64_t at, last_at, count;
	bool is_dirty; /* the row does not say all of it */
};

struct alarms {
	struct gatehoused *g;
	struct alarm list[GOING_ON_MAX];
	struct loop_timer timer;
	bool is_waiting; /* for the timer */
	int64_t minute;
	int rows; /* new in this minute */
	uint64_t lost;
};

struct alarms *alarms_new(struct gatehoused *g)
{
	struct alarms *alarms = xcalloc(1, sizeof(*alarms));

	alarms->g = g;
	return alarms;
}

void alarms_free(struct alarms *alarms)
{
	if (!alarms)
		return;
	loop_timer_stop(alarms->g->loop, &alarms->timer);
	free(alarms);
}

uint64_t alarms_lost(const struct alarms *alarms)
{
	return alarms->lost;
}

static const char *network_name(const struct alarms *alarms, uint32_t number)
{
	const struct config_network *network =
		config_network_numbered(&alarms->g->config, number);

	return network ? network->name : "";
}

/* Rows. */

static int insert_row(struct alarms *alarms, struct alarm *alarm)
{
	struct security_event row = {
		.at = alarm->at,
		.last_at = alarm->last_at,
		.count = alarm->count,
		.severity = alarm->severity,
		.mac = alarm->mac,
	};
	struct session session = {0};
	int ret = store_session_of(alarms->g->store, &alarm->mac, &session);

	if (ret && ret != -ENOENT)
		return ret;
	row.session_id = session.id;
	snprintf(row.type, sizeof(row.type), "%s", alarm->type);
	snprintf(row.network, sizeof(row.network), "%s",
		network_name(alarms, alarm->network));
	snprintf(row.description, sizeof(row.description), "%s",
		alarm->description);
	memcpy(row.evidence, alarm->evidence, sizeof(row.evidence));
	ret = store_security_event_insert(alarms->g->store, &row);
	alarm->id = row.id;
	return ret;
}

static int write_row(struct alarms *alarms, struct alarm *alarm)
{
	int ret = -ENOENT;

	if (alarm->id)
		ret = store_security_event_count(alarms->g->store, alarm->id,
			alarm->count, alarm->last_at);
	return ret == -ENOENT ? insert_row(alarms, alarm) : ret;
}

void alarms_flush(struct alarms *alarms)
{
	int ret = turn_begin(alarms->g), i;

	alarms->is_waiting = false;
	for (i = 0; !ret && i < GOING_ON_MAX; i++) {
		struct alarm *alarm = &alarms->list[i];

		if (!alarm->is_dirty)
			continue;
		ret = write_row(alarms, alarm);
		alarm->is_dirty = ret != 0;
	}
	if (ret)
		log_error("cannot store security events: %s", strerror(-ret));
}

static void on_timer(void *data)
{
	alarms_flush(data);
}

static void wait_ns(struct alarms *alarms, int64_t ns)
{
	alarms->is_waiting = true;
	loop_timer_start(
		alarms->g->loop, &alarms->timer, ns, 0, on_timer, alarms);
}

/* What is going on. */

static bool is_same(const struct alarm *a, const struct alarm *b)
{
	return a->type && !strcmp(a->type, b->type) &&
	       mac_equal(&a->mac, &b->mac) && a->network == b->network &&
	       b->at - a->last_at < SAME_SEC;
}

/* A free place, or that of what has not been going on for longest. NULL when
 * there is none, or no more new ones in this minute. */
static struct alarm *make_room(struct alarms *alarms, int64_t now)
{
	struct alarm *oldest = NULL;
	int i;

	if (alarms->minute != now / 60) {
		alarms->minute = now / 60;
		alarms->rows = 0;
	}
	if (alarms->rows == ROWS_MAX)
		return NULL;
	for (i = 0; i < GOING_ON_MAX; i++) {
		struct alarm *alarm = &alarms->list[i];

		if (!alarm->type)
			return alarm;
		if (!alarm->is_dirty &&
			(!oldest || alarm->last_at < oldest->last_at))
			oldest = alarm;
	}
	return oldest;
}

static void log_alarm(const struct alarms *alarms, const struct alarm *alarm)
{
	char text[MAC_TEXT];

	if (mac_is_zero(&alarm->mac) && !alarm->network) {
		log_warning("%s; see gatehousectl events", alarm->description);
		return;
	}
	log_warning("%s on network %s: %s; see gatehousectl events",
		mac_is_zero(&alarm->mac) ? "somebody"
					 : mac_format(&alarm->mac, text),
		network_name(alarms, alarm->network), alarm->description);
}

static void note(struct alarms *alarms, const struct alarm *fresh)
{
	struct alarm *alarm;
	int i;

	for (i = 0; i < GOING_ON_MAX; i++) {
		alarm = &alarms->list[i];
		if (!is_same(alarm, fresh))
			continue;
		alarm->count++;
		alarm->last_at = fresh->at;
		alarm->is_dirty = true;
		if (!alarms->is_waiting)
			wait_ns(alarms, LATER_NS);
		return;
	}
	alarm = make_room(alarms, fresh->at);
	if (!alarm) {
		alarms->lost++;
		return;
	}
	*alarm = *fresh;
	alarms->rows++;
	log_alarm(alarms, alarm);
	wait_ns(alarms, SOON_NS);
}

static json_t *evidence_of(
	const struct alarms *alarms, const struct gh_event *event)
{
	json_t *evidence = json_object();
	char text[IP_TEXT];
	struct ipaddr ip;
	struct mac other;

	memcpy(ip.addr, event->ip.addr, sizeof(ip.addr));
	memcpy(other.addr, event->other.addr, sizeof(other.addr));
	if (!ip_is_zero(&ip))
		json_object_set_new(evidence, "address",
			json_string(ip_format(&ip, text)));
	if (!mac_is_zero(&other))
		json_object_set_new(evidence, "otherMac", json_mac(&other));
	if (event->type == GH_EVENT_TWO_NETWORKS ||
		event->type == GH_EVENT_TWO_SYSTEMS)
		json_add_twins(alarms->g, evidence, event);
	return evidence;
}

/* Whoever has more addresses than there is room for pretends nothing. */
static bool is_too_many(const struct gh_event *event)
{
	return event->type == GH_EVENT_SPOOFED &&
	       !memcmp(&event->other, &event->mac, sizeof(event->mac));
}

/* A device of a network that holds pretenders. */
static bool is_to_hold(
	const struct alarms *alarms, const struct gh_event *event)
{
	const struct config_network *network = config_network_numbered(
		&alarms->g->config, event->network);

	return !is_too_many(event) && network &&
	       network->on_spoof == CONFIG_SPOOF_HOLD;
}

/* Nothing to hold is no fault: it is held already, or there is no session. */
static void hold(struct alarms *alarms, const struct alarm *alarm)
{
	struct gatehoused *g = alarms->g;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	struct session session;
	bool changed = false;
	char text[MAC_TEXT];
	int ret = turn_begin(g);

	if (!ret)
		ret = store_session_of(g->store, &alarm->mac, &session);
	/* Each second again, perhaps: so the disk is left alone. */
	if (ret == -ENOENT || (!ret && session.state != SESSION_RUNNING))
		return;
	if (!ret)
		ret = session_hold(&g->rules, &alarm->mac, alarm->type, &now,
			&changed, &outcome);
	if (!ret && changed)
		ret = store_audit(g->store, now.wall_sec, "gatehoused", "hold",
			&alarm->mac, session.id, alarm->type);
	if (ret) {
		log_error("cannot hold the session of %s: %s",
			mac_format(&alarm->mac, text), strerror(-ret));
		return;
	}
	if (!changed)
		return;
	sync_touch(g->sync, &alarm->mac);
	log_warning("%s: its session is held (%s)",
		mac_format(&alarm->mac, text), alarm->type);
}

void alarms_take(struct alarms *alarms, const struct gh_event *event)
{
	int64_t now = clock_wall_sec();
	_cleanup_json_ json_t *evidence = NULL;
	struct alarm alarm = {
		.type = event_name(event->type),
		.network = event->network,
		.at = now,
		.last_at = now,
		.count = 1,
		.is_dirty = true,
	};

	if (event->type < GH_EVENT_SUSPICIOUS || event->type >= GH_EVENT_TYPES)
		return;
	alarm.severity = suspicions[event->type].severity;
	alarm.description = suspicions[event->type].description;
	if (is_too_many(event)) {
		alarm.severity = SEVERITY_MEDIUM;
		alarm.description = "uses more IP addresses at once than a device has";
	}
	memcpy(&alarm.mac, event->mac.addr, sizeof(alarm.mac));
	evidence = evidence_of(alarms, event);
	json_dumpb(evidence, alarm.evidence, EVIDENCE - 1, JSON_COMPACT);
	note(alarms, &alarm);
	if (is_to_hold(alarms, event))
		hold(alarms, &alarm);
}

void alarms_raise(struct alarms *alarms, const char *type,
	enum severity severity, const struct mac *mac, const struct mac *other,
	uint32_t network, const char *description)
{
	_cleanup_json_ json_t *evidence = json_object();
	int64_t now = clock_wall_sec();
	struct alarm alarm = {
		.type = type,
		.severity = severity,
		.description = description,
		.network = network,
		.at = now,
		.last_at = now,
		.count = 1,
		.is_dirty = true,
	};

	if (mac)
		alarm.mac = *mac;
	if (other)
		json_object_set_new(evidence, "otherMac", json_mac(other));
	json_dumpb(evidence, alarm.evidence, EVIDENCE - 1, JSON_COMPACT);
	note(alarms, &alarm);
}
