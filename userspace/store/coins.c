/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins: the journal of pulses, and the locks that they belong to. Which lock
 * a pulse belongs to is for rules/coin.c to say; here it is only kept that one
 * belongs to one, once.
 */
#include "store/coins.h"

#include <string.h>

#include "base/util.h"
#include "store/handle.h"

#define LOCK_COLUMNS                                                      \
	"id, key, slot, mac, state, from_ns, until_ns, coins,"            \
	" credited_minor, spent_minor, currency, session_id, created_at,"   \
	" coin_ns"

static const char *const state_names[] = {
	[COIN_LOCK_OPEN] = "open",
	[COIN_LOCK_DONE] = "done",
	[COIN_LOCK_TAKEN] = "taken",
	[COIN_LOCK_OVER] = "over",
	[COIN_LOCK_UNCLAIMED] = "unclaimed",
};

const char *coin_lock_state_name(enum coin_lock_state state)
{
	return state_names[state];
}

static void read_lock(struct db_rows *rows, void *ret_row)
{
	struct coin_lock *lock = ret_row;

	memset(lock, 0, sizeof(*lock));
	lock->id = db_int(rows, 0);
	db_text(rows, 1, lock->key, sizeof(lock->key));
	db_text(rows, 2, lock->slot, sizeof(lock->slot));
	db_mac(rows, 3, &lock->mac);
	lock->state = DB_NAME(rows, 4, state_names, COIN_LOCK_OVER);
	lock->from_ns = db_int(rows, 5);
	lock->until_ns = db_int(rows, 6);
	lock->coins = db_int(rows, 7);
	lock->credited_minor = db_int(rows, 8);
	lock->spent_minor = db_int(rows, 9);
	db_text(rows, 10, lock->currency, sizeof(lock->currency));
	lock->session_id = db_int(rows, 11);
	lock->created_at = db_int(rows, 12);
	lock->coin_ns = db_int(rows, 13);
}

static void read_pulse(struct db_rows *rows, void *ret_row)
{
	struct coin_pulse *pulse = ret_row;

	memset(pulse, 0, sizeof(*pulse));
	pulse->id = db_int(rows, 0);
	db_text(rows, 1, pulse->slot, sizeof(pulse->slot));
	pulse->at = db_int(rows, 2);
	pulse->at_ns = db_int(rows, 3);
	pulse->amount_minor = db_int(rows, 4);
	db_text(rows, 5, pulse->currency, sizeof(pulse->currency));
}

int store_coin_pulse_insert(struct store *store, struct coin_pulse *pulse)
{
	int ret = db_run(store->db,
		"INSERT INTO coin_pulses (slot, seq, at, at_ns, amount_minor,"
		" currency) VALUES (?, ?, ?, ?, ?, ?)",
		"tliiit", pulse->slot, pulse->seq, pulse->at, pulse->at_ns,
		pulse->amount_minor, pulse->currency);

	if (!ret)
		pulse->id = db_last_id(store->db);
	return ret;
}

int store_coin_pulse_new(struct store *store, struct coin_pulse *rows, int max)
{
	return db_list(store->db, read_pulse, rows, sizeof(*rows), max,
		"SELECT id, slot, at, at_ns, amount_minor, currency"
		" FROM coin_pulses WHERE lock_id IS NULL ORDER BY id LIMIT ?",
		"i", (int64_t)max);
}

int store_coin_pulse_credit(struct store *store, const struct coin_pulse *pulse,
	int64_t lock_id, bool is_coin)
{
	int ret = db_run(store->db,
		"UPDATE coin_pulses SET lock_id = ?, updated_at = unixepoch()"
		" WHERE id = ? AND lock_id IS NULL",
		"ii", lock_id, pulse->id);

	if (!ret && db_changes(store->db) != 1)
		return -ENOENT;
	if (!ret)
		ret = db_run(store->db,
			"UPDATE coin_locks SET coins = coins + ?,"
			" coin_ns = max(coin_ns, ?),"
			" credited_minor = credited_minor + ?,"
			" updated_at = unixepoch() WHERE id = ?",
			"iiii", (int64_t)is_coin, pulse->at_ns,
			pulse->amount_minor, lock_id);
	return ret;
}

int store_coin_pulse_last_seq(
	struct store *store, const char *slot, int64_t *ret_seq)
{
	return db_one(store->db, db_read_int, ret_seq,
		"SELECT seq FROM coin_pulses WHERE slot = ? AND seq IS NOT NULL"
		" ORDER BY id DESC LIMIT 1",
		"t", slot);
}

