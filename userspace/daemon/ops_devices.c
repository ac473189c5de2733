/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operator says of a device itself (P4): what it is called, its rates,
 * a block, an exemption, and time for its session. One request may say several
 * things; all of them hold, or none.
 */
#include <string.h>

#include "base/clock.h"
#include "base/role.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "daemon/sync.h"
#include "rules/device.h"
#include "rules/pause.h"

json_t *device_meant(struct gatehoused *g, const struct json_device *device,
	struct mac *ret_mac)
{
	struct device row;
	int ret;

	*ret_mac = device->mac;
	if (!device->number)
		return NULL;
	ret = store_device_by_id(g->store, device->number, &row);
	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no device %lld; see `gatehousectl clients`.",
			(long long)device->number);
	if (ret)
		return reply_failed("reading a device", ret);
	*ret_mac = row.mac;
	return NULL;
}

/* A request under way: what the parts below change, and say of it. */
struct setting {
	struct gatehoused *g;
	const struct caller *caller;
	const struct args_set *a;
	struct moment now;
	struct mac mac;
	struct device device;
	char message[256];
};

static int audit(struct setting *s, const char *operation, const char *detail)
{
	return store_audit(s->g->store, s->now.wall_sec, s->caller->who,
		operation, &s->mac, 0, detail);
}

static bool is_described(const struct args_set *a)
{
	return a->name_set || a->note_set;
}

static json_t *describe(struct setting *s)
{
	const struct args_set *a = s->a;
	int ret;

	if (a->name_set)
		memcpy(s->device.name, a->name, sizeof(s->device.name));
	if (a->note_set)
		memcpy(s->device.note, a->note, sizeof(s->device.note));
	ret = audit(s, "describe", NULL);
	return ret ? reply_failed("clients.set", ret) : NULL;
}

static bool is_limited(const struct args_set *a)
{
	return a->rates.up_set || a->rates.down_set;
}

static json_t *limit(struct setting *s)
{
	json_t *refusal = rates_of(&s->a->rates, false, &s->device.rates);
	char detail[64];
	int ret;

	if (refusal)
		return refusal;
	snprintf(detail, sizeof(detail), "up %lld, down %lld kbit/s",
		(long long)s->device.rates.up, (long long)s->device.rates.down);
	ret = audit(s, "limit", detail);
	snprintf(s->message, sizeof(s->message),
		"These rates stay with the device, over all of its sessions; the "
		"lower of them and its plan's holds.");
	return ret ? reply_failed("clients.set", ret) : NULL;
}

static bool is_blocked(const struct args_set *a)
{
	return a->blocked_set;
}

static json_t *block(struct setting *s)
{
	int ret;

	if (s->device.blocked == s->a->blocked)
		return NULL;
	s->device.blocked = s->a->blocked;
	ret = session_blocked(&s->g->rules, &s->mac, s->a->blocked, &s->now);
	if (!ret)
		ret = audit(s, s->a->blocked ? "block" : "unblock", NULL);
	return ret ? reply_failed("clients.set", ret) : NULL;
}

static bool is_exempted(const struct args_set *a)
{
	return a->exempt_set || a->exempt_network_set || a->exempt_until_set;
}

static json_t *end_exemption(struct setting *s)
{
	int ret;

	if (!s->device.exemption.until)
		return NULL;
	device_end_exemption(&s->device);
	ret = audit(s, "exempt end", NULL);
	return ret ? reply_failed("clients.set", ret) : NULL;
}

/* Where and until when; what is not said stays. NULL, or a refusal. */
static json_t *exemption_of(
	struct setting *s, const char **ret_network, int64_t *ret_until)
{
	const struct config *config = &s->g->config;
	const struct args_set *a = s->a;

	*ret_network = a->exempt_network_set ? a->exempt_network
					     : s->device.exemption.network;
	if (!(*ret_network)[0] && config->network_count == 1)
		*ret_network = config->networks[0].name;
	*ret_until = s->device.exemption.until;
	if (!(*ret_network)[0])
		return reply_refuse(CTL_bad_request,
			"exemptNetwork is missing: an exemption is for one "
			"network.");
	if (!a->exempt_until_set && !*ret_until)
		return reply_refuse(CTL_bad_request,
			"exemptUntil is missing: an exemption has an end.");
	if (!config_network_named(config, *ret_network))
		return reply_refuse(CTL_not_found,
			"There is no network \"%s\"; see `gatehousectl status`.",
			*ret_network);
	if (a->exempt_until_set && time_parse(a->exempt_until, ret_until))
		return reply_refuse(CTL_bad_request,
			"exemptUntil is a day, as 2026-12-24, which it includes, "
			"or a time, as 2026-12-24T18:00:00Z.");
	if (*ret_until <= s->now.wall_sec)
		return reply_refuse(
			CTL_bad_request, "exemptUntil has to be to come.");
	return NULL;
}

