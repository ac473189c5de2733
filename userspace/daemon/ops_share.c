/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices beside a session (rules/share.h): by an operator, or by a guest from
 * the phone that has it. A guest types the address that stands on the device,
 * or picks one of those that wait without a session on the same network: of
 * them only such as no phone makes up are offered, by the end of their address,
 * so that nobody learns who else is there.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mac.h"
#include "base/text.h"
#include "daemon/client_json.h"
#include "daemon/group_records.h"
#include "daemon/ops_handlers.h"
#include "daemon/sync.h"
#include "rules/share.h"

#define FOUND_MAX 8
#define FOUND_NS  (600 * NSEC_PER_SEC) /* heard so recently */

static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct mac *mac, int64_t session_id)
{
	return store_audit(g->store, clock_wall_sec(), caller->who, operation,
		mac, session_id, NULL);
}

static int add(struct gatehoused *g, const struct caller *caller,
	const struct mac *owner, const struct mac *mac, enum outcome *ret_outcome)
{
	struct moment now = moment_now();
	struct guest device = {.mac = mac};
	struct shared shared;
	uint32_t network;
	int64_t seen_ns;
	int ret;

	client_sight(g, mac, &network, &seen_ns);
	device.network = network_name_of(g, network);
	*ret_outcome = OUTCOME_OK;
	sync_touch(g->sync, owner);
	sync_touch(g->sync, mac);
	ret = share_add(
		&g->rules, owner, &device, &now, &shared, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	groups_touch(g, shared.group_id);
	ret = device_known(g, mac, NULL);
	return ret ? ret
		   : audit(g, caller, "device add", mac, shared.owner_id);
}

static int take_away(struct gatehoused *g, const struct caller *caller,
	const struct mac *owner, const struct mac *mac, enum outcome *ret_outcome)
{
	struct moment now = moment_now();
	struct shared shared;
	int ret;

	*ret_outcome = OUTCOME_OK;
	sync_touch(g->sync, mac);
	ret = share_remove(&g->rules, owner, mac, &now, &shared, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	groups_touch(g, shared.group_id);
	return audit(g, caller, "device remove", mac, shared.owner_id);
}

json_t *op_devices_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_share *a = args;
	json_t *refusal = refuse_without_room(g, &a->mac);
	char text[MAC_TEXT], message[128];
	enum outcome outcome;
	int ret;

	if (refusal)
		return refusal;
	ret = add(g, caller, &a->with, &a->mac, &outcome);
	if (ret)
		return reply_failed("devices.add", ret);
	if (outcome)
		return client_refused(outcome, &a->with);
	snprintf(message, sizeof(message),
		"The device shares what %s uses, until that is used up.",
		mac_format(&a->with, text));
	return client_changed(g, &a->mac, message);
}

json_t *op_devices_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;
	enum outcome outcome;
	int ret = take_away(g, caller, NULL, &a->mac, &outcome);
	char text[MAC_TEXT];

	if (ret)
		return reply_failed("devices.remove", ret);
	if (outcome)
		return reply_refuse(CTL_not_found,
			"The device %s was not put beside another; see "
			"`gatehousectl kick`.",
			mac_format(&a->mac, text));
	return client_changed(
		g, &a->mac, "The device shares nothing any more.");
}

/* What was put beside the session of this account. */
static int add_shared(
	struct gatehoused *g, const struct account *account, json_t *items)
{
	struct mac macs[GROUP_DEVICES_MAX];
	int n = store_credit_shared_by(g->store, account->session.id, macs,
		    GROUP_DEVICES_MAX),
	    i;

	for (i = 0; i < n; i++) {
		uint32_t network;
		int64_t seen_ns;

		client_sight(g, &macs[i], &network, &seen_ns);
		json_array_append_new(items,
			json_pack("{s:o, s:b}", "mac", json_mac(&macs[i]),
				"seen", seen_ns != 0));
	}
	return MIN(n, 0);
}

json_t *op_devices_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	json_t *items = json_array();
	struct account account;
	int64_t max = 1;
	int ret = account_find(&g->rules, &a->mac, &now, &account, &outcome);

	if (!ret && !outcome)
		ret = share_max(&g->rules, &account, &max);
	if (!ret && !outcome)
		ret = add_shared(g, &account, items);
	if (!ret && !outcome)
		return reply_fields("{s:o, s:I}", "items", items, "devicesMax",
			(json_int_t)max);
	json_decref(items);
	return ret ? reply_failed("devices.list", ret)
		   : client_refused(outcome, &a->mac);
}

/* Guests. */

struct found {
	struct gatehoused *g;
	const struct caller *caller;
	int64_t session_id, now_ns;
	json_t *list; /* offered; or NULL: looking for `pick` */
	const char *pick;
	struct mac mac; /* the one that was picked */
};

/* A name for a device that only this session can use, and that tells nothing. */
static void pick_of(struct found *found, const struct mac *mac,
	char ret_pick[static CTL_PICK_LEN + 1])
{
	uint8_t hash[CRYPTO_HASH];
	char text[64], mac_text[MAC_TEXT];

	snprintf(text, sizeof(text), "pick %lld %s",
		(long long)found->session_id, mac_format(mac, mac_text));
	crypto_hmac(found->g->rules.lookup_key, text, strlen(text), hash);
	hex_format(hash, CTL_PICK_LEN / 2, ret_pick);
}

