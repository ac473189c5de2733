/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address log (N15): a row for each time that a device had an address,
 * from its first use to its last. The newest row of an address is its owner's
 * and grows with each use; another device, or the same one after a while,
 * begins another row. Rows are never joined or cut afterwards.
 */
#include <string.h>

#include "base/ip.h"
#include "base/mac.h"
#include "base/util.h"
#include "store/handle.h"
#include "store/keeping.h"

#define COLUMNS "id, mac, network, ip, from_at, to_at"

static void read_row(struct db_rows *rows, void *ret_row)
{
	struct address_use *use = ret_row;
	char ip[IP_TEXT];

	memset(use, 0, sizeof(*use));
	use->id = db_int(rows, 0);
	db_mac(rows, 1, &use->mac);
	db_text(rows, 2, use->network, sizeof(use->network));
	db_text(rows, 3, ip, sizeof(ip));
	if (ip_parse(ip, &use->ip))
		use->ip = (struct ipaddr){0};
	use->from_at = db_int(rows, 4);
	use->to_at = db_int(rows, 5);
}

/* A link-local address may be on every network. */
static int newest(struct store *store, const struct address_use *use,
	const char *ip, struct address_use *ret_last)
{
	return db_one(store->db, read_row, ret_last,
		"SELECT " COLUMNS " FROM address_log WHERE ip = ?1"
		" AND (network = ?2 OR ip NOT LIKE 'fe80:%')"
		" ORDER BY id DESC LIMIT 1",
		"tt", ip, use->network);
}

int store_address_note(struct store *store, const struct address_use *use,
	int64_t gap_sec, int64_t grow_sec)
{
	struct address_use last;
	char ip[IP_TEXT];
	int ret;

	ip_format(&use->ip, ip);
	ret = newest(store, use, ip, &last);
	if (ret && ret != -ENOENT)
		return ret;
	if (ret || !mac_equal(&last.mac, &use->mac) ||
		strcmp(last.network, use->network) != 0 ||
		use->from_at > last.to_at + gap_sec)
		return db_run(store->db,
			"INSERT INTO address_log (mac, network, ip, from_at,"
			" to_at) VALUES (?, ?, ?, ?, ?)",
			"mttii", &use->mac, use->network, ip, use->from_at,
			use->to_at);
	if (use->to_at < last.to_at + MAX(grow_sec, 1))
		return 0;
	return db_run(store->db,
		"UPDATE address_log SET to_at = ?, updated_at = unixepoch()"
		" WHERE id = ?",
		"ii", use->to_at, last.id);
}

int store_address_last(struct store *store, int64_t *ret_to_at)
{
	return db_one(store->db, db_read_int, ret_to_at,
		"SELECT to_at FROM address_log ORDER BY to_at DESC LIMIT 1", "");
}

int store_address_list(struct store *store, const struct address_filter *filter,
	int64_t before, struct address_use *rows, int max)
{
	char ip[IP_TEXT] = "";

	if (filter->mac)
		return db_list(store->db, read_row, rows, sizeof(*rows), max,
			"SELECT " COLUMNS " FROM address_log WHERE mac = ?1"
			" AND id < ?2 AND from_at <= ?4 AND to_at >= ?3"
			" ORDER BY id DESC LIMIT ?5",
			"miiii", filter->mac, before, filter->from,
			filter->until, (int64_t)max);
	if (filter->ip)
		return db_list(store->db, read_row, rows, sizeof(*rows), max,
			"SELECT " COLUMNS " FROM address_log WHERE ip = ?1"
			" AND id < ?2 AND from_at <= ?4 AND to_at >= ?3"
			" ORDER BY id DESC LIMIT ?5",
			"tiiii", ip_format(filter->ip, ip), before,
			filter->from, filter->until, (int64_t)max);
	return db_list(store->db, read_row, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM address_log WHERE id < ?1"
		" AND from_at <= ?3 AND to_at >= ?2"
		" ORDER BY id DESC LIMIT ?4",
		"iiii", before, filter->from, filter->until, (int64_t)max);
}
