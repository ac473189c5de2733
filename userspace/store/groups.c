/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups: devices that share bytes and rates. Which device is in which is in
 * the devices' rows, or in the credits' that came of one voucher. Capitals make
 * no other name: the table says so.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"

/* A voucher's group is of credits; an operator's, of devices. */
#define COLUMNS                                                              \
	"id, name, bytes, up_kbps, down_kbps, bytes_up, bytes_down, raw_up," \
	" raw_down, (SELECT count(*) FROM devices d WHERE d.group_id = groups.id)" \
	" + (SELECT count(*) FROM credits c WHERE c.group_id = groups.id"    \
	" AND c.state <> 'used'), used_up_at, voucher_id,"                   \
	" devices_max, slow_up_kbps, slow_down_kbps, counts, '', 0, NULL"

static void read_group(struct db_rows *rows, void *ret_row)
{
	struct group *group = ret_row;
	struct terms terms;

	read_terms(rows, 15, &terms);
	*group = (struct group){
		.id = db_int(rows, 0),
		.bytes = db_limit(rows, 2),
		.rates = {db_int(rows, 3), db_int(rows, 4), db_int(rows, 13),
			db_int(rows, 14)},
		.bytes_up = db_int(rows, 5),
		.bytes_down = db_int(rows, 6),
		.raw_up = db_int(rows, 7),
		.raw_down = db_int(rows, 8),
		.devices = db_int(rows, 9),
		.used_up_at = db_int(rows, 10),
		.voucher_id = db_int(rows, 11),
		.devices_max = db_limit(rows, 12),
		.counts = terms.counts,
	};
	db_text(rows, 1, group->name, sizeof(group->name));
}

int store_group_insert(struct store *store, struct group *group)
{
	int ret = db_run(store->db,
		"INSERT INTO groups (name, bytes, up_kbps, down_kbps,"
		" slow_up_kbps, slow_down_kbps, voucher_id, devices_max,"
		" counts) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?)",
		"tliiiiilt", group->name, group->bytes, group->rates.up,
		group->rates.down, group->rates.slow_up,
		group->rates.slow_down, group->voucher_id, group->devices_max,
		counts_name(group->counts));

	if (!ret)
		group->id = db_last_id(store->db);
	return ret;
}

int store_group_update(struct store *store, const struct group *group)
{
	return db_run(store->db,
		"UPDATE groups SET bytes = ?, up_kbps = ?, down_kbps = ?,"
		" bytes_up = ?, bytes_down = ?, raw_up = ?, raw_down = ?,"
		" used_up_at = nullif(?, 0), updated_at = unixepoch()"
		" WHERE id = ?",
		"liiiiiiii", group->bytes, group->rates.up, group->rates.down,
		group->bytes_up, group->bytes_down, group->raw_up,
		group->raw_down, group->used_up_at, group->id);
}

int store_group_room(struct store *store, int64_t id, int64_t devices_max)
{
	return db_run(store->db,
		"UPDATE groups SET devices_max = ?, updated_at = unixepoch()"
		" WHERE id = ?",
		"ii", devices_max, id);
}

int store_group_lookup(struct store *store, int64_t id, struct group *ret_group)
{
	return db_one(store->db, read_group, ret_group,
		"SELECT " COLUMNS " FROM groups WHERE id = ?", "i", id);
}

int store_group_by_name(
	struct store *store, const char *name, struct group *ret_group)
{
	return db_one(store->db, read_group, ret_group,
		"SELECT " COLUMNS " FROM groups WHERE name = ?", "t", name);
}

int store_group_of_voucher(
	struct store *store, int64_t voucher_id, struct group *ret_group)
{
	return db_one(store->db, read_group, ret_group,
		"SELECT " COLUMNS " FROM groups WHERE voucher_id = ?", "i",
		voucher_id);
}

int store_group_delete(struct store *store, int64_t id)
{
	return db_run(store->db, "DELETE FROM groups WHERE id = ?", "i", id);
}

int store_group_list(
	struct store *store, int64_t after, struct group *rows, int max)
{
	return db_list(store->db, read_group, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM groups WHERE id > ? ORDER BY id"
		" LIMIT ?",
		"ii", after, (int64_t)max);
}

int store_group_count(struct store *store, int64_t *ret_count)
{
	return db_one(store->db, db_read_int, ret_count,
		"SELECT count(*) FROM groups", "");
}

int store_group_devices(
	struct store *store, int64_t id, struct mac *rows, int max)
{
	return db_list(store->db, db_read_mac, rows, sizeof(*rows), max,
		"SELECT mac FROM (SELECT mac, id FROM devices WHERE group_id = ?1"
		" UNION ALL SELECT s.mac, c.id FROM credits c JOIN sessions s"
		" ON s.id = c.session_id WHERE c.group_id = ?1"
		" AND c.state <> 'used') ORDER BY id LIMIT ?2",
		"ii", id, (int64_t)max);
}
