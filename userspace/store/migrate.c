/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migrations: the numbered files of schema/, forward only, each in one
 * transaction with the row that says it is done. A file that was released is
 * never changed again. A database from a newer build is left alone.
 */
#include "base/embed.h"
#include "base/util.h"
#include "store/handle.h"

static int version_of(const struct embed *file)
{
	return (int)strtol(file->name, NULL, 10);
}

static int current_version(struct db *db, int64_t *ret_version)
{
	int ret;

	ret = db_script(db,
		"CREATE TABLE IF NOT EXISTS schema_version ("
		"version INTEGER PRIMARY KEY,"
		"applied_at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT");
	if (ret)
		return ret;
	return db_one(db, db_read_int, ret_version,
		"SELECT coalesce(max(version), 0) FROM schema_version", "");
}

static int apply(struct db *db, const struct embed *file)
{
	int ret = db_script(db, "BEGIN IMMEDIATE");

	if (ret)
		return ret;
	ret = db_script(db, file->data);
	if (!ret)
		ret = db_run(db,
			"INSERT INTO schema_version (version) VALUES (?)", "i",
			(int64_t)version_of(file));
	if (!ret)
		ret = db_script(db, "COMMIT");
	if (ret)
		db_script(db, "ROLLBACK");
	return ret;
}

int migrate(struct db *db)
{
	const struct embed *file;
	int64_t version = 0;
	int ret, newest = 0;

	ret = current_version(db, &version);
	for (file = embed_schema; !ret && file->name; file++) {
		newest = version_of(file);
		if (newest > version)
			ret = apply(db, file);
	}
	if (!ret && version > newest)
		return -EPROTO;
	/* A damaged log costs what is in it: the tables at least are not. A disk
	 * that is full has them there all the same. */
	if (!ret && newest > version)
		db_script(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	return ret;
}
