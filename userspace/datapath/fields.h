/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the values of maps are made of, field by field, by name: the map
 * `fields`, in memory. It is read off the BTF of the BPF object and kept
 * beside the maps, because who adopts them later may not ask the kernel for
 * their BTF (that takes CAP_SYS_ADMIN). Inside of datapath/ only.
 */
#ifndef DATAPATH_FIELDS_H
#define DATAPATH_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatehouse/abi.h"

struct bpf_map;
struct bpf_object;

/* Rows of one map are together; a row's name begins with its map's. */
struct fields {
	struct gh_field *rows;
	size_t count, size;
};

void fields_free(struct fields *fields);

/* Of every map of an object whose values have a type. -E2BIG: more than
 * GH_FIELDS_MAX, or a name that is too long. */
int fields_of_object(const struct bpf_object *object, struct fields *ret_fields);

/* From and into a map `fields`. */
int fields_read(int map_fd, struct fields *ret_fields);
int fields_write(int map_fd, const struct fields *fields);

/* The rows of one map; NULL and 0: not described. */
const struct gh_field *fields_of_map(
	const struct fields *fields, const char *map, size_t *ret_count);
/* One field, "clients.up.bytes"; NULL: there is none. */
const struct gh_field *fields_find(const struct fields *fields, const char *name);
/* Do they say the same about this map? */
bool fields_map_equal(
	const struct fields *a, const struct fields *b, const char *map);

/*
 * A value in one layout as a value in another: each field from the one of the
 * same name. A number may have grown; what is new is zero, what is gone is
 * dropped.
 */
struct field_move {
	uint32_t from, to, size;
};
struct field_moves {
	struct field_move *list;
	size_t count, size;
};
void field_moves_make(const struct fields *from, const struct fields *to,
	const char *map, struct field_moves *ret_moves);
void field_moves_free(struct field_moves *moves);
/* `to` has `to_size` bytes. */
void field_moves_apply(const struct field_moves *moves, const void *from,
	void *to, size_t to_size);

#endif
