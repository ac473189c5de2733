/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When each slow job ran last, how long it took and how it ended. What the jobs
 * are, and when the next run is due, is the daemon's to know.
 */
#include "store/handle.h"
#include "store/keeping.h"

static void read_job(struct db_rows *rows, void *ret_row)
{
	struct job_run *run = ret_row;

	run->last_run_at = db_int(rows, 0);
	run->took_ns = db_int(rows, 1);
	run->result = (int)db_int(rows, 2);
}

int store_job_lookup(
	struct store *store, const char *name, struct job_run *ret_run)
{
	return db_one(store->db, read_job, ret_run,
		"SELECT last_run_at, took_ns, result FROM jobs WHERE name = ?",
		"t", name);
}

int store_job_put(
	struct store *store, const char *name, const struct job_run *run)
{
	return db_run(store->db,
		"INSERT INTO jobs (name, last_run_at, took_ns, result)"
		" VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
		" last_run_at = excluded.last_run_at,"
		" took_ns = excluded.took_ns, result = excluded.result,"
		" updated_at = unixepoch()",
		"tiii", name, run->last_run_at, run->took_ns,
		(int64_t)run->result);
}
