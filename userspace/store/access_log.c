/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of operations: when, which, who, with what result, how long it took.
 * Rows are only ever added and, when old, removed.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/operators.h"

static void read_access(struct db_rows *rows, void *ret_row)
{
	struct access *a = ret_row;

	memset(a, 0, sizeof(*a));
	a->id = db_int(rows, 0);
	a->at = db_int(rows, 1);
	db_text(rows, 2, a->operation, sizeof(a->operation));
	db_text(rows, 3, a->who, sizeof(a->who));
	db_text(rows, 4, a->result, sizeof(a->result));
	a->us = db_int(rows, 5);
}

int store_access_insert(struct store *store, const struct access *access)
{
	return db_run(store->db,
		"INSERT INTO access_log (at, operation, who, result, us)"
		" VALUES (?, ?, ?, ?, ?)",
		"ittti", access->at, access->operation, access->who,
		access->result, access->us);
}

int store_access_list(struct store *store, const struct access_filter *filter,
	int64_t before, struct access *rows, int max)
{
	return db_list(store->db, read_access, rows, sizeof(*rows), max,
		"SELECT id, at, operation, who, result, us FROM access_log"
		" WHERE id < ?1 AND (?2 IS NULL OR who = ?2)"
		" AND (?3 IS NULL OR operation = ?3)"
		" AND (?4 IS NULL OR result = ?4) ORDER BY id DESC LIMIT ?5",
		"ittti", before, filter->who, filter->operation, filter->result,
		(int64_t)max);
}
