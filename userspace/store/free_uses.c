/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free time that was given: once per device and day, which is the table's own
 * rule, too.
 */
#include "base/util.h"
#include "store/handle.h"

int store_free_use_insert(struct store *store, const struct free_use *use)
{
	int ret = db_run(store->db, "DELETE FROM free_uses WHERE at < ?", "i",
		use->at - 2 * SEC_PER_DAY);

	return ret ? ret
		   : db_run(store->db,
			     "INSERT INTO free_uses (mac, day, network,"
			     " is_random, at) VALUES (?, ?, ?, ?, ?)",
			     "mitii", &use->mac, use->day, use->network,
			     (int64_t)use->is_random, use->at);
}

int store_free_use_count(struct store *store, const struct mac *mac,
	int64_t day, int64_t *ret_count)
{
	return db_one(store->db, db_read_int, ret_count,
		"SELECT count(*) FROM free_uses WHERE mac = ? AND day = ?",
		"mi", mac, day);
}

int store_free_random_count(struct store *store, const char *network,
	int64_t since, int64_t *ret_count)
{
	return db_one(store->db, db_read_int, ret_count,
		"SELECT count(*) FROM free_uses WHERE at > ? AND network = ?"
		" AND is_random",
		"it", since, network);
}
