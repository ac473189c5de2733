/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What store/ needs of a database: statements with arguments, rows,
 * transactions. sqlite.c is the driver; SQL text is not the driver's.
 *
 * Statements are prepared once and kept by the address of their text: pass
 * string literals only. Errors are negative errno: -EEXIST for a broken
 * uniqueness, -EINVAL for another broken constraint, -ENOSPC, -EIO,
 * -EROFS, -EBADMSG for a damaged file, -EBUSY.
 *
 * A full disk or a failing one may undo the whole transaction at any statement.
 * Whatever would still be written for it is refused with -ECANCELED: it must
 * not get into the file on its own.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stddef.h>

#include "gatehouse/types.h"

struct db;
struct db_rows; /* a running query */

int db_open(const char *path, struct db **ret_db);
void db_close(struct db *db);
/* Was -EBADMSG ever returned? */
bool db_is_damaged(const struct db *db);
/* The last trouble with the file since it was forgotten; 0: none. */
int db_failure(const struct db *db);
void db_forget_failure(struct db *db);

/*
 * Runs a statement. `fmt` has a letter per argument:
 *   i  int64_t          l  int64_t, UNLIMITED becomes NULL
 *   t  const char *, may be NULL
 *   m  const struct mac *, may be NULL
 *   b  const void *, size_t
 *   n  nothing: NULL
 */
int db_run(struct db *db, const char *sql, const char *fmt, ...);
/* Several statements without arguments; may begin and end transactions. */
int db_script(struct db *db, const char *sql);
/* Is a transaction open? */
bool db_in_transaction(struct db *db);
/* Rows that were ever inserted, updated or deleted, also those undone since. */
int64_t db_written(struct db *db);

/* Makes a struct of a row's columns. */
typedef void db_read_fn(struct db_rows *rows, void *ret_row);

/* The first row of a query: 0, -ENOENT without one, errno. */
int db_one(struct db *db, db_read_fn *read, void *ret_row, const char *sql,
	const char *fmt, ...);
/* All rows of a query into an array of `max` structs of `size` bytes: how
 * many, -E2BIG when there are more, errno. */
int db_list(struct db *db, db_read_fn *read, void *rows, size_t size, int max,
	const char *sql, const char *fmt, ...);

/* A query for as many rows as there are: db_next() until it is not 1; then it
 * is over by itself. Leave early with db_done(). A statement cannot run inside
 * itself (-EBUSY). */
int db_query(struct db *db, struct db_rows **ret_rows, const char *sql,
	const char *fmt, ...);
/* 1: a row; 0: the end; negative errno. */
int db_next(struct db_rows *rows);
void db_done(struct db_rows *rows);

int64_t db_int(struct db_rows *rows, int column);
/* NULL reads as UNLIMITED. */
int64_t db_limit(struct db_rows *rows, int column);
/* Copies at most len - 1 bytes; NULL reads as "". */
void db_text(struct db_rows *rows, int column, char *buf, size_t len);
/* Copies at most `len` bytes and returns how many there are. */
size_t db_blob(struct db_rows *rows, int column, void *buf, size_t len);
void db_mac(struct db_rows *rows, int column, struct mac *ret_mac);
/* For queries whose columns the caller does not know. */
int db_columns(struct db_rows *rows);
const char *db_column_name(struct db_rows *rows, int column);
bool db_is_null(struct db_rows *rows, int column);
bool db_is_number(struct db_rows *rows, int column);
/* Valid until the next row; NULL reads as "". */
const char *db_column_text(struct db_rows *rows, int column);
/* Place of a text in a table of names; `otherwise` for what is not there. */
int db_name(struct db_rows *rows, int column, const char *const *names,
	size_t count, int otherwise);
#define DB_NAME(rows, column, names, otherwise) \
	db_name((rows), (column), (names), ARRAY_SIZE(names), (otherwise))
/* A db_read_fn for a lone number, into an int64_t. */
void db_read_int(struct db_rows *rows, void *ret_number);
/* The same for a lone MAC, into a struct mac. */
void db_read_mac(struct db_rows *rows, void *ret_mac);

/* All of `from`, as it is in its transaction, into `to`, an empty one. */
int db_copy(struct db *from, struct db *to);
/* Does the query give the same rows in both? 0 and their number is added to
 * *rows, -EBADMSG, errno. */
int db_compare(struct db *a, struct db *b, const char *sql, int64_t *rows);

int64_t db_last_id(struct db *db);
/* Rows changed by the last db_run(). */
int64_t db_changes(struct db *db);

#endif
