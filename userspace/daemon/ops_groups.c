/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about groups: a family or a room whose devices share bytes and
 * rates. A group gives nobody access; it limits those who have some. Groups of
 * vouchers (rules/voucher.h) are shown here, and nobody's to change.
 */
#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/group_records.h"
#include "daemon/ops_handlers.h"
#include "daemon/ops_rates.h"
#include "daemon/sync.h"

_Static_assert(STORE_GROUPS_MAX == GH_GROUPS_MAX, "as many as the kernel holds");

static json_t *group_json(const struct group *group)
{
	json_t *object = json_pack("{s:I, s:s, s:I, s:o, s:I, s:I, s:o, s:o, s:o}", "id",
		(json_int_t)group->id, "name", group->name, "devices",
		(json_int_t)group->devices, "megabytes",
		json_limit(group->bytes == UNLIMITED
				   ? UNLIMITED
				   : group->bytes / CTL_MEGABYTE),
		"bytesUp", (json_int_t)group->bytes_up, "bytesDown",
		(json_int_t)group->bytes_down, "remainingBytes",
		json_limit(group_bytes_left(group)), "usedUpAt",
		json_time(group->used_up_at), "devicesMax",
		json_limit(group->devices_max));

	json_add_full_rates(object, &group->rates);
	return object;
}

json_t *op_groups_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct group rows[OPS_LIST_MAX];
	json_t *items;
	int n, i, ret = 0;

	n = store_group_list(g->store, a->after, rows, limit);
	for (i = 0; !ret && i < n; i++)
		ret = group_count(g, &rows[i]);
	if (n < 0 || ret)
		return reply_failed("groups.list", ret ? ret : n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, group_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}

/* NULL, or the refusal. */
static json_t *find_group(
	struct gatehoused *g, const char *name, struct group *ret_group)
{
	int ret = store_group_by_name(g->store, name, ret_group);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no group \"%s\"; see `gatehousectl group "
			"list`.",
			name);
	return ret ? reply_failed("reading a group", ret) : NULL;
}

/* The same, if it is an operator's to change. */
static json_t *find_own_group(
	struct gatehoused *g, const char *name, struct group *ret_group)
{
	json_t *refusal = find_group(g, name, ret_group);

	if (refusal || !group_is_of_credits(ret_group))
		return refusal;
	return reply_refuse(CTL_conflict,
		"\"%s\" is what several devices of one guest share; it goes "
		"when that is used up.",
		ret_group->name);
}

/* NULL, or the refusal: a device that shares a voucher has room for no other
 * group. */
static json_t *refuse_sharer(struct gatehoused *g, const struct mac *mac)
{
	struct moment now = moment_now();
	struct account account;
	char text[MAC_TEXT];
	int ret = account_load(&g->rules, mac, &now, &account), i;

	if (ret)
		return ret == -ENOENT ? NULL
				      : reply_failed("groups.join", ret);
	for (i = 0; i < account.count; i++)
		if (account.credits[i].group_id)
			return reply_refuse(CTL_conflict,
				"%s has a voucher for several devices, which "
				"is a group of its own; it can be in this one "
				"when that is used up.",
				mac_format(mac, text));
	return NULL;
}

/* All there is to say of a group, after a change or without one. */
static json_t *group_reply(
	struct gatehoused *g, const struct group *group, const char *message)
{
	struct mac macs[GROUP_DEVICES_MAX];
	json_t *reply, *object, *list;
	struct group now;
	int ret = store_group_lookup(g->store, group->id, &now), n = 0, i;

	if (!ret)
		ret = group_count(g, &now);
	if (!ret)
		n = store_group_devices(
			g->store, group->id, macs, GROUP_DEVICES_MAX);
	if (ret || n < 0)
		return reply_failed("reading a group", ret ? ret : n);
	reply = reply_ok();
	object = group_json(&now);
	json_object_update(reply, object);
	json_decref(object);
	list = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(list, json_mac(&macs[i]));
	json_object_set_new(reply, "macs", list);
	if (message)
		json_object_set_new(reply, "message", json_string(message));
	return reply;
}

static int audit(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct mac *mac, const struct group *group)
{
	return audit_now(g, caller, operation, mac, group->name);
}

/* NULL, or the refusal. What is not named stays. */
static json_t *set_limits(const struct args_group *a, struct group *group)
{
	json_t *refusal = rates_of(&a->rates, true, &group->rates);

	if (refusal)
		return refusal;
	if (!a->megabytes_set)
		return NULL;
	group->bytes = a->megabytes ? a->megabytes * CTL_MEGABYTE : UNLIMITED;
	group->used_up_at = 0;
	return NULL;
}

