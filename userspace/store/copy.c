/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying with SQLite's backup, then proving the copy: what is only believed to
 * be a backup is none.
 */
#include "store/copy.h"

#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/spent.h"

#define TABLES_MAX 128

struct table {
	char name[64];
};

static void read_name(struct db_rows *rows, void *ret_row)
{
	struct table *table = ret_row;

	db_text(rows, 0, table->name, sizeof(table->name));
}

static int check_whole(struct db *db)
{
	struct table said;
	int ret = db_one(db, read_name, &said, "PRAGMA integrity_check(1)", "");

	return ret ? ret : strcmp(said.name, "ok") ? -EBADMSG : 0;
}

static int compare(struct db *from, struct db *to, struct store_copied *copied)
{
	struct table tables[TABLES_MAX];
	int n = db_list(from, read_name, tables, sizeof(tables[0]), TABLES_MAX,
		"SELECT name FROM sqlite_schema WHERE type = 'table'"
		" AND name NOT LIKE 'sqlite!_stat%' ESCAPE '!' ORDER BY name",
		"");
	int i, ret = MIN(n, 0);

	for (i = 0; !ret && i < n; i++) {
		_cleanup_free_ char *sql =
			xasprintf("SELECT * FROM \"%s\"", tables[i].name);

		ret = db_compare(from, to, sql, &copied->rows);
	}
	copied->tables = n;
	return ret;
}

/* It is one file from now on, and says what it is. */
static int finish(struct db *copy, int64_t at)
{
	struct store store = {.db = copy};
	char value[24], boot_id[BOOT_ID_TEXT];
	int ret = clock_boot_id(boot_id);

	if (ret)
		return ret;
	snprintf(value, sizeof(value), "%lld", (long long)at);
	ret = store_begin(&store);
	if (!ret)
		ret = store_setting_put(&store, STORE_COPIED_AT, value);
	/* Nobody's time of before it comes back after a reboot. */
	if (!ret)
		ret = db_run(copy,
			"UPDATE boots SET last_mono_ns = ? WHERE boot_id = ?",
			"it", clock_mono_ns(), boot_id);
	if (!ret)
		ret = store_commit(&store);
	if (!ret)
		ret = db_script(copy, "PRAGMA journal_mode = DELETE");
	return ret;
}

static int sync_file(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int make(struct db *from, struct db *to, int64_t at,
	struct store_copied *copied)
{
	struct store store = {.db = from};
	int ret = db_script(from, "BEGIN");

	/* Reading fixes the moment. */
	if (!ret)
		ret = store_spent_known(&store, &copied->spent);
	if (!ret)
		ret = db_copy(from, to);
	if (!ret)
		ret = check_whole(to);
	if (!ret)
		ret = compare(from, to, copied);
	if (!ret)
		ret = finish(to, at);
	return ret;
}

int store_copy(const char *from, const char *to, int64_t at,
	struct store_copied *ret_copied)
{
	struct store_copied copied = {0};
	struct db *source = NULL, *copy = NULL;
	int ret = access(from, F_OK) ? -errno : 0;

	if (!ret && access(to, F_OK) == 0)
		return -EEXIST;
	if (!ret)
		ret = db_open(from, &source);
	if (!ret)
		ret = db_open(to, &copy);
	if (!ret)
		ret = make(source, copy, at, &copied);
	/* A database whose log is damaged is then not older than the copy. */
	if (!ret)
		ret = db_script(source, "COMMIT");
	if (!ret)
		/* Most of it keeps no writer waiting. */
		ret = db_script(source, "PRAGMA wal_checkpoint;"
					"PRAGMA wal_checkpoint(TRUNCATE)");
	db_close(copy);
	db_close(source);
	if (!ret)
		ret = sync_file(to);
	if (ret)
		unlink(to);
	else
		*ret_copied = copied;
	return ret;
}

int store_check(const char *path)
{
	struct db *db = NULL;
	int ret = access(path, F_OK) ? -errno : db_open(path, &db);

	if (!ret)
		ret = check_whole(db);
	db_close(db);
	return ret;
}
