/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct store; for store/ only. */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "store/db.h"
#include "store/store.h"

struct store {
	struct db *db;
};

/*
 * The name of a plan, from its column. A plan that was removed keeps its row,
 * because vouchers and credits name it, but not its name, which another plan
 * may have: behind it stand a line feed, which no name contains, and its id.
 */
#define PLAN_NAME(column) \
	"substr(" column ", 1, instr(" column " || char(10), char(10)) - 1)"

/* Brings the schema up to the newest of the embedded ones. -EPROTO when the
 * file is newer than this build. */
int migrate(struct db *db);

#endif
