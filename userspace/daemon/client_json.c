/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What operators and guests are shown of a client. It puts together three
 * sources (the device's row, its session, the kernel's record) and decides
 * nothing. Field names are those of docs/api.md and
 * gatehousectl(8).
 */
#include "daemon/client_json.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/group_records.h"
#include "daemon/ops_rates.h"
#include "daemon/reply.h"
#include "daemon/sync.h"
#include "datapath/bindings.h"
#include "store/members.h"
#include "rules/device.h"
#include "rules/pause.h"

struct moment moment_now(void)
{
	return (struct moment){clock_mono_ns(), clock_wall_sec()};
}

json_t *json_mac(const struct mac *mac)
{
	char text[MAC_TEXT], *c;

	mac_format(mac, text);
	for (c = text; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return json_string(text);
}

json_t *json_time(int64_t wall_sec)
{
	char text[TIME_TEXT];

	if (!wall_sec || wall_sec == UNLIMITED)
		return json_null();
	return json_string(time_format(wall_sec, text));
}

json_t *json_limit(int64_t value)
{
	return value == UNLIMITED ? json_null() : json_integer(value);
}

json_t *json_seconds(int64_t ns)
{
	if (ns == UNLIMITED)
		return json_null();
	return json_integer((ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

json_t *json_name(const char *name)
{
	return name[0] ? json_string(name) : json_null();
}

json_t *json_words(const char *words)
{
	char copy[STORE_NETWORKS], *rest = copy, *word;
	json_t *list;

	if (!words[0])
		return json_null();
	list = json_array();
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")))
		json_array_append_new(list, json_string(word));
	return list;
}

json_t *json_ip(const struct ipaddr *addr)
{
	char text[IP_TEXT];

	return ip_is_zero(addr) ? json_null()
				: json_string(ip_format(addr, text));
}

/* What the plan says of time besides how much there is. */
static void json_add_terms(json_t *object, const struct view *view)
{
	static const struct terms none;
	const struct terms *terms = view->terms ?: &none;
	bool is_limited = view->terms && (view->remaining_bytes != UNLIMITED ||
						 view->full_bytes != UNLIMITED);

	json_object_set_new(object, "counts",
		is_limited ? json_string(counts_name(terms->counts))
			   : json_null());
	json_object_set_new(object, "hours", json_name(terms->hours));
	json_object_set_new(object, "closesAt",
		json_time(view->is_resting ? 0 : view->turn_at));
	json_object_set_new(object, "opensAt",
		json_time(view->is_resting ? view->turn_at : 0));
	json_object_set_new(object, "idleMinutes",
		json_limit(terms->idle_sec ? terms->idle_sec / 60 : UNLIMITED));
	json_object_set_new(object, "idle", json_boolean(view->is_idle));
	json_object_set_new(object, "validUntil", json_time(view->valid_until));
}

void json_add_account(json_t *object, const struct account *account,
	const struct moment *now)
{
	struct view view = {.full_bytes = UNLIMITED, .turn_at = UNLIMITED};
	int64_t end;

	if (account)
		account_view(account, now, &view);
	json_object_set_new(object, "kind",
		view.kind ? json_string(kind_rules(view.kind)->name)
			  : json_null());
	json_object_set_new(object, "plan", json_name(view.plan));
	json_object_set_new(
		object, "creditSeconds", json_seconds(view.credit_ns));
	json_object_set_new(
		object, "remainingBytes", json_limit(view.remaining_bytes));
	json_add_rates(object, &view.rates);
	json_object_set_new(
		object, "fullRateBytes", json_limit(view.full_bytes));
	json_object_set_new(object, "networks", json_words(view.networks));
	json_object_set_new(
		object, "remainingSeconds", json_seconds(view.remaining_ns));
	json_object_set_new(object, "bytesUp", json_integer(view.bytes_up));
	json_object_set_new(object, "bytesDown", json_integer(view.bytes_down));
	json_add_terms(object, &view);
	end = account && account->session.state == SESSION_RUNNING &&
			      !view.is_idle
		      ? view.ends_at
		      : 0;
	json_object_set_new(object, "expiresAt", json_time(end));
}

static void add_pause(json_t *object, const struct account *account)
{
	bool is_paused =
		account && account->session.state == SESSION_PAUSED;

	json_object_set_new(object, "pausedBy",
		is_paused ? json_name(account->session.paused_by) : json_null());
	json_object_set_new(object, "pausedAt",
		json_time(is_paused ? account->session.paused_at : 0));
	json_object_set_new(object, "mayPause",
		json_boolean(account &&
			     account->session.state == SESSION_RUNNING &&
			     account_may_pause(account)));
}

void json_add_stops(json_t *object, const struct account *account)
{
	bool is_held =
		account && account->session.state == SESSION_HELD;

	json_object_set_new(object, "heldFor",
		is_held ? json_name(account->session.held_for) : json_null());
	json_object_set_new(object, "heldAt",
		json_time(is_held ? account->session.held_at : 0));
	add_pause(object, account);
}

void json_add_credits(json_t *object, const struct account *account,
	const struct moment *now)
{
	json_t *credits = json_array();
	size_t at;
	int i;

	for (i = 0; account && i < account->count; i++) {
		const struct credit *credit = &account->credits[i];

		if (credit->state == CREDIT_USED)
			continue;
		/* The one in use first, wherever it was bought. */
		at = credit->state == CREDIT_IN_USE ? 0 : json_array_size(credits);
		json_array_insert_new(credits, at,
			json_pack("{s:s, s:o, s:o, s:o}", "kind",
				kind_rules(credit->kind)->name, "plan",
				json_name(credit->plan_name), "seconds",
				json_seconds(credit_time_left(
					credit, now->mono_ns)),
				"bytes",
				json_limit(credit_bytes_left(credit))));
	}
	json_object_set_new(object, "credits", credits);
}

int client_group(struct gatehoused *g, const struct device *device,
	struct account *account, struct group *ret_group)
{
	const struct credit *credit = account ? account_in_use(account) : NULL;
	int64_t id = credit && credit->group_id ? credit->group_id
						: device->group_id;
	int ret;

	*ret_group = (struct group){
		.bytes = UNLIMITED, .devices_max = UNLIMITED};
	if (!id)
		return 0;
	ret = store_group_lookup(g->store, id, ret_group);
	return ret ? ret : group_count(g, ret_group);
}

/* What is left of the group's is less than the own. Of guests' replies the whole
 * that it is a part of, too. */
static void share_left(
	json_t *object, const char *name, int64_t left, int64_t whole)
{
	json_object_set_new(object, name, json_integer(left));
	if (!strcmp(name, "remainingBytes") &&
		json_object_get(object, "creditTotalBytes"))
		json_object_set_new(object, "creditTotalBytes", json_limit(whole));
}

void json_add_group(json_t *object, const struct group *group)
{
	bool is_shared = group->id && group_is_of_credits(group);
	int64_t left = group_bytes_left(group);
	const char *name;
	json_t *own;

	json_object_set_new(object, "group", json_name(group->name));
	json_object_set_new(object, "groupBytes", json_limit(left));
	json_object_set_new(object, "groupUsedUp",
		group->id ? json_boolean(group_is_used_up(group))
			  : json_null());
	json_object_set_new(object, "devices",
		is_shared ? json_integer(group->devices) : json_null());
	json_object_set_new(object, "devicesMax",
		is_shared ? json_integer(group->devices_max) : json_null());
	/* What there is for this client: whichever is less. */
	name = rates_have_slow(&group->rates) ? "fullRateBytes" : "remainingBytes";
	own = json_object_get(object, name);
	if (left != UNLIMITED &&
		(json_is_null(own) || json_integer_value(own) > left))
		share_left(object, name, left, group->bytes);
}

const char *network_name_of(struct gatehoused *g, uint32_t number)
{
	const struct config_network *network =
		config_network_numbered(&g->config, number);

	return network ? network->name : NULL;
}

json_t *json_network(struct gatehoused *g, uint32_t number)
{
	const char *name = network_name_of(g, number);

	return name ? json_string(name) : json_null();
}

void client_sight(struct gatehoused *g, const struct mac *mac,
	uint32_t *ret_network, int64_t *ret_seen_ns)
{
	struct gh_captive captive;
	struct gh_client client;
	int64_t seen = 0;

	*ret_network = 0;
	if (clients_lookup(g->dp, mac, &client) == 0) {
		seen = (int64_t)MAX(client.up.seen_ns, client.down.seen_ns);
		*ret_network = client.up.network;
	}
	if (captive_lookup(g->dp, mac, &captive) == 0 &&
		(int64_t)captive.seen_ns > seen) {
		seen = (int64_t)captive.seen_ns;
		*ret_network = captive.network;
	}
	*ret_seen_ns = seen;
}

/* The newer one of what kernel and store know; 0: never. */
static int64_t last_sight(const struct device *device,
	const struct moment *now, int64_t seen_ns)
{
	if (!seen_ns)
		return device->last_seen;
	return MAX(device->last_seen,
		now->wall_sec - (now->mono_ns - seen_ns) / NSEC_PER_SEC);
}

const char *client_state(const struct device *device, const struct guest *guest,
	struct account *account, const struct group *group,
	const struct moment *now)
{
	const struct credit *credit = account ? account_in_use(account) : NULL;

	if (device->blocked)
		return "blocked";
	if (exemption_holds(&device->exemption, now))
		return guest_is_in(guest, device->exemption.network)
			       ? "exempt"
			       : "elsewhere";
	if (!account)
		return "captive";
	if (credit && account->session.state == SESSION_RUNNING &&
		!guest_is_in(guest, credit->networks))
		return "elsewhere";
	if (credit && account->session.state == SESSION_RUNNING &&
		credit->is_resting)
		return "out_of_hours";
	if (account->session.state == SESSION_RUNNING && group_is_used_up(group))
		return "group_used_up";
	return session_state_name(account->session.state);
}

/* What the store knows of a client. */
struct known {
	struct device device; /* id 0: nothing */
	struct account account;
	struct account *session; /* NULL, or the account */
	struct group group;
};

static int know(struct gatehoused *g, const struct mac *mac,
	const struct moment *now, struct known *known)
{
	int ret;

	known->device = (struct device){.mac = *mac};
	known->session = NULL;
	ret = store_device_lookup(g->store, mac, &known->device);
	if (!ret || ret == -ENOENT)
		ret = account_load(&g->rules, mac, now, &known->account);
	if (ret && ret != -ENOENT)
		return ret;
	if (!ret)
		known->session = &known->account;
	return client_group(g, &known->device, known->session, &known->group);
}

int client_state_at(struct gatehoused *g, const struct guest *guest,
	const char **ret_state)
{
	struct moment now = moment_now();
	struct known known;
	int ret = know(g, guest->mac, &now, &known);

	if (!ret)
		*ret_state = client_state(
			&known.device, guest, known.session, &known.group,
			&now);
	return ret;
}

struct owned {
	const struct mac *mac;
	const struct moment *now;
	json_t *list;
};

static int add_address(void *data, const struct binding *binding)
{
	const struct owned *owned = data;
	int64_t since, lease;
	char text[IP_TEXT];

	if (!mac_equal(&binding->mac, owned->mac))
		return 0;
	since = owned->now->mono_ns - (int64_t)binding->seen_ns;
	lease = (int64_t)binding->lease_ns - owned->now->mono_ns;
	json_array_append_new(owned->list,
		json_pack("{s:s, s:o, s:o}", "address",
			ip_format(&binding->ip, text), "lastSeen",
			json_time(owned->now->wall_sec - since / NSEC_PER_SEC),
			"leaseUntil",
			lease > 0 ? json_time(owned->now->wall_sec +
					      lease / NSEC_PER_SEC)
				  : json_null()));
	return 0;
}

int json_add_addresses(struct gatehoused *g, const struct mac *mac, json_t *object)
{
	struct moment now = moment_now();
	struct owned owned = {mac, &now, json_array()};
	int ret = bindings_each(g->dp, add_address, &owned);

	json_object_set_new(object, "addresses", owned.list);
	return ret;
}

/* Nulls for one that is not in the store. */
static void add_device(json_t *object, const struct device *device)
{
	bool known = device->id != 0;

	json_object_set_new(object, "id",
		known ? json_integer(device->id) : json_null());
	json_object_set_new(object, "name",
		known ? json_string(device->name) : json_null());
	json_object_set_new(object, "note",
		known ? json_string(device->note) : json_null());
	json_object_set_new(object, "blocked", json_boolean(device->blocked));
	json_object_set_new(object, "uploadKbps",
		json_limit(device->rates.up ? device->rates.up : UNLIMITED));
	json_object_set_new(object, "downloadKbps",
		json_limit(device->rates.down ? device->rates.down : UNLIMITED));
}

/* One that is over is not shown. */
static void add_exemption(json_t *object, const struct exemption *exemption,
	const struct moment *now)
{
	bool holds = exemption_holds(exemption, now);

	json_object_set_new(object, "exempt", json_boolean(holds));
	json_object_set_new(object, "exemptNetwork",
		holds ? json_name(exemption->network) : json_null());
	json_object_set_new(object, "exemptUntil",
		json_time(holds ? exemption->until : 0));
}

/* Nobody is charged for what an exempt device uses: the kernel counts it. */
static void add_uncharged(
	struct gatehoused *g, const struct mac *mac, json_t *object)
{
	struct gh_client client;

	if (clients_lookup(g->dp, mac, &client))
		return;
	json_object_set_new(object, "bytesUp",
		json_integer((json_int_t)client.up.bytes));
	json_object_set_new(object, "bytesDown",
		json_integer((json_int_t)client.down.bytes));
}

/* Who logged in by the QR code, as the desk knows him. */
static json_t *json_member(struct gatehoused *g, int64_t session_id)
{
	struct member member;

	return store_member_of_session(g->store, session_id, &member)
		       ? json_null()
		       : json_string(member.identity);
}

int json_client(struct gatehoused *g, const struct mac *mac, bool whole,
	json_t **ret_json)
{
	struct moment now = moment_now();
	struct guest guest = {.mac = mac};
	const struct account *session;
	struct known known;
	int64_t seen_ns;
	uint32_t network;
	json_t *object;
	int ret = know(g, mac, &now, &known);

	if (ret)
		return ret;
	session = known.session;
	client_sight(g, mac, &network, &seen_ns);
	guest.network = network_name_of(g, network);
	if (!session && !known.device.id && !seen_ns)
		return -ENOENT;
	object = json_object();
	json_object_set_new(object, "mac", json_mac(mac));
	add_device(object, &known.device);
	json_object_set_new(
		object, "state",
		json_string(client_state(
			&known.device, &guest, known.session, &known.group,
			&now)));
	add_exemption(object, &known.device.exemption, &now);
	json_object_set_new(
		object, "randomMac", json_boolean(mac_is_random(mac)));
	json_object_set_new(object, "network", json_network(g, network));
	json_object_set_new(object, "lastSeen",
		json_time(last_sight(&known.device, &now, seen_ns)));
	json_add_account(object, session, &now);
	if (!session && exemption_holds(&known.device.exemption, &now))
		add_uncharged(g, mac, object);
	json_add_stops(object, session);
	json_add_group(object, &known.group);
	if (whole)
		json_add_credits(object, session, &now);
	json_object_set_new(object, "sessionId",
		session ? json_integer(session->session.id) : json_null());
	json_object_set_new(object, "member",
		session ? json_member(g, session->session.id) : json_null());
	json_object_set_new(object, "hasToken",
		session ? json_boolean(session->session.token_handed)
			: json_null());
	*ret_json = object;
	return 0;
}

static const struct {
	enum ctl_code code;
	const char *sentence;
} refusals[] = {
	[OUTCOME_NOT_FOUND] = {CTL_not_found, "This device has no session."},
	[OUTCOME_CONFLICT] = {CTL_conflict,
		"This session has too many credits waiting; use some first."},
	[OUTCOME_VOUCHER_UNKNOWN] = {CTL_voucher_unknown,
		"This code is not known. Please check it and try again."},
	[OUTCOME_VOUCHER_USED] = {CTL_voucher_used,
		"This code has been used already."},
	[OUTCOME_VOUCHER_YOURS] = {CTL_voucher_used,
		"This code has been used already, for the session of this device."},
	[OUTCOME_VOUCHER_EXPIRED] = {CTL_voucher_expired,
		"This code is too old. Please ask for a new one."},
	[OUTCOME_VOUCHER_REVOKED] = {CTL_voucher_revoked,
		"This code is not valid any more. Please ask at the desk."},
	[OUTCOME_SESSION_UNKNOWN] = {CTL_session_unknown, "Session not found"},
	[OUTCOME_TOKEN_EXPIRED] = {CTL_token_expired, "Session expired"},
	[OUTCOME_SESSION_USED_UP] = {CTL_session_used_up, "Session expired"},
	[OUTCOME_NOT_TRANSFERABLE] = {CTL_not_transferable,
		"Voucher sessions cannot be transferred"},
	[OUTCOME_CLIENT_BLOCKED] = {CTL_client_blocked,
		"This device is blocked. Please ask at the desk."},
	[OUTCOME_DEVICES_FULL] = {CTL_devices_full,
		"As many devices as may use this code are using it already."},
	[OUTCOME_NOT_PAUSABLE] = {CTL_not_pausable,
		"This time cannot be paused: only time bought with coins or "
		"given by an operator, for one device, can."},
	[OUTCOME_NOT_SHAREABLE] = {CTL_not_shareable,
		"What is in use now is for one device only, or does not run."},
	[OUTCOME_DEVICE_TAKEN] = {CTL_device_taken,
		"This device cannot be added: it may be online already, or "
		"blocked. Please ask at the desk."},
	[OUTCOME_FREE_OFF] = {CTL_free_off,
		"There is no free time here. Please ask at the desk."},
	[OUTCOME_FREE_USED] = {CTL_free_used,
		"This device had its free time today. It is there again "
		"tomorrow."},
	[OUTCOME_FREE_FULL] = {CTL_free_full,
		"Many devices had free time just now. Please try again later, "
		"or switch off the private address of this network."},
	[OUTCOME_FREE_NOT_NEEDED] = {CTL_free_not_needed,
		"This device has time already."},
	[OUTCOME_HAS_SESSION] = {CTL_has_session,
		"This code is in use on another device. This one can join it "
		"when its own session is over and it is in no group."},
	[OUTCOME_SESSION_HELD] = {CTL_session_held,
		"The session of this device is on hold until its resume link "
		"is shown. Please ask at the desk."},
	[OUTCOME_SLOT_BUSY] = {CTL_slot_busy,
		"Somebody else is inserting coins there. Please wait a moment."},
	[OUTCOME_LOCK_UNKNOWN] = {CTL_lock_unknown,
		"This device has not reserved the coin slot with that lockId."},
	[OUTCOME_AMOUNT_DIFFERS] = {CTL_amount_differs,
		"That is not what was inserted."},
	[OUTCOME_AMOUNT_SMALL] = {CTL_amount_small,
		"What was inserted is not enough for any plan yet."},
	[OUTCOME_OTHER_NETWORK] = {CTL_other_network,
		"This is for another network, not for the one that you are "
		"on."},
	[OUTCOME_QR_UNKNOWN] = {CTL_qr_unknown,
		"This QR code is not of this house. Scan the one on the "
		"poster."},
	[OUTCOME_QR_EXPIRED] = {CTL_qr_expired,
		"This QR code is too old. Scan the newest one, or ask at the "
		"desk."},
	[OUTCOME_QR_REVOKED] = {CTL_qr_revoked,
		"This QR code is not used any more. Scan the newest one, or ask "
		"at the desk."},
};

json_t *reply_outcome(enum outcome outcome)
{
	json_t *reply = reply_refuse(
		refusals[outcome].code, "%s", refusals[outcome].sentence);

	if (outcome == OUTCOME_VOUCHER_YOURS)
		json_object_set_new(reply, "yours", json_true());
	return reply;
}

int device_known(struct gatehoused *g, const struct mac *mac,
	struct device *ret_device)
{
	struct moment now = moment_now();
	struct device device = {.mac = *mac, .first_seen = now.wall_sec};
	int ret = store_device_lookup(g->store, mac, &device);
	uint32_t network;
	int64_t seen_ns;

	if (ret && ret != -ENOENT)
		return ret;
	client_sight(g, mac, &network, &seen_ns);
	device.last_seen = last_sight(&device, &now, seen_ns);
	ret = store_device_put(g->store, &device);
	if (!ret && ret_device)
		*ret_device = device;
	return ret;
}

int device_seen(struct gatehoused *g, const struct mac *mac,
	struct device *ret_device)
{
	int64_t now = clock_wall_sec();
	struct device device = {.mac = *mac, .first_seen = now};
	int ret = store_device_lookup(g->store, mac, &device);

	if (ret && ret != -ENOENT)
		return ret;
	device.last_seen = now;
	ret = store_device_put(g->store, &device);
	if (!ret && ret_device)
		*ret_device = device;
	return ret;
}

static json_t *refuse_full(void)
{
	return reply_refuse(CTL_table_full,
		"The gateway has no room for another device right now.");
}

json_t *refuse_without_room(struct gatehoused *g, const struct mac *mac)
{
	return sync_has_room(g->sync, mac) ? NULL : refuse_full();
}

json_t *refuse_without_room_to_move(struct gatehoused *g, const struct mac *mac)
{
	return sync_has_room_to_move(g->sync, mac) ? NULL : refuse_full();
}
