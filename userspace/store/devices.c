/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: what is known about a client beyond its session. A device has a
 * row once somebody did something for it or about it; merely seen ones live
 * in the kernel's `captive` map only. */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                       \
	"id, mac, name, note, blocked, exempt_until, first_seen,"     \
	" last_seen, group_id, up_kbps, down_kbps, exempt_network,"   \
	" exempt_deadline_ns"

static void read_device(struct db_rows *rows, void *ret_row)
{
	struct device *d = ret_row;

	memset(d, 0, sizeof(*d));
	d->id = db_int(rows, 0);
	db_mac(rows, 1, &d->mac);
	db_text(rows, 2, d->name, sizeof(d->name));
	db_text(rows, 3, d->note, sizeof(d->note));
	d->blocked = db_int(rows, 4);
	d->exemption.until = db_int(rows, 5);
	d->first_seen = db_int(rows, 6);
	d->last_seen = db_int(rows, 7);
	d->group_id = db_int(rows, 8);
	d->rates.up = db_int(rows, 9);
	d->rates.down = db_int(rows, 10);
	db_text(rows, 11, d->exemption.network, sizeof(d->exemption.network));
	d->exemption.deadline_ns = db_int(rows, 12);
}

int store_device_lookup(struct store *store, const struct mac *mac,
	struct device *ret_device)
{
	return db_one(store->db, read_device, ret_device,
		"SELECT " COLUMNS " FROM devices WHERE mac = ?", "m", mac);
}

int store_device_is_blocked(
	struct store *store, const struct mac *mac, bool *ret_blocked)
{
	struct device device;
	int ret = store_device_lookup(store, mac, &device);

	if (ret && ret != -ENOENT)
		return ret;
	*ret_blocked = !ret && device.blocked;
	return 0;
}

int store_device_put(struct store *store, struct device *device)
{
	const struct exemption *exemption = &device->exemption;
	int ret;

	if (device->id)
		return db_run(store->db,
			"UPDATE devices SET name = ?, note = ?, blocked = ?,"
			" exempt_until = ?, exempt_deadline_ns = ?,"
			" exempt_network = ?, last_seen = ?,"
			" group_id = nullif(?, 0), up_kbps = ?, down_kbps = ?,"
			" updated_at = unixepoch() WHERE id = ?",
			"ttiiitiiiii", device->name, device->note,
			(int64_t)device->blocked, exemption->until,
			exemption->deadline_ns, exemption->network,
			device->last_seen, device->group_id, device->rates.up,
			device->rates.down, device->id);
	ret = db_run(store->db,
		"INSERT INTO devices (mac, name, note, blocked, exempt_until,"
		" exempt_deadline_ns, exempt_network, first_seen, last_seen,"
		" group_id, up_kbps, down_kbps)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?)",
		"mttiiitiiiii", &device->mac, device->name, device->note,
		(int64_t)device->blocked, exemption->until,
		exemption->deadline_ns, exemption->network,
		device->first_seen, device->last_seen, device->group_id,
		device->rates.up, device->rates.down);
	if (!ret)
		device->id = db_last_id(store->db);
	return ret;
}

int store_device_by_id(
	struct store *store, int64_t id, struct device *ret_device)
{
	return db_one(store->db, read_device, ret_device,
		"SELECT " COLUMNS " FROM devices WHERE id = ?", "i", id);
}

int store_device_exempt(
	struct store *store, int64_t after, struct device *rows, int max)
{
	/* "+": by the index of the few, not through all devices. */
	return db_list(store->db, read_device, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM devices WHERE exempt_until > 0"
		" AND +id > ? ORDER BY +id LIMIT ?",
		"ii", after, (int64_t)max);
}

int store_device_list(
	struct store *store, int64_t after, struct device *rows, int max)
{
	return db_list(store->db, read_device, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM devices WHERE id > ? ORDER BY id"
		" LIMIT ?",
		"ii", after, (int64_t)max);
}

int store_device_search(
	struct store *store, const char *text, struct device *rows, int max)
{
	/* instr(), not LIKE: what is typed has no signs of its own. */
	return db_list(store->db, read_device, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM devices WHERE id >"
		" (SELECT coalesce(max(id), 0) - ? FROM devices) AND"
		" instr(lower(mac || char(10) || name || char(10) || note),"
		" lower(?)) ORDER BY id DESC LIMIT ?",
		"iti", (int64_t)STORE_SEARCH, text, (int64_t)max);
}
