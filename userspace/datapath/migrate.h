/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying the maps over to this build's layout (docs/design.md 8.4); inside of
 * datapath/ only. The loader calls these in this order: migration_recover()
 * before it looks at what is pinned, migration_plan() between opening and
 * loading the object, migration_run() when the object is loaded and its tail
 * calls are set.
 */
#ifndef DATAPATH_MIGRATE_H
#define DATAPATH_MIGRATE_H

#include "datapath/handle.h"

struct migration;

/*
 * Ends what an earlier process began, as far as that needs no programs.
 * `ret_is_live`: the rest does: hooks may use the maps in pin_dir/next, whose
 * `meta` says of which layout they are.
 */
int migration_recover(const char *pin_dir, bool *ret_is_live);

/*
 * Compares the maps of dp->object with those that are pinned and says libbpf
 * where each is pinned or to be pinned. -EPROTO: they cannot be carried over,
 * `err` says why; nothing was touched.
 */
int migration_plan(struct datapath *dp, bool is_live, struct datapath_error *err,
	struct migration **ret_migration);
/* Is there any map of which there are two now? */
bool migration_is_needed(const struct migration *m);
/* NULL is fine. */
void migration_free(struct migration *m);

/*
 * Only if needed. Fills the new maps, switches every hook to this build's
 * programs, and puts the new maps' pins in place of the old ones. After an
 * error, or when the process is killed, the gate goes on, and the next
 * migration_recover() knows what to do. dp->meta is what the new `meta` says.
 */
int migration_run(struct migration *m);
/* Describes the maps of this build; migration_run() does it by itself. */
int migration_write_fields(const struct migration *m);

#endif
