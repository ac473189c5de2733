/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct store; for store/ only. */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "store/db.h"
#include "store/spent.h"
#include "store/store.h"

/* spent.c's: see store/spent.h. */
struct spent_log {
	struct spent_groups groups;
	char *path; /* NULL: none is written */
	int fd;
	int64_t written; /* number of its last line */
	int64_t last_at; /* and when that was */
	bool is_torn; /* what is behind `size` is no line */
	int64_t size; /* then; up to the last good line */
	int error;
};
/* In a transaction: lines that are in the file may go from the table. */
int spent_log_trim(struct store *store);
void spent_log_close(struct spent_log *log);

struct store {
	struct db *db;
	struct spent_log spent;
	int64_t begun; /* db_written() at the beginning of the transaction */
};

/*
 * The name of a plan, from its column. A plan that was removed keeps its row,
 * because vouchers and credits name it, but not its name, which another plan
 * may have: behind it stand a line feed, which no name contains, and its id.
 */
#define PLAN_NAME(column) \
	"substr(" column ", 1, instr(" column " || char(10), char(10)) - 1)"

/* Four columns: counts, hours, idle_seconds, valid_days. */
void read_terms(struct db_rows *rows, int column, struct terms *ret_terms);

/* Brings the schema up to the newest of the embedded ones. -EPROTO when the
 * file is newer than this build. */
int migrate(struct db *db);

#endif
