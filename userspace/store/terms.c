/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acceptances of the terms of use: one row per device and version, which nothing
 * changes afterwards.
 */
#include "store/terms.h"

#include <string.h>

#include "store/handle.h"

#define COLUMNS "SELECT id, mac, version, network, accepted_at FROM terms_acceptances"

static void read_row(struct db_rows *rows, void *ret_row)
{
	struct acceptance *a = ret_row;

	memset(a, 0, sizeof(*a));
	a->id = db_int(rows, 0);
	db_mac(rows, 1, &a->mac);
	db_text(rows, 2, a->version, sizeof(a->version));
	db_text(rows, 3, a->network, sizeof(a->network));
	a->at = db_int(rows, 4);
}

int store_terms_accept(struct store *store, const struct acceptance *acceptance)
{
	return db_run(store->db,
		"INSERT OR IGNORE INTO terms_acceptances (mac, version, network,"
		" accepted_at) VALUES (?, ?, ?, ?)",
		"mtti", &acceptance->mac, acceptance->version,
		acceptance->network, acceptance->at);
}

int store_terms_accepted(struct store *store, const struct mac *mac,
	const char *version, bool *ret_accepted)
{
	int64_t count = 0;
	int ret = db_one(store->db, db_read_int, &count,
		"SELECT count(*) FROM terms_acceptances WHERE mac = ?"
		" AND version = ?",
		"mt", mac, version);

	if (!ret)
		*ret_accepted = count > 0;
	return ret;
}

int store_terms_list(struct store *store, const struct mac *mac, int64_t before,
	struct acceptance *rows, int max)
{
	if (mac)
		return db_list(store->db, read_row, rows, sizeof(*rows), max,
			COLUMNS " WHERE mac = ? AND id < ? ORDER BY id DESC"
				" LIMIT ?",
			"mii", mac, before, (int64_t)max);
	return db_list(store->db, read_row, rows, sizeof(*rows), max,
		COLUMNS " WHERE id < ? ORDER BY id DESC LIMIT ?", "ii", before,
		(int64_t)max);
}
