/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SQLite driver: the only file that sees sqlite3.h. It turns its codes
 * into errno and keeps prepared statements. Durability is set here: WAL with
 * a sync at every commit.
 */
#include "store/db.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>

#include "base/mac.h"
#include "base/util.h"

#define STATEMENTS_MAX 512
#define BUSY_MS 200
#define NAME_BYTES 16 /* of the longest name in a table, and more */

struct db_rows {
	const char *sql; /* identity: address of the literal */
	sqlite3_stmt *stmt;
	struct db *db;
	bool running;
};

struct db {
	sqlite3 *sqlite;
	bool is_damaged;
	int failure;
	int count;
	struct db_rows statements[STATEMENTS_MAX];
};

static int to_errno(sqlite3 *sqlite, int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CONSTRAINT:
		code = sqlite3_extended_errcode(sqlite);
		return code == SQLITE_CONSTRAINT_UNIQUE ||
				       code == SQLITE_CONSTRAINT_PRIMARYKEY
			       ? -EEXIST
			       : -EINVAL;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* busy for longer than it tries */
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* What was asked for wrongly, or in a transaction that is gone, is no cause. */
static int noted(struct db *db, int code)
{
	int ret = to_errno(db->sqlite, code), kind = code & 0xff;

	if (ret && kind != SQLITE_ERROR && kind != SQLITE_CONSTRAINT)
		db->failure = ret;
	return ret;
}

/*
 * A turn's transaction, with a savepoint for each operation, must fit the
 * cache (KiB, as negative numbers) or it is written twice, and savepoints must
 * not be files: 55 writes a redemption became 20. A checkpoint (in pages) costs
 * as much as a hundred commits, so it waits for as many.
 */
static const char setup[] = "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA temp_store = MEMORY;"
			    "PRAGMA cache_size = -12288;"
			    "PRAGMA wal_autocheckpoint = 4096;"
			    "PRAGMA foreign_keys = ON;"
			    "PRAGMA trusted_schema = OFF;";

int db_open(const char *path, struct db **ret_db)
{
	struct db *db = xcalloc(1, sizeof(*db));
	int ret;

	/* One thread, and nobody asks how much memory: no locks, no counts.
	 * Refused, and of no use, for a second database. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	ret = sqlite3_open_v2(path, &db->sqlite,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			SQLITE_OPEN_NOMUTEX,
		NULL);
	ret = to_errno(db->sqlite, ret);
	/* SQLite makes do with that; here it is of no use. */
	if (!ret && sqlite3_db_readonly(db->sqlite, "main"))
		ret = -EROFS;
	if (!ret) {
		sqlite3_busy_timeout(db->sqlite, BUSY_MS);
		ret = db_script(db, setup);
	}
	if (ret) {
		db_close(db);
		return ret;
	}
	*ret_db = db;
	return 0;
}

void db_close(struct db *db)
{
	int i;

	if (!db)
		return;
	for (i = 0; i < db->count; i++)
		sqlite3_finalize(db->statements[i].stmt);
	sqlite3_close(db->sqlite);
	free(db);
}

int db_script(struct db *db, const char *sql)
{
	return noted(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

int db_failure(const struct db *db)
{
	return db->failure;
}

void db_forget_failure(struct db *db)
{
	db->failure = 0;
}

bool db_is_damaged(const struct db *db)
{
	return db->is_damaged;
}

bool db_in_transaction(struct db *db)
{
	return !sqlite3_get_autocommit(db->sqlite);
}

int64_t db_written(struct db *db)
{
	return sqlite3_total_changes64(db->sqlite);
}

static int statement(struct db *db, const char *sql, struct db_rows **ret_rows)
{
	struct db_rows *rows;
	int i, ret;

	for (i = 0; i < db->count; i++)
		if (db->statements[i].sql == sql)
			break;
	if (i == STATEMENTS_MAX)
		return -E2BIG;
	rows = &db->statements[i];
	if (i == db->count) {
		ret = sqlite3_prepare_v3(db->sqlite, sql, -1,
			SQLITE_PREPARE_PERSISTENT, &rows->stmt, NULL);
		if (ret)
			return to_errno(db->sqlite, ret);
		rows->sql = sql;
		rows->db = db;
		db->count++;
	}
	if (rows->running)
		return -EBUSY;
	*ret_rows = rows;
	return 0;
}

static void bind(struct db_rows *rows, const char *fmt, va_list args)
{
	sqlite3_stmt *stmt = rows->stmt;
	char text[MAC_TEXT];
	const void *p;
	int64_t number;
	int at;

	for (at = 1; *fmt; at++, fmt++) {
		if (*fmt == 'i' || *fmt == 'l') {
			number = va_arg(args, int64_t);
			if (*fmt == 'l' && number == UNLIMITED)
				sqlite3_bind_null(stmt, at);
			else
				sqlite3_bind_int64(stmt, at, number);
		} else if (*fmt == 't') {
			sqlite3_bind_text(stmt, at, va_arg(args, const char *),
				-1, SQLITE_TRANSIENT);
		} else if (*fmt == 'm') {
			p = va_arg(args, const struct mac *);
			sqlite3_bind_text(stmt, at,
				p ? mac_format(p, text) : NULL, -1,
				SQLITE_TRANSIENT);
		} else if (*fmt == 'b') {
			p = va_arg(args, const void *);
			sqlite3_bind_blob64(stmt, at, p, va_arg(args, size_t),
				SQLITE_TRANSIENT);
		} else {
			sqlite3_bind_null(stmt, at);
		}
	}
}

int db_next(struct db_rows *rows)
{
	int code = sqlite3_step(rows->stmt), ret;

	if (code == SQLITE_ROW)
		return 1;
	ret = noted(rows->db, code);
	rows->db->is_damaged |= ret == -EBADMSG;
	db_done(rows);
	return ret;
}

void db_done(struct db_rows *rows)
{
	sqlite3_reset(rows->stmt);
	sqlite3_clear_bindings(rows->stmt);
	rows->running = false;
}

static int start(struct db *db, struct db_rows **ret_rows, const char *sql,
	const char *fmt, va_list args)
{
	int ret = statement(db, sql, ret_rows);

	if (ret)
		return ret;
	bind(*ret_rows, fmt, args);
	(*ret_rows)->running = true;
	return 0;
}

int db_run(struct db *db, const char *sql, const char *fmt, ...)
{
	struct db_rows *rows;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = start(db, &rows, sql, fmt, args);
	va_end(args);
	if (ret)
		return ret;
	if (!db_in_transaction(db) && !sqlite3_stmt_readonly(rows->stmt)) {
		db_done(rows);
		return -ECANCELED;
	}
	do
		ret = db_next(rows);
	while (ret == 1);
	return ret;
}

int db_query(struct db *db, struct db_rows **ret_rows, const char *sql,
	const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = start(db, ret_rows, sql, fmt, args);
	va_end(args);
	return ret;
}

int db_one(struct db *db, db_read_fn *read, void *ret_row, const char *sql,
	const char *fmt, ...)
{
	struct db_rows *rows;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = start(db, &rows, sql, fmt, args);
	va_end(args);
	if (ret)
		return ret;
	ret = db_next(rows);
	if (ret != 1)
		return ret ? ret : -ENOENT;
	read(rows, ret_row);
	db_done(rows);
	return 0;
}

int db_list(struct db *db, db_read_fn *read, void *rows, size_t size, int max,
	const char *sql, const char *fmt, ...)
{
	struct db_rows *found;
	va_list args;
	int ret, count = 0;

	va_start(args, fmt);
	ret = start(db, &found, sql, fmt, args);
	va_end(args);
	if (ret)
		return ret;
	while ((ret = db_next(found)) == 1) {
		if (count == max) {
			db_done(found);
			return -E2BIG;
		}
		read(found, (char *)rows + (size_t)count++ * size);
	}
	return ret ? ret : count;
}

int64_t db_int(struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

int64_t db_limit(struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL
		       ? UNLIMITED
		       : db_int(rows, column);
}

void db_text(struct db_rows *rows, int column, char *buf, size_t len)
{
	const unsigned char *text = sqlite3_column_text(rows->stmt, column);

	snprintf(buf, len, "%s", text ? (const char *)text : "");
}

int db_columns(struct db_rows *rows)
{
	return sqlite3_column_count(rows->stmt);
}

const char *db_column_name(struct db_rows *rows, int column)
{
	return sqlite3_column_name(rows->stmt, column);
}

bool db_is_null(struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

bool db_is_number(struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_INTEGER;
}

const char *db_column_text(struct db_rows *rows, int column)
{
	const unsigned char *text = sqlite3_column_text(rows->stmt, column);

	return text ? (const char *)text : "";
}

size_t db_blob(struct db_rows *rows, int column, void *buf, size_t len)
{
	const void *blob = sqlite3_column_blob(rows->stmt, column);
	size_t have = (size_t)sqlite3_column_bytes(rows->stmt, column);

	if (blob)
		memcpy(buf, blob, MIN(have, len));
	return have;
}

void db_mac(struct db_rows *rows, int column, struct mac *ret_mac)
{
	char text[MAC_TEXT];

	db_text(rows, column, text, sizeof(text));
	if (mac_parse(text, ret_mac))
		*ret_mac = (struct mac){0};
}

int db_name(struct db_rows *rows, int column, const char *const *names,
	size_t count, int otherwise)
{
	char text[NAME_BYTES];
	int at;

	db_text(rows, column, text, sizeof(text));
	at = name_index(names, count, text);
	return at < 0 ? otherwise : at;
}

void db_read_int(struct db_rows *rows, void *ret_number)
{
	*(int64_t *)ret_number = db_int(rows, 0);
}

void db_read_mac(struct db_rows *rows, void *ret_mac)
{
	db_mac(rows, 0, ret_mac);
}

int db_copy(struct db *from, struct db *to)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");

	if (!backup)
		return to_errno(to->sqlite, sqlite3_errcode(to->sqlite));
	sqlite3_backup_step(backup, -1);
	return to_errno(to->sqlite, sqlite3_backup_finish(backup));
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int i, n = sqlite3_column_count(a);

	if (sqlite3_column_count(b) != n)
		return false;
	for (i = 0; i < n; i++) {
		int type = sqlite3_column_type(a, i);
		const void *left = sqlite3_column_blob(a, i);
		const void *right = sqlite3_column_blob(b, i);
		int len = sqlite3_column_bytes(a, i);

		/* Numbers are read as text here. */
		if (sqlite3_column_type(b, i) != type ||
			sqlite3_column_bytes(b, i) != len ||
			(len && memcmp(left, right, (size_t)len)))
			return false;
	}
	return true;
}

int db_compare(struct db *a, struct db *b, const char *sql, int64_t *rows)
{
	sqlite3_stmt *left = NULL, *right = NULL;
	int code = sqlite3_prepare_v2(a->sqlite, sql, -1, &left, NULL);
	int other = SQLITE_OK, ret = 0;

	if (!code)
		other = sqlite3_prepare_v2(b->sqlite, sql, -1, &right, NULL);
	while (!ret && !code && !other) {
		code = sqlite3_step(left);
		other = sqlite3_step(right);
		if (code != SQLITE_ROW || other != SQLITE_ROW)
			break;
		ret = same_row(left, right) ? 0 : -EBADMSG;
		code = other = SQLITE_OK;
		++*rows;
	}
	if (!ret)
		ret = to_errno(a->sqlite, code);
	if (!ret)
		ret = to_errno(b->sqlite, other);
	if (!ret && code != other)
		ret = -EBADMSG;
	sqlite3_finalize(left);
	sqlite3_finalize(right);
	return ret;
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sqlite);
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->sqlite);
}
