/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans: what is sold. A plan that was sold is never deleted, only removed from
 * what is on sale; credits copy what they need from it, so that a plan that is
 * changed changes none of them before it is applied.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define COLUMNS                                                             \
	"id, " PLAN_NAME("name") ", seconds, bytes, up_kbps, down_kbps, price_minor,"        \
	" currency, moves, token_days, is_active, slow_up_kbps,"            \
	" slow_down_kbps, networks, devices, coin, counts, hours,"          \
	" idle_seconds, valid_days"

static const char *const counts_names[] = {
	[COUNTS_BOTH] = "both",
	[COUNTS_UP] = "up",
	[COUNTS_DOWN] = "down",
};

const char *counts_name(enum counts counts)
{
	return counts_names[counts];
}

int counts_parse(const char *name, enum counts *ret_counts)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts_names); i++)
		if (!strcmp(counts_names[i], name)) {
			*ret_counts = (enum counts)i;
			return 0;
		}
	return -EINVAL;
}

void read_terms(struct db_rows *rows, int column, struct terms *ret_terms)
{
	ret_terms->counts = DB_NAME(rows, column, counts_names, COUNTS_BOTH);
	db_text(rows, column + 1, ret_terms->hours, sizeof(ret_terms->hours));
	ret_terms->idle_sec = db_int(rows, column + 2);
	ret_terms->valid_days = db_int(rows, column + 3);
}

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
	read_terms(rows, 16, &plan->terms);
}

int store_plan_insert(
	struct store *store, const struct plan *plan, int64_t *ret_id)
{
	int ret = db_run(store->db,
		"INSERT INTO plans (name, seconds, bytes, up_kbps, down_kbps,"
		" price_minor, currency, moves, token_days, is_active,"
		" slow_up_kbps, slow_down_kbps, networks, devices, coin, counts,"
		" hours, idle_seconds, valid_days) VALUES (?, ?, ?, ?, ?, ?, ?,"
		" ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
		"tlliiitlliiitiittii", plan->name, plan->seconds, plan->bytes,
		plan->rates.up, plan->rates.down, plan->price_minor,
		plan->currency, plan->moves, plan->token_days,
		(int64_t)plan->is_active, plan->rates.slow_up,
		plan->rates.slow_down, plan->networks, MAX(plan->devices, 1),
		(int64_t)plan->coin, counts_names[plan->terms.counts], plan->terms.hours,
		plan->terms.idle_sec, plan->terms.valid_days);

	if (!ret && ret_id)
		*ret_id = db_last_id(store->db);
	return ret;
}

int store_plan_update(struct store *store, const struct plan *plan)
{
	return db_run(store->db,
		"UPDATE plans SET seconds = ?, bytes = ?, up_kbps = ?,"
		" down_kbps = ?, price_minor = ?, currency = ?, moves = ?,"
		" token_days = ?, slow_up_kbps = ?, slow_down_kbps = ?,"
		" networks = ?, devices = ?, coin = ?, counts = ?, hours = ?,"
		" idle_seconds = ?, valid_days = nullif(?, 0),"
		" updated_at = unixepoch() WHERE id = ?",
		"lliiitlliitiittiii", plan->seconds, plan->bytes,
		plan->rates.up, plan->rates.down, plan->price_minor,
		plan->currency, plan->moves, plan->token_days,
		plan->rates.slow_up, plan->rates.slow_down, plan->networks,
		plan->devices, (int64_t)plan->coin,
		counts_names[plan->terms.counts], plan->terms.hours,
		plan->terms.idle_sec, plan->terms.valid_days, plan->id);
}

#define OF_PLAN "plan_id = ? AND state <> 'used' AND id > ? AND id <= ?"

static int apply(struct store *store, const struct plan *plan, int64_t after,
	int64_t last)
{
	int ret = db_run(store->db,
		"UPDATE credits SET up_kbps = ?, down_kbps = ?,"
		" slow_up_kbps = ?, slow_down_kbps = ?, networks = ?,"
		" hours = ?, idle_seconds = ?, updated_at = unixepoch()"
		" WHERE " OF_PLAN,
		"iiiittiiii", plan->rates.up, plan->rates.down,
		plan->rates.slow_up, plan->rates.slow_down, plan->networks,
		plan->terms.hours, plan->terms.idle_sec, plan->id, after, last);

	/* By a voucher for several, or since one was put beside another. */
	return ret ? ret : db_run(store->db,
		"UPDATE groups SET up_kbps = ?, down_kbps = ?,"
		" slow_up_kbps = ?, slow_down_kbps = ?,"
		" updated_at = unixepoch() WHERE id IN (SELECT group_id"
		" FROM credits WHERE " OF_PLAN " AND group_id IS NOT NULL)",
		"iiiiiii", plan->rates.up, plan->rates.down, plan->rates.slow_up,
		plan->rates.slow_down, plan->id, after, last);
}

static int tell(struct db_rows *rows, plan_apply_fn *fn, void *data)
{
	struct mac mac;

	db_mac(rows, 1, &mac);
	return fn(data, db_is_null(rows, 1) ? NULL : &mac, db_int(rows, 2) != 0,
		db_int(rows, 3));
}

int store_plan_apply(struct store *store, const struct plan *plan,
	int64_t *after, int max, plan_apply_fn *fn, void *data)
{
	struct db_rows *rows;
	int64_t last = *after;
	int count = 0;
	int ret = db_query(store->db, &rows,
		"SELECT c.id, CASE WHEN s.state <> 'ended' THEN s.mac END,"
		" NOT EXISTS (SELECT 1 FROM credits d"
		" WHERE d.session_id = c.session_id AND +d.plan_id = c.plan_id"
		" AND d.state <> 'used' AND d.id < c.id), c.group_id"
		" FROM credits c JOIN sessions s ON s.id = c.session_id"
		" WHERE c.plan_id = ? AND c.state <> 'used' AND c.id > ?"
		" ORDER BY c.id LIMIT ?",
		"iii", plan->id, last, (int64_t)max);

	while (!ret && (ret = db_next(rows)) == 1) {
		last = db_int(rows, 0);
		count++;
		ret = tell(rows, fn, data);
		if (ret)
			db_done(rows);
	}
	if (!ret)
		ret = apply(store, plan, *after, last);
	*after = last;
	return ret ? ret : count == max;
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