json_t *op_groups_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_group *a = args;
	struct group group = {.bytes = UNLIMITED, .devices_max = UNLIMITED};
	json_t *refusal = set_limits(a, &group);
	int64_t count = 0;
	int ret;

	if (refusal)
		return refusal;
	if (!strncasecmp(a->name, STORE_GROUP_OF_VOUCHER,
		    strlen(STORE_GROUP_OF_VOUCHER)) ||
		!strncasecmp(a->name, STORE_GROUP_OF_CREDIT,
			strlen(STORE_GROUP_OF_CREDIT)) ||
		!strncasecmp(a->name, STORE_GROUP_OF_MEMBER,
			strlen(STORE_GROUP_OF_MEMBER)))
		return reply_refuse(CTL_conflict,
			"\"%s\" would read like the group of a voucher.",
			a->name);
	ret = store_group_count(g->store, &count);
	if (!ret && count >= GH_GROUPS_MAX)
		return reply_refuse(CTL_conflict,
			"There are %d groups already; remove some first.",
			GH_GROUPS_MAX);
	memcpy(group.name, a->name, sizeof(group.name));
	if (!ret)
		ret = store_group_insert(g->store, &group);
	if (ret == -EEXIST)
		return reply_refuse(CTL_conflict,
			"A group \"%s\" exists already.", group.name);
	if (!ret)
		ret = audit(g, caller, "group add", NULL, &group);
	if (ret)
		return reply_failed("groups.add", ret);
	groups_touch(g, group.id);
	return group_reply(g, &group,
		"The group is there; `gatehousectl group join` puts devices "
		"into it.");
}

json_t *op_groups_get(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	struct group group;
	json_t *refusal = find_group(g, a->name, &group);

	return refusal ? refusal : group_reply(g, &group, NULL);
}

json_t *op_groups_set(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_group *a = args;
	struct group group;
	json_t *refusal = find_own_group(g, a->name, &group);
	int ret;

	if (!refusal)
		refusal = set_limits(a, &group);
	if (refusal)
		return refusal;
	ret = store_group_update(g->store, &group);
	if (!ret)
		ret = audit(g, caller, "group change", NULL, &group);
	if (ret)
		return reply_failed("groups.set", ret);
	groups_touch(g, group.id);
	return group_reply(g, &group, "The group has these limits now.");
}

json_t *op_groups_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	struct mac macs[GROUP_DEVICES_MAX];
	struct group group;
	json_t *refusal = find_own_group(g, a->name, &group);
	int ret, n, i;

	if (refusal)
		return refusal;
	n = store_group_devices(g->store, group.id, macs, GROUP_DEVICES_MAX);
	ret = MIN(n, 0);
	for (i = 0; i < n; i++)
		sync_touch(g->sync, &macs[i]);
	if (!ret)
		ret = store_group_delete(g->store, group.id);
	if (!ret)
		ret = audit(g, caller, "group remove", NULL, &group);
	if (ret)
		return reply_failed("groups.remove", ret);
	groups_touch(g, group.id);
	return reply_fields("{s:I, s:s}", "id", (json_int_t)group.id, "message",
		"The group is gone; its devices go on with the limits of "
		"their own sessions.");
}

/* `group` id 0: into none. */
static int put_into(struct gatehoused *g, const struct mac *mac,
	const struct group *group)
{
	struct device device;
	int ret = device_known(g, mac, &device);

	if (ret)
		return ret;
	device.group_id = group->id;
	sync_touch(g->sync, mac);
	return store_device_put(g->store, &device);
}

json_t *op_groups_join(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_join *a = args;
	char message[256], text[MAC_TEXT];
	struct group group;
	struct device device = {.group_id = 0};
	json_t *refusal = find_own_group(g, a->name, &group);
	int ret;

	if (!refusal)
		refusal = refuse_sharer(g, &a->mac);
	if (refusal)
		return refusal;
	ret = store_device_lookup(g->store, &a->mac, &device);
	if (ret == -ENOENT)
		ret = 0;
	if (!ret && device.group_id != group.id &&
		group.devices >= GROUP_DEVICES_MAX)
		return reply_refuse(CTL_conflict,
			"The group \"%s\" has %d devices already.", group.name,
			GROUP_DEVICES_MAX);
	if (!ret)
		ret = put_into(g, &a->mac, &group);
	if (!ret)
		ret = audit(g, caller, "group join", &a->mac, &group);
	if (ret)
		return reply_failed("groups.join", ret);
	snprintf(message, sizeof(message),
		"%s is in the group \"%s\" now%s. It needs a session of its "
		"own to be online.",
		mac_format(&a->mac, text), group.name,
		device.group_id && device.group_id != group.id
			? " and in no other"
			: "");
	return group_reply(g, &group, message);
}

json_t *op_groups_leave(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct group none;
	const struct args_mac *a = args;
	struct device device = {.group_id = 0};
	struct group group;
	char message[256], text[MAC_TEXT];
	int ret = store_device_lookup(g->store, &a->mac, &device);

	if (!device.group_id && (!ret || ret == -ENOENT))
		return reply_refuse(CTL_not_found,
			"%s is in no group that it can leave; that of a "
			"voucher goes with the voucher.",
			mac_format(&a->mac, text));
	if (!ret)
		ret = store_group_lookup(g->store, device.group_id, &group);
	if (!ret)
		ret = put_into(g, &a->mac, &none);
	if (!ret)
		ret = audit(g, caller, "group leave", &a->mac, &group);
	if (ret)
		return reply_failed("groups.leave", ret);
	snprintf(message, sizeof(message),
		"%s is not in the group \"%s\" any more.",
		mac_format(&a->mac, text), group.name);
	return group_reply(g, &group, message);
}