int store_coin_lock_insert(struct store *store, struct coin_lock *lock)
{
	bool is_ours = lock->state != COIN_LOCK_UNCLAIMED;
	int ret = db_run(store->db,
		"INSERT INTO coin_locks (key, slot, mac, state, from_ns,"
		" until_ns, credited_minor, currency)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"ttmtiiit", lock->key, lock->slot, is_ours ? &lock->mac : NULL,
		state_names[lock->state], lock->from_ns, lock->until_ns,
		lock->credited_minor, lock->currency);

	if (!ret)
		lock->id = db_last_id(store->db);
	return ret;
}

int store_coin_lock_update(struct store *store, const struct coin_lock *lock)
{
	bool is_ours = lock->state != COIN_LOCK_UNCLAIMED;

	return db_run(store->db,
		"UPDATE coin_locks SET mac = ?, state = ?, from_ns = ?,"
		" until_ns = ?, credited_minor = ?, spent_minor = ?,"
		" session_id = nullif(?, 0), updated_at = unixepoch()"
		" WHERE id = ?",
		"mtiiiiii", is_ours ? &lock->mac : NULL,
		state_names[lock->state], lock->from_ns, lock->until_ns,
		lock->credited_minor, lock->spent_minor, lock->session_id,
		lock->id);
}

int store_coin_lock_lookup(
	struct store *store, int64_t id, struct coin_lock *ret_lock)
{
	return db_one(store->db, read_lock, ret_lock,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE id = ?", "i", id);
}

int store_coin_lock_by_key(
	struct store *store, const char *key, struct coin_lock *ret_lock)
{
	return db_one(store->db, read_lock, ret_lock,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE key = ?", "t",
		key);
}

int store_coin_lock_of_slot(struct store *store, const char *slot,
	struct coin_lock *rows, int max)
{
	return db_list(store->db, read_lock, rows, sizeof(*rows), max,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE slot = ?"
		" AND state <> 'unclaimed' ORDER BY id DESC LIMIT ?",
		"ti", slot, (int64_t)max);
}

int store_coin_lock_unclaimed(
	struct store *store, const char *slot, struct coin_lock *ret_lock)
{
	return db_one(store->db, read_lock, ret_lock,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE slot = ?"
		" AND state = 'unclaimed' ORDER BY id DESC LIMIT 1",
		"t", slot);
}

int store_coin_lock_of_mac(
	struct store *store, const struct mac *mac, struct coin_lock *ret_lock)
{
	return db_one(store->db, read_lock, ret_lock,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE mac = ?"
		" ORDER BY id DESC LIMIT 1",
		"m", mac);
}

int store_coin_lock_open(struct store *store, struct coin_lock *rows, int max)
{
	return db_list(store->db, read_lock, rows, sizeof(*rows), max,
		"SELECT " LOCK_COLUMNS " FROM coin_locks WHERE state = 'open'"
		" ORDER BY until_ns LIMIT ?",
		"i", (int64_t)max);
}

int store_coin_lock_rests(struct store *store, const struct mac *mac,
	int64_t before, struct coin_lock *rows, int max)
{
	return db_list(store->db, read_lock, rows, sizeof(*rows), max,
		"SELECT " LOCK_COLUMNS " FROM coin_locks"
		" WHERE credited_minor > spent_minor AND id < ?1"
		" AND (?2 IS NULL OR mac = ?2) ORDER BY id DESC LIMIT ?3",
		"imi", before, mac, (int64_t)max);
}

int store_coin_sums(struct store *store, struct coin_sums *ret_sums)
{
	int ret = db_one(store->db, db_read_int, &ret_sums->pulses_minor,
		"SELECT coalesce(sum(amount_minor), 0) FROM coin_pulses", "");

	if (!ret)
		ret = db_one(store->db, db_read_int, &ret_sums->paid_minor,
			"SELECT coalesce(sum(amount_minor), 0) FROM payments"
			" WHERE method = 'coin'", "");
	if (!ret)
		ret = db_one(store->db, db_read_int, &ret_sums->rest_minor,
			"SELECT coalesce(sum(credited_minor - spent_minor), 0)"
			" FROM coin_locks WHERE credited_minor > spent_minor",
			"");
	return ret;
}