static bool is_offered(struct found *found, const struct captive *captive)
{
	struct session session;
	struct device device;

	if ((int)captive->record.network != found->caller->network ||
		mac_is_random(&captive->mac) ||
		found->now_ns - (int64_t)captive->record.seen_ns > FOUND_NS)
		return false;
	if (store_session_of(found->g->store, &captive->mac, &session) !=
		-ENOENT)
		return false;
	return store_device_lookup(found->g->store, &captive->mac, &device) ||
	       (!device.blocked && !device.group_id &&
		       !device.exemption.deadline_ns);
}

static int take_found(void *data, const struct captive *captive)
{
	struct found *found = data;
	char pick[CTL_PICK_LEN + 1], text[MAC_TEXT];

	if (!is_offered(found, captive))
		return 0;
	pick_of(found, &captive->mac, pick);
	if (found->pick) {
		if (strcmp(found->pick, pick))
			return 0;
		found->mac = captive->mac;
		return 1;
	}
	mac_format(&captive->mac, text);
	json_array_append_new(found->list,
		json_pack("{s:s, s:s}", "pick", pick, "end",
			text + strlen(text) - strlen("00:00")));
	return json_array_size(found->list) >= FOUND_MAX;
}

/* Another guest's device put this one beside its session. */
static bool is_added(const struct account *account)
{
	int i;

	for (i = 0; i < account->count; i++)
		if (account->credits[i].state != CREDIT_USED &&
			account->credits[i].shared_by)
			return true;
	return false;
}

json_t *op_guest_devices(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct moment now = moment_now();
	struct found found = {.g = g, .caller = caller, .now_ns = now.mono_ns};
	enum outcome outcome = OUTCOME_OK;
	json_t *items = json_array();
	struct account account;
	struct group group = {.devices = 1};
	int64_t max = 1;
	int ret = account_find(
		&g->rules, &caller->mac, &now, &account, &outcome);

	found.list = json_array();
	if (!ret && !outcome)
		ret = share_max(&g->rules, &account, &max);
	if (!ret && !outcome)
		ret = add_shared(g, &account, items);
	if (!ret && !outcome && account_in_use(&account) &&
		account_in_use(&account)->group_id)
		ret = store_group_lookup(g->store,
			account_in_use(&account)->group_id, &group);
	if (!ret && !outcome && group.devices < max) {
		found.session_id = account.session.id;
		ret = MIN(captive_each(g->dp, take_found, &found), 0);
	}
	if (!ret && !outcome)
		return reply_fields("{s:o, s:b, s:o, s:o, s:I, s:I}", "mac",
			json_mac(&caller->mac), "added", is_added(&account),
			"items", items, "found", found.list, "devices",
			(json_int_t)group.devices, "devicesMax",
			(json_int_t)max);
	json_decref(items);
	json_decref(found.list);
	return ret ? reply_failed("guest.devices", ret) : reply_outcome(outcome);
}

/* The device that the guest typed or picked. False: there is none. */
static bool is_meant(struct gatehoused *g, const struct caller *caller,
	const struct args_guest_add *a, struct mac *ret_mac)
{
	struct found found = {.g = g, .caller = caller, .pick = a->pick,
		.now_ns = clock_mono_ns()};
	struct session session;

	*ret_mac = a->mac;
	if (a->mac_set)
		return true;
	if (store_session_of(g->store, &caller->mac, &session))
		return false;
	found.session_id = session.id;
	if (captive_each(g->dp, take_found, &found) != 1)
		return false;
	*ret_mac = found.mac;
	return true;
}

json_t *op_guest_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_guest_add *a = args;
	enum outcome outcome = OUTCOME_DEVICE_TAKEN;
	json_t *refusal = NULL;
	struct mac mac;
	int ret = 0;

	if (a->mac_set == a->pick_set)
		return reply_refuse(
			CTL_bad_request, "Say which device: mac or pick.");
	if (is_meant(g, caller, a, &mac)) {
		refusal = refuse_without_room(g, &mac);
		if (refusal)
			return refusal;
		ret = add(g, caller, &caller->mac, &mac, &outcome);
	}
	if (ret)
		return reply_failed("guest.add", ret);
	/* Who tries one address after the other looks for others' devices. */
	if (outcome == OUTCOME_DEVICE_TAKEN)
		throttle_missed(g->throttle, &caller->mac, caller->network,
			clock_mono_ns());
	return outcome ? reply_outcome(outcome) : reply_ok();
}

json_t *op_guest_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_mac *a = args;
	/* Nobody has to share what another guest added it to. */
	bool is_own = mac_equal(&a->mac, &caller->mac);
	enum outcome outcome;
	int ret = take_away(g, caller, is_own ? NULL : &caller->mac, &a->mac,
		&outcome);

	if (ret)
		return reply_failed("guest.remove", ret);
	return outcome ? reply_outcome(outcome) : reply_ok();
}
