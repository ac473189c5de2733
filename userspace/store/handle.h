/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct store; for store/ only. */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "store/db.h"
#include "store/store.h"

struct store {
	struct db *db;
};

/* Brings the schema up to the newest of the embedded ones. -EPROTO when the
 * file is newer than this build. */
int migrate(struct db *db);

#endif