static json_t *exempt(struct setting *s)
{
	char detail[96], text[TIME_TEXT], network_text[CONFIG_NAME_MAX];
	const char *network;
	int64_t until;
	json_t *refusal;
	int ret;

	if (s->a->exempt_set && !s->a->exempt)
		return end_exemption(s);
	refusal = exemption_of(s, &network, &until);
	if (refusal)
		return refusal;
	snprintf(network_text, sizeof(network_text), "%s", network);
	device_exempt(&s->device, network_text, until, &s->now);
	snprintf(detail, sizeof(detail), "%s until %s", network_text,
		time_format(until, text));
	ret = audit(s, "exempt", detail);
	snprintf(s->message, sizeof(s->message),
		"The device needs no session on network %s until %s.%s",
		network_text, text,
		s->device.blocked ? " But it is blocked." : "");
	return ret ? reply_failed("clients.set", ret) : NULL;
}

static bool is_timed(const struct args_set *a)
{
	return a->session_time_set && a->session_time;
}

static json_t *add_time(struct setting *s)
{
	const struct allowance allowance = {
		.seconds = s->a->session_time, .bytes = UNLIMITED};
	enum outcome outcome = OUTCOME_OK;
	struct account account;
	char detail[32];
	int ret;

	if (llabs(allowance.seconds) > STAFF_MINUTES * 60 &&
		s->caller->role < ROLE_SUPERVISOR)
		return reply_refuse(CTL_not_allowed,
			"More than %d minutes need the role supervisor.",
			STAFF_MINUTES);
	ret = session_allow(&s->g->rules, &s->mac, &allowance, &s->now, &account,
		&outcome);
	snprintf(detail, sizeof(detail), "%lld s", (long long)allowance.seconds);
	if (!ret && !outcome)
		ret = audit(s, "allow", detail);
	if (ret)
		return reply_failed("clients.set", ret);
	return outcome ? client_refused(outcome, &s->mac) : NULL;
}

static const struct {
	bool (*is_asked)(const struct args_set *a);
	enum role least;
	bool needs_room; /* in the kernel's table of clients */
	json_t *(*set)(struct setting *s);
	const char *name;
} parts[] = {
	{is_described, ROLE_STAFF, false, describe, "A name or note"},
	{is_timed, ROLE_STAFF, true, add_time, "Time"},
	{is_limited, ROLE_SUPERVISOR, false, limit, "A rate"},
	{is_blocked, ROLE_SUPERVISOR, true, block, "A block"},
	{is_exempted, ROLE_MANAGER, true, exempt, "An exemption"},
};

static json_t *set_parts(struct setting *s)
{
	json_t *refusal = NULL;
	size_t i;

	for (i = 0; !refusal && i < ARRAY_SIZE(parts); i++) {
		if (!parts[i].is_asked(s->a))
			continue;
		if (s->caller->role < parts[i].least)
			return reply_refuse(CTL_not_allowed,
				"%s needs the role %s; yours is %s.",
				parts[i].name, role_name(parts[i].least),
				role_name(s->caller->role));
		if (parts[i].needs_room)
			refusal = refuse_without_room(s->g, &s->mac);
		if (!refusal)
			refusal = parts[i].set(s);
	}
	return refusal;
}

json_t *op_clients_set(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct setting s = {
		.g = g, .caller = caller, .a = args, .now = moment_now()};
	json_t *refusal = device_meant(g, &s.a->device, &s.mac);
	int ret;

	if (refusal)
		return refusal;
	if (!is_described(s.a) && !s.a->session_time_set && !is_limited(s.a) &&
		!is_blocked(s.a) && !is_exempted(s.a))
		return reply_refuse(CTL_bad_request,
			"Say what to change: a name, a note, rates, time, a "
			"block or an exemption.");
	sync_touch(g->sync, &s.mac);
	ret = device_known(g, &s.mac, &s.device);
	if (ret)
		return reply_failed("clients.set", ret);
	refusal = set_parts(&s);
	if (refusal)
		return refusal;
	ret = store_device_put(g->store, &s.device);
	if (ret)
		return reply_failed("clients.set", ret);
	return client_shown(g, &s.mac, s.message[0] ? s.message : NULL);
}
