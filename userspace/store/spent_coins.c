/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins of spent.log, replayed into a database that is older: each pulse once,
 * into its lock, and what was bought out of it again. What was carried from one
 * lock of a client to the next is in no line, so a payment that is more than
 * its lock has takes from the client's others.
 */
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "store/coins.h"
#include "store/handle.h"
#include "store/spent_line.h"

/* Under its old number. Its secret is in no line: its client has the MAC. */
static int make_lock(struct store *store, const json_t *line)
{
	return db_run(store->db,
		"INSERT OR IGNORE INTO coin_locks (id, key, slot, mac, state,"
		" from_ns, until_ns, currency) VALUES (?1,"
		" lower(hex(randomblob(16))), ?2, ?3,"
		" CASE WHEN ?3 IS NULL THEN 'unclaimed' ELSE 'over' END, 0, 0, ?4)",
		"ittt", spent_number(line, "lock"), spent_word(line, "slot"),
		spent_word(line, "mac"), spent_word(line, "currency"));
}

int spent_coin_apply(struct store *store, const json_t *line)
{
	const json_t *seq = json_object_get(line, "seq");
	const struct coin_pulse pulse = {
		.id = spent_number(line, "pulse"),
		.amount_minor = spent_number(line, "amount"),
	};
	int ret = make_lock(store, line);

	/* It may be journalled in the backup, or even credited. */
	if (!ret)
		ret = db_run(store->db,
			"INSERT OR IGNORE INTO coin_pulses (id, slot, seq, at,"
			" at_ns, amount_minor, currency)"
			" VALUES (?, ?, ?, ?, 0, ?, ?)",
			"itliit", pulse.id, spent_word(line, "slot"),
			json_is_integer(seq) ? json_integer_value(seq) : UNLIMITED,
			spent_number(line, "at"), pulse.amount_minor,
			spent_word(line, "currency"));
	if (!ret)
		ret = store_coin_pulse_credit(
			store, &pulse, spent_number(line, "lock"), true);
	return ret == -ENOENT ? 0 : ret;
}

static int take(struct store *store, struct coin_lock *lock, int64_t *left)
{
	int64_t part = MIN(lock->credited_minor - lock->spent_minor, *left);

	lock->spent_minor += part;
	*left -= part;
	return part ? store_coin_lock_update(store, lock) : 0;
}

int spent_coin_pay(struct store *store, const json_t *line, struct mac *ret_mac)
{
	const char *reference = spent_word(line, "reference");
	int64_t left = spent_number(line, "amount");
	struct coin_lock lock, others[8];
	int ret = reference ? store_coin_lock_lookup(store,
				      strtoll(reference, NULL, 10), &lock)
			    : -ENOENT;
	int n, i;

	if (ret)
		return ret;
	*ret_mac = lock.mac;
	ret = take(store, &lock, &left);
	do {
		n = ret || !left || lock.state == COIN_LOCK_UNCLAIMED
			    ? 0
			    : store_coin_lock_rests(store, &lock.mac, UNLIMITED,
				      others, ARRAY_SIZE(others));
		for (i = 0; !ret && i < n; i++)
			ret = take(store, &others[i], &left);
	} while (!ret && n == ARRAY_SIZE(others) && left);
	if (n < 0)
		return n;
	return !ret && lock.state == COIN_LOCK_UNCLAIMED ? -ENOENT : ret;
}
