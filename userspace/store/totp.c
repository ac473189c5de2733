/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The apps of operators: one row each, with a secret that is sealed elsewhere
 * (rules/second_factor.c). A row goes with its account.
 */
#include <string.h>

#include "base/util.h"
#include "store/handle.h"
#include "store/operators.h"

static void read_totp(struct db_rows *rows, void *ret_row)
{
	struct operator_totp *t = ret_row;

	memset(t, 0, sizeof(*t));
	t->operator_id = db_int(rows, 0);
	t->sealed_len = db_blob(rows, 1, t->sealed, sizeof(t->sealed));
	t->is_on = db_int(rows, 2) != 0;
	t->last_step = db_int(rows, 3);
}

int store_totp_lookup(struct store *store, int64_t operator_id,
	struct operator_totp *ret_totp)
{
	return db_one(store->db, read_totp, ret_totp,
		"SELECT operator_id, secret, is_on, last_step FROM operator_totp"
		" WHERE operator_id = ?",
		"i", operator_id);
}

int store_totp_put(struct store *store, const struct operator_totp *totp)
{
	return db_run(store->db,
		"INSERT INTO operator_totp (operator_id, secret, is_on,"
		" last_step) VALUES (?, ?, ?, ?) ON CONFLICT (operator_id) DO"
		" UPDATE SET secret = excluded.secret, is_on = excluded.is_on,"
		" last_step = excluded.last_step, updated_at = unixepoch()",
		"ibii", totp->operator_id, totp->sealed, totp->sealed_len,
		(int64_t)totp->is_on, totp->last_step);
}

int store_totp_remove(struct store *store, int64_t operator_id)
{
	return db_run(store->db,
		"DELETE FROM operator_totp WHERE operator_id = ?", "i",
		operator_id);
}
