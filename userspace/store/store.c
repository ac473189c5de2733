/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening, transactions, and the tables that belong to no noun: settings,
 * boots, audit. One transaction at a time, opened by the daemon's turn; a
 * savepoint in it isolates one operation.
 */
#include "store/store.h"

#include <string.h>

#include "base/util.h"
#include "store/handle.h"

struct text {
	char *buf;
	size_t len;
};

static void read_text(struct db_rows *rows, void *ret_text)
{
	const struct text *text = ret_text;

	db_text(rows, 0, text->buf, text->len);
}

static int check(struct db *db)
{
	char said[8];
	struct text text = {said, sizeof(said)};
	int ret = db_one(db, read_text, &text, "PRAGMA quick_check(1)", "");

	return ret ? ret : strcmp(said, "ok") ? -EBADMSG : 0;
}

int store_open(const char *path, struct store **ret_store)
{
	struct store *store = xcalloc(1, sizeof(*store));
	int ret;

	ret = db_open(path, &store->db);
	if (!ret)
		ret = check(store->db);
	if (!ret)
		ret = migrate(store->db);
	if (ret) {
		store_close(store);
		return ret;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	spent_log_close(&store->spent);
	db_close(store->db);
	free(store);
}

bool store_is_damaged(const struct store *store)
{
	return db_is_damaged(store->db);
}

int store_begin(struct store *store)
{
	store->begun = db_written(store->db);
	db_forget_failure(store->db);
	return db_script(store->db, "BEGIN IMMEDIATE");
}

int store_failure(const struct store *store)
{
	return db_failure(store->db);
}

bool store_is_written(const struct store *store)
{
	return db_written(store->db) != store->begun;
}

bool store_is_begun(const struct store *store)
{
	return db_in_transaction(store->db);
}

int store_commit_rows(struct store *store)
{
	int ret;

	if (!store_is_begun(store))
		return -ECANCELED;
	ret = spent_log_trim(store);
	if (!ret)
		ret = db_run(store->db, "COMMIT", "");
	return ret;
}

int store_commit(struct store *store)
{
	int ret = store_commit_rows(store);

	if (!ret)
		spent_log_flush(store);
	return ret;
}

void store_rollback(struct store *store)
{
	if (store_is_begun(store))
		db_run(store->db, "ROLLBACK", "");
}

int store_savepoint(struct store *store)
{
	/* Alone it would be a transaction of its own. */
	if (!store_is_begun(store))
		return -ECANCELED;
	return db_run(store->db, "SAVEPOINT operation", "");
}

int store_release(struct store *store)
{
	return db_run(store->db, "RELEASE operation", "");
}

int store_rollback_to(struct store *store)
{
	int ret = db_run(store->db, "ROLLBACK TO operation", "");

	return ret ? ret : store_release(store);
}

int store_setting_get(
	struct store *store, const char *key, char *buf, size_t len)
{
	struct text text = {buf, len};

	return db_one(store->db, read_text, &text,
		"SELECT value FROM settings WHERE key = ?", "t", key);
}

int store_setting_put(struct store *store, const char *key, const char *value)
{
	return db_run(store->db,
		"INSERT INTO settings (key, value) VALUES (?, ?)"
		" ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
		" updated_at = unixepoch()",
		"tt", key, value);
}

int store_setting_remove(struct store *store, const char *key)
{
	return db_run(store->db, "DELETE FROM settings WHERE key = ?", "t", key);
}

/* Deadlines of the old boot onto the clock of the new one. */
static int change_boot(struct store *store, int64_t last_ns, int64_t mono_ns)
{
	int ret = db_run(store->db,
		"UPDATE credits SET deadline_ns ="
		" max(deadline_ns - ?1, 0) + ?2, updated_at = unixepoch()"
		" WHERE deadline_ns IS NOT NULL",
		"ii", last_ns, mono_ns);

	/* Turns are judged anew, by the wall clock as it is now. A clock that
	 * may stand begins with the boot. */
	if (!ret)
		ret = db_run(store->db,
			"UPDATE credits SET turn_ns = ? WHERE turn_ns IS NOT NULL",
			"i", mono_ns);
	if (!ret)
		ret = db_run(store->db,
			"UPDATE credits SET heard_ns = ?, is_idle = 0"
			" WHERE state = 'in_use' AND idle_seconds > 0",
			"i", mono_ns);
	if (!ret)
		ret = db_run(store->db,
			"UPDATE devices SET exempt_deadline_ns ="
			" max(exempt_deadline_ns - ?1, 0) + ?2"
			" WHERE exempt_deadline_ns > 0",
			"ii", last_ns, mono_ns);
	if (!ret)
		ret = db_run(store->db, "DELETE FROM records", "");
	if (!ret)
		ret = db_run(store->db,
			"UPDATE groups SET raw_up = 0, raw_down = 0", "");
	/* A slot is nobody's now; what is in a lock stays its client's. */
	if (!ret)
		ret = db_run(store->db,
			"UPDATE coin_locks SET from_ns = 0, until_ns = 0,"
			" state = CASE state WHEN 'open' THEN 'over'"
			" ELSE state END WHERE until_ns > 0", "");
	return ret;
}

struct boot {
	char id[BOOT_ID_TEXT];
	int64_t last_ns;
};

static void read_boot(struct db_rows *rows, void *ret_row)
{
	struct boot *boot = ret_row;

	db_text(rows, 0, boot->id, sizeof(boot->id));
	boot->last_ns = db_int(rows, 1);
}

int store_boot_enter(struct store *store, const char *boot_id, int64_t mono_ns,
	bool *ret_rebooted)
{
	struct boot last;
	int ret = db_one(store->db, read_boot, &last,
		"SELECT boot_id, last_mono_ns FROM boots"
		" ORDER BY id DESC LIMIT 1",
		"");

	*ret_rebooted = false;
	if (!ret) {
		if (!strcmp(last.id, boot_id))
			return 0;
		*ret_rebooted = true;
		ret = change_boot(store, last.last_ns, mono_ns);
	}
	if (ret && ret != -ENOENT)
		return ret;
	return db_run(store->db,
		"INSERT OR REPLACE INTO boots (boot_id, last_mono_ns)"
		" VALUES (?, ?)", "ti",
		boot_id, mono_ns);
}

int store_take_time(struct store *store, int64_t ns)
{
	return db_run(store->db,
		"UPDATE credits SET deadline_ns = deadline_ns - ?,"
		" updated_at = unixepoch() WHERE deadline_ns IS NOT NULL",
		"i", ns);
}

static int number_above(struct db *db, const char *table, int64_t number)
{
	int ret = db_run(db,
		"UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?",
		"it", number, table);

	if (!ret && db_changes(db) == 0)
		ret = db_run(db,
			"INSERT INTO sqlite_sequence (seq, name) VALUES (?, ?)",
			"it", number, table);
	return ret;
}

int store_numbers_above(struct store *store, int64_t record_id, int64_t session_id)
{
	int ret = number_above(store->db, "records", record_id);

	return ret ? ret : number_above(store->db, "sessions", session_id);
}

int store_record_newest(struct store *store, int64_t *ret_id)
{
	return db_one(store->db, db_read_int, ret_id,
		"SELECT coalesce((SELECT seq FROM sqlite_sequence"
		" WHERE name = 'records'), 0)",
		"");
}

int store_boot_touch(struct store *store, int64_t mono_ns)
{
	return db_run(store->db,
		"UPDATE boots SET last_mono_ns = ?, updated_at = unixepoch()"
		" WHERE id = (SELECT max(id) FROM boots)",
		"i", mono_ns);
}

int store_audit(struct store *store, int64_t at, const char *who,
	const char *operation, const struct mac *mac, int64_t session_id,
	const char *detail)
{
	return db_run(store->db,
		"INSERT INTO audit (at, who, operation, mac, session_id, detail)"
		" VALUES (?1, ?2, ?3, ?4, coalesce(nullif(?5, 0), (SELECT id"
		" FROM sessions WHERE mac = ?4 AND state <> 'ended')), ?6)",
		"ittmit", at, who, operation, mac, session_id,
		detail ? detail : "");
}

static void read_audit(struct db_rows *rows, void *ret_row)
{
	struct audit *audit = ret_row;

	audit->at = db_int(rows, 0);
	db_text(rows, 1, audit->who, sizeof(audit->who));
	db_text(rows, 2, audit->operation, sizeof(audit->operation));
	db_mac(rows, 3, &audit->mac);
	db_text(rows, 4, audit->detail, sizeof(audit->detail));
}

int store_audit_list(struct store *store, int64_t session_id,
	struct audit *rows, int max)
{
	return db_list(store->db, read_audit, rows, sizeof(*rows), max,
		"SELECT at, who, operation, mac, detail FROM audit"
		" WHERE session_id = ? ORDER BY id LIMIT ?",
		"ii", session_id, (int64_t)max);
}

int store_clock_step(struct store *store, int64_t seconds)
{
	/* What says how long, not until when. */
	static const char *const steps[] = {
		"UPDATE tokens SET expires_at = expires_at + ?,"
		" updated_at = unixepoch()",
		"UPDATE operator_sessions SET expires_at = expires_at + ?1,"
		" used_at = used_at + ?1, updated_at = unixepoch()",
		"UPDATE api_tokens SET expires_at = expires_at + ?,"
		" updated_at = unixepoch()",
		"UPDATE credits SET valid_until = valid_until + ?,"
		" updated_at = unixepoch() WHERE state <> 'used'"
		" AND valid_until IS NOT NULL AND member_id IS NULL",
		"UPDATE qr_tokens SET expires_at = expires_at + ?,"
		" updated_at = unixepoch()",
		"UPDATE qr_sessions SET expires_at = expires_at + ?1,"
		" used_at = used_at + ?1, updated_at = unixepoch()",
		"UPDATE operator_addresses SET used_at = used_at + ?,"
		" updated_at = unixepoch()",
	};
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(steps) && !ret; i++)
		ret = db_run(store->db, steps[i], "i", seconds);
	return ret;
}
