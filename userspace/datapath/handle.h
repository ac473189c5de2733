/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of struct datapath, for the files of datapath/ only. Descriptors in
 * `maps` and `programs` belong to the BPF object, if there is one, and are not
 * closed alone.
 */
#ifndef DATAPATH_HANDLE_H
#define DATAPATH_HANDLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "datapath/datapath.h"

enum datapath_map {
	MAP_CLIENTS,
	MAP_CAPTIVE,
	MAP_ADDRESSES,
	MAP_BINDINGS,
	MAP_GUARDS,
	MAP_TWINS,
	MAP_INTERFACES,
	MAP_NETWORKS,
	MAP_REASONS,
	MAP_EVENTS,
	MAP_EVENT_LOSSES,
	MAP_META,
	MAP_GARDENS,
	MAP_GARDEN_PREFIXES,
	MAP_GARDEN_COUNTS,
	MAP_GARDEN_NAMES,
	MAP_GARDEN_LEARNED,
	MAP_GROUPS,
	MAPS, /* number of maps that user space names */
};

enum datapath_program {
	PROGRAM_UPLOAD_XDP,
	PROGRAM_UPLOAD_TC,
	PROGRAM_DOWNLOAD_TC,
	PROGRAM_CHECK_UP,
	PROGRAM_CHECK_DOWN,
	PROGRAM_EDIT,
	PROGRAMS,
};

struct datapath {
	char pin_dir[PATH_MAX];
	int lock_fd; /* pin_dir itself, flock()ed */
	bool is_adopted;
	bool is_carried_over;
	bool without_tcx;
	struct gatehouse_bpf *object; /* NULL: programs were adopted */
	struct gh_meta meta;
	int maps[MAPS];
	int programs[PROGRAMS];
	uint32_t program_ids[PROGRAMS];
};

/* Runs the edit program (clients.c). */
int datapath_edit(struct datapath *dp, struct gh_edit *edit);

void datapath_explain(struct datapath_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* From here on libbpf's first warning goes to `err`; NULL: to nobody. */
void datapath_listen(struct datapath_error *err);

/* The map `meta` (meta.c). */

/* Of the maps pinned in `pin_dir`. -ENOENT: none, or maps that were never
 * finished. The number of a layout is its first word in every layout. */
int meta_read(const char *pin_dir, struct gh_meta *ret_meta);
/* May this build and this boot use maps with that? Older layouts can be carried
 * over (migrate.h); with `is_live` by the very layout that began only.
 * -EPROTO, -ESTALE: `err` says why not. */
int meta_check(const char *pin_dir, const struct gh_meta *meta, bool is_live,
	struct datapath_error *err);
/* Of new maps. */
int meta_new(uint32_t clients_max, struct gh_meta *ret_meta);

/*
 * Calls `fn` for each element of a map that has batch look-ups (hash, LRU,
 * array), copied out before the calls, until it returns other than 0, which is
 * then returned.
 */
int map_each(int map_fd, size_t key_size, size_t value_size,
	int (*fn)(void *data, const void *key, const void *value), void *data);
/* The same in parts, which may be far apart in time: each call is one batch of
 * at least 1,024 elements. `*ret_more` false: that was the last. */
struct map_walk *map_walk_new(int map_fd, size_t key_size, size_t value_size);
void map_walk_free(struct map_walk *walk);
int map_walk_next(struct map_walk *walk,
	int (*fn)(void *data, const void *key, const void *value), void *data,
	bool *ret_more);

/* Pins (pins.c). Names in a bpffs must not have dots. */

/* Below pin_dir: maps that are not, or not alone, in force (migrate.h). */
#define MIGRATION_DIR "next"

/* "<dir>/<fmt...>"; -ENAMETOOLONG. */
int pin_path(char ret_path[static PATH_MAX], const char *dir, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
/* Makes pin_dir with its subdirectories, mounting a bpffs when there is none,
 * and locks it. */
int pins_open(const char *pin_dir, struct datapath_error *err, int *ret_lock_fd);
/* Pins `fd` in place of what has that name now, without a moment without. */
int pin_replace(int fd, const char *path);
/* Calls `fn` with the name of each entry that is not a directory, from a copy
 * of the listing. */
int pins_each(const char *dir,
	int (*fn)(void *data, const char *dir, const char *name), void *data);
/* fn for pins_each(). */
int pin_unlink(void *data, const char *dir, const char *name);

/* Hooks by their pins alone, for unload (hooks.c). */
int hooks_detach_pinned(const char *pin_dir, int ifindex);
int hooks_each_pinned(
	const char *pin_dir, int (*fn)(void *data, int ifindex), void *data);
/* Replaces the program of every hook that is in force by this build's. */
int hooks_switch(struct datapath *dp);

/* Filters in clsact, where there is no TCX (clsact.c). */

/* Adds or replaces our filter. `ret_made_qdisc` tells that clsact was made.
 * -EEXIST: a filter that is not `is_ours` has our handle and priority. */
int clsact_attach(int ifindex, bool is_ingress, int program_fd, bool is_ours,
	bool *ret_made_qdisc);
/* Program of our filter; -ENOENT without one. */
int clsact_lookup(int ifindex, bool is_ingress, uint32_t *ret_program_id);
int clsact_detach(int ifindex, bool is_ingress);
/* Removes the qdisc unless it has filters. */
int clsact_remove_qdisc(int ifindex);

#endif
