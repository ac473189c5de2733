/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting a person. Who has a session is not forgotten in the middle of it.
 * The audit says that somebody was forgotten and by whom, and not who it was.
 */
#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sliced.h"
#include "datapath/bindings.h"
#include "store/export.h"
#include "store/spent.h"

#define DEVICES_SHOWN 16

static int note(struct gatehoused *g, const char *who, const char *what,
	int64_t rows)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "%s, %lld rows", what, (long long)rows);
	return store_audit(
		g->store, clock_wall_sec(), who, "forget", NULL, 0, detail);
}

static json_t *done(int64_t rows, json_t *devices, const char *message)
{
	return reply_fields("{s:I, s:o, s:s}", "rows", (json_int_t)rows,
		"devices", devices, "message", message);
}

/* A device that is forgotten, while it is. */
struct forgetting {
	struct mac mac;
	char who[sizeof(((struct caller *)0)->who)];
	bool is_stored; /* the store is done; spent.log follows */
	struct forget_place at;
	int64_t after; /* of its files */
};

static int forget_some(struct gatehoused *g, void *data)
{
	struct forgetting *f = data;
	int ret;

	if (!f->is_stored) {
		ret = store_forget_device(g->store, &f->mac, &f->at);
		f->is_stored = ret == 0;
		return ret < 0 ? ret : 1;
	}
	ret = store_spent_forget(g->store, &f->mac, &f->after);
	if (!ret && g->dp)
		ret = sightings_forget(g->dp, &f->mac);
	return ret ? ret : note(g, f->who, "a device", f->at.rows);
}

static json_t *forgotten(struct gatehoused *g, void *data, int ret)
{
	const struct forgetting *f = data;

	if (ret)
		return reply_failed("forget", ret);
	return done(f->at.rows, json_array(),
		"The device is forgotten. Copies of the database have it until "
		"they are replaced.");
}

static json_t *forget_device(struct gatehoused *g, const struct caller *caller,
	const struct mac *mac)
{
	static const struct sliced_work work = {forget_some, forgotten};
	struct forgetting *forgetting;
	struct session session;
	struct record record;
	int ret = store_session_of(g->store, mac, &session);

	if (!ret)
		return reply_refuse(CTL_conflict,
			"The device has a session. End it with `gatehousectl "
			"kick`, then try again.");
	if (ret == -ENOENT)
		ret = store_record_of(g->store, mac, &record);
	if (!ret)
		return reply_refuse(CTL_conflict,
			"The gate still counts what the device used last. Try "
			"again in a few seconds.");
	if (ret != -ENOENT)
		return reply_failed("forget", ret);
	forgetting = xcalloc(1, sizeof(*forgetting));
	forgetting->mac = *mac;
	snprintf(forgetting->who, sizeof(forgetting->who), "%s", caller->who);
	return sliced_start(g, &work, forgetting);
}

static json_t *forget_phone(struct gatehoused *g, const struct caller *caller,
	const char *phone)
{
	struct mac macs[DEVICES_SHOWN];
	json_t *devices;
	int64_t rows = 0;
	int n = store_devices_of_phone(g->store, phone, macs, DEVICES_SHOWN), i;
	int ret = MIN(n, 0);

	if (!ret)
		ret = store_forget_phone(g->store, phone, &rows);
	if (!ret && rows)
		ret = note(g, caller->who, "a telephone number", rows);
	if (ret)
		return reply_failed("forget", ret);
	if (!rows)
		return reply_refuse(CTL_not_found,
			"No such telephone number is known.");
	devices = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(devices, json_mac(&macs[i]));
	return done(rows, devices,
		n ? "The number is forgotten. These devices were paid for with "
		    "it; `gatehousectl forget MAC` forgets one."
		  : "The number is forgotten.");
}

/* A member, or somebody who logged in by the QR code. NULL: there is none. */
static json_t *forget_person(struct gatehoused *g, const struct caller *caller,
	const char *person)
{
	struct mac macs[DEVICES_SHOWN];
	struct member members[DEVICES_SHOWN];
	int n, i, ret = 0;
	int64_t rows = 0;
	json_t *devices;

	n = store_member_of_person(g->store, person, members, DEVICES_SHOWN);
	for (i = 0; i < n; i++)
		if (members[i].online)
			return reply_refuse(CTL_conflict,
				"The member is online. End that with "
				"`gatehousectl member remove`, then try again.");
	if (n >= 0)
		n = store_devices_of_person(
			g->store, person, macs, DEVICES_SHOWN);
	ret = n < 0 ? n : store_forget_person(g->store, person, &rows);
	if (!ret && rows)
		ret = note(g, caller->who, "a member", rows);
	if (ret)
		return reply_failed("forget", ret);
	if (!rows)
		return NULL;
	devices = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(devices, json_mac(&macs[i]));
	return done(rows, devices,
		n ? "The member is forgotten, and the logins by QR code. These "
		    "devices were logged in; `gatehousectl forget MAC` forgets "
		    "one."
		  : "The member is forgotten.");
}

json_t *op_forget(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_forget *a = args;
	struct mac mac;
	json_t *reply;

	if (mac_parse(a->who, &mac) == 0)
		return forget_device(g, caller, &mac);
	reply = forget_person(g, caller, a->who);
	if (reply)
		return reply;
	if (strchr(a->who, '@'))
		return reply_refuse(
			CTL_not_found, "No such e-mail address is known.");
	return forget_phone(g, caller, a->who);
}
