/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of fields from BTF. Structs inside structs and each element of an
 * array of structs are taken apart; an array of numbers is one field. What a
 * field means is its name: whoever changes meaning or unit gives it a new one
 * (docs/adding.md).
 */
#include "datapath/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/util.h"

void fields_free(struct fields *fields)
{
	free(fields->rows);
	*fields = (struct fields){0};
}

/* Reading BTF. */

struct reader {
	const struct btf *btf;
	struct fields *fields;
};

static int add_type(
	const struct reader *r, uint32_t type, const char *name, uint32_t offset);

static int add_row(
	const struct reader *r, uint32_t type, const char *name, uint32_t offset)
{
	struct fields *fields = r->fields;
	int64_t size = btf__resolve_size(r->btf, type);
	struct gh_field *row;

	if (size < 0)
		return (int)size;
	if (fields->count == GH_FIELDS_MAX || strlen(name) >= sizeof(row->name))
		return -E2BIG;
	ARRAY_GROW(fields->rows, fields->count, fields->size);
	row = &fields->rows[fields->count++];
	*row = (struct gh_field){.offset = offset, .size = (uint32_t)size};
	snprintf(row->name, sizeof(row->name), "%s", name);
	return 0;
}

static int add_members(const struct reader *r, const struct btf_type *type,
	const char *name, uint32_t offset)
{
	const struct btf_member *members = btf_members(type);
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < btf_vlen(type); i++) {
		const char *own =
			btf__name_by_offset(r->btf, members[i].name_off);
		char path[2 * sizeof(r->fields->rows->name)];

		snprintf(path, sizeof(path), "%s.%s", name, own);
		ret = add_type(r, members[i].type, own && own[0] ? path : name,
			offset + btf_member_bit_offset(type, i) / 8);
	}
	return ret;
}

static int add_elements(const struct reader *r, const struct btf_array *array,
	const char *name, uint32_t offset)
{
	int64_t size = btf__resolve_size(r->btf, array->type);
	uint32_t i;
	int ret = size < 0 ? (int)size : 0;

	for (i = 0; !ret && i < array->nelems; i++) {
		char path[2 * sizeof(r->fields->rows->name)];

		snprintf(path, sizeof(path), "%s[%u]", name, i);
		ret = add_type(r, array->type, path, offset + i * (uint32_t)size);
	}
	return ret;
}

static const struct btf_type *skip_names(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static int add_type(
	const struct reader *r, uint32_t type, const char *name, uint32_t offset)
{
	const struct btf_type *t = skip_names(r->btf, type);

	if (!t)
		return -EINVAL;
	if (btf_is_composite(t))
		return add_members(r, t, name, offset);
	if (btf_is_array(t) &&
		btf_is_composite(skip_names(r->btf, btf_array(t)->type)))
		return add_elements(r, btf_array(t), name, offset);
	return add_row(r, type, name, offset);
}

int fields_of_object(const struct bpf_object *object, struct fields *ret_fields)
{
	_cleanup_(fields_free) struct fields fields = {0};
	const struct reader reader = {bpf_object__btf(object), &fields};
	const struct bpf_map *map;
	int ret = 0;

	bpf_object__for_each_map(map, object)
	{
		uint32_t type = bpf_map__btf_value_type_id(map);

		if (!type || bpf_map__is_internal(map))
			continue;
		ret = add_type(&reader, type, bpf_map__name(map), 0);
		if (ret)
			return ret;
	}
	*ret_fields = fields;
	fields = (struct fields){0};
	return 0;
}

/* The map. */

int fields_read(int map_fd, struct fields *ret_fields)
{
	_cleanup_(fields_free) struct fields fields = {0};
	uint32_t i;

	for (i = 0; i < GH_FIELDS_MAX; i++) {
		struct gh_field row;

		if (bpf_map_lookup_elem(map_fd, &i, &row) < 0)
			return -errno;
		if (!row.name[0])
			break;
		row.name[sizeof(row.name) - 1] = '\0';
		ARRAY_GROW(fields.rows, fields.count, fields.size);
		fields.rows[fields.count++] = row;
	}
	*ret_fields = fields;
	fields = (struct fields){0};
	return 0;
}

int fields_write(int map_fd, const struct fields *fields)
{
	uint32_t i;

	for (i = 0; i < fields->count; i++)
		if (bpf_map_update_elem(map_fd, &i, &fields->rows[i], 0) < 0)
			return -errno;
	return 0;
}

/* Looking. */

static bool is_of_map(const struct gh_field *row, const char *map)
{
	size_t len = strlen(map);

	return strncmp(row->name, map, len) == 0 &&
	       (row->name[len] == '.' || row->name[len] == '[' ||
		       !row->name[len]);
}

const struct gh_field *fields_of_map(
	const struct fields *fields, const char *map, size_t *ret_count)
{
	size_t first = 0, n = 0;

	while (first < fields->count && !is_of_map(&fields->rows[first], map))
		first++;
	while (first + n < fields->count &&
		is_of_map(&fields->rows[first + n], map))
		n++;
	*ret_count = n;
	return n ? &fields->rows[first] : NULL;
}

const struct gh_field *fields_find(const struct fields *fields, const char *name)
{
	size_t i;

	for (i = 0; i < fields->count; i++)
		if (strcmp(fields->rows[i].name, name) == 0)
			return &fields->rows[i];
	return NULL;
}

bool fields_map_equal(
	const struct fields *a, const struct fields *b, const char *map)
{
	size_t na, nb;
	const struct gh_field *of_a = fields_of_map(a, map, &na);
	const struct gh_field *of_b = fields_of_map(b, map, &nb);

	return na == nb && (!na || !memcmp(of_a, of_b, na * sizeof(*of_a)));
}

/* Moving. */

void field_moves_make(const struct fields *from, const struct fields *to,
	const char *map, struct field_moves *ret_moves)
{
	struct field_moves moves = {0};
	size_t n, i;
	const struct gh_field *rows = fields_of_map(to, map, &n);

	for (i = 0; i < n; i++) {
		const struct gh_field *old = fields_find(from, rows[i].name);

		if (!old)
			continue;
		ARRAY_GROW(moves.list, moves.count, moves.size);
		/* Little-endian: the low bytes of a number that has grown. */
		moves.list[moves.count++] = (struct field_move){old->offset,
			rows[i].offset, MIN(old->size, rows[i].size)};
	}
	*ret_moves = moves;
}

void field_moves_free(struct field_moves *moves)
{
	free(moves->list);
	*moves = (struct field_moves){0};
}

void field_moves_apply(const struct field_moves *moves, const void *from,
	void *to, size_t to_size)
{
	size_t i;

	memset(to, 0, to_size);
	for (i = 0; i < moves->count; i++)
		memcpy((char *)to + moves->list[i].to,
			(const char *)from + moves->list[i].from,
			moves->list[i].size);
}
