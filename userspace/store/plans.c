/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans: what is sold. A plan that was sold is never changed or deleted, only
 * removed from what is on sale; credits copy what they need from it.
 */
#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                             \
	"id, " PLAN_NAME("name") ", seconds, bytes, up_kbps, down_kbps, price_minor,"        \
	" currency, moves, token_days, is_active, slow_up_kbps,"            \
	" slow_down_kbps, networks, devices, coin"

static void read_plan(struct db_rows *rows, void *ret_row)
{
	struct plan *plan = ret_row;

	*plan = (struct plan){
		.id = db_int(rows, 0),
		.seconds = db_limit(rows, 2),
		.bytes = db_limit(rows, 3),
		.rates = {db_int(rows, 4), db_int(rows, 5), db_int(rows, 11),
			db_int(rows, 12)},
		.price_minor = db_int(rows, 6),
		.moves = db_limit(rows, 8),
		.token_days = db_limit(rows, 9),
		.is_active = db_int(rows, 10),
		.devices = db_int(rows, 14),
		.coin = db_int(rows, 15),
	};
	db_text(rows, 1, plan->name, sizeof(plan->name));
	db_text(rows, 7, plan->currency, sizeof(plan->currency));
	db_text(rows, 13, plan->networks, sizeof(plan->networks));
}

int store_plan_insert(
	struct store *store, const struct plan *plan, int64_t *ret_id)
{
	int ret = db_run(store->db,
		"INSERT INTO plans (name, seconds, bytes, up_kbps, down_kbps,"
		" price_minor, currency, moves, token_days, is_active,"
		" slow_up_kbps, slow_down_kbps, networks, devices, coin)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"tlliiitlliiitii", plan->name, plan->seconds, plan->bytes,
		plan->rates.up, plan->rates.down, plan->price_minor,
		plan->currency, plan->moves, plan->token_days,
		(int64_t)plan->is_active, plan->rates.slow_up,
		plan->rates.slow_down, plan->networks, MAX(plan->devices, 1),
		(int64_t)plan->coin);

	if (!ret && ret_id)
		*ret_id = db_last_id(store->db);
	return ret;
}

int store_plan_lookup(struct store *store, int64_t id, struct plan *ret_plan)
{
	return db_one(store->db, read_plan, ret_plan,
		"SELECT " COLUMNS " FROM plans WHERE id = ?", "i", id);
}

int store_plan_by_name(
	struct store *store, const char *name, struct plan *ret_plan)
{
	return db_one(store->db, read_plan, ret_plan,
		"SELECT " COLUMNS " FROM plans WHERE name = ?1 COLLATE NOCASE"
		" ORDER BY name = ?1 DESC LIMIT 1",
		"t", name);
}

int store_plan_remove(struct store *store, int64_t id)
{
	int ret = db_run(store->db,
		"UPDATE plans SET is_active = 0, name = name || char(10) || id,"
		" updated_at = unixepoch() WHERE id = ? AND is_active",
		"i", id);

	if (!ret && db_changes(store->db) != 1)
		ret = -ENOENT;
	return ret;
}

int store_plan_list(struct store *store, bool all, int64_t after,
	struct plan *rows, int max)
{
	return db_list(store->db, read_plan, rows, sizeof(*rows), max,
		"SELECT " COLUMNS " FROM plans WHERE id > ? AND (is_active OR ?)"
		" ORDER BY id LIMIT ?",
		"iii", after, (int64_t)all, (int64_t)max);
}
