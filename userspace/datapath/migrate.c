/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries the maps over to a build whose records look different, under
 * traffic (docs/design.md 8.4). Maps whose shape is the same are shared; the
 * others are made anew in pin_dir/next and filled field by field, while the
 * old programs go on with the old maps. Then every hook is switched, and what
 * the old programs counted meanwhile is added.
 *
 * The invariant, for a process that may be killed between any two steps: two
 * pins say how far it came. Without next/live nothing uses the new maps, and
 * they are thrown away. With it the old and the new maps together are the
 * truth, and carrying on from the first step after it changes nothing that is
 * done. With next/done the new maps alone are, and their pins move.
 */
#include "datapath/migrate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/fields.h"
#include "gatehouse.skel.h"

#define COPIED "copied"
#define FIELDS "fields"
#define CARRY  "gh_carry"

/* A map of which there are two. */
struct staged {
	struct bpf_map *map;
	int old_fd; /* -1: what it had is not carried over */
	struct bpf_map_info old;
};

struct migration {
	struct datapath *dp;
	bool is_resumed;
	struct fields old, own;
	const struct gh_field *counters[4]; /* of `old`; as in gh_counters */
	struct staged *staged;
	size_t count, size;
	int copied_fd, carry_fd; /* of the loaded object */
};

static const char *const counter_names[] = {
	"clients.up.bytes",
	"clients.up.packets",
	"clients.down.bytes",
	"clients.down.packets",
};

static int next_dir(char ret_path[static PATH_MAX], const char *pin_dir)
{
	return pin_path(ret_path, pin_dir, MIGRATION_DIR);
}

static bool has_pin(const char *pin_dir, const char *name)
{
	char path[PATH_MAX];

	return pin_path(path, pin_dir, MIGRATION_DIR "/%s", name) == 0 &&
	       access(path, F_OK) == 0;
}

static int open_map(const char *pin_dir, const char *name)
{
	char path[PATH_MAX];
	int ret = pin_path(path, pin_dir, "%s", name), fd;

	if (ret)
		return ret;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int find_fd(const struct migration *m, const char *map)
{
	return bpf_object__find_map_fd_by_name(m->dp->object->obj, map);
}

static int map_info(int fd, struct bpf_map_info *ret_info)
{
	uint32_t len = sizeof(*ret_info);

	*ret_info = (struct bpf_map_info){0};
	return bpf_obj_get_info_by_fd(fd, ret_info, &len) < 0 ? -errno : 0;
}

/* What an earlier process left. */

static int remove_next(const char *pin_dir)
{
	char path[PATH_MAX];
	int ret = next_dir(path, pin_dir);

	if (!ret)
		ret = pins_each(path, pin_unlink, NULL);
	if (!ret && rmdir(path) < 0 && errno != ENOENT)
		ret = -errno;
	return ret;
}

/* The marks stay until everything else has moved. */
static int move_pin(void *data, const char *dir, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];
	int ret = pin_path(from, dir, "%s", name);

	if (!strcmp(name, "live") || !strcmp(name, "done") ||
		!strcmp(name, COPIED))
		return ret;
	if (!ret)
		ret = pin_path(to, data, "%s", name);
	if (!ret && rename(from, to) < 0)
		ret = -errno;
	return ret;
}

static int move_pins(const char *pin_dir)
{
	char path[PATH_MAX];
	int ret = next_dir(path, pin_dir);

	if (!ret)
		ret = pins_each(path, move_pin, (void *)pin_dir);
	/* Last: it says that there is nothing else to do. */
	if (!ret)
		ret = pin_unlink(NULL, path, "live");
	if (!ret)
		ret = pin_unlink(NULL, path, COPIED);
	return ret ?: remove_next(pin_dir);
}

int migration_recover(const char *pin_dir, bool *ret_is_live)
{
	*ret_is_live = false;
	if (has_pin(pin_dir, "done"))
		return move_pins(pin_dir);
	*ret_is_live = has_pin(pin_dir, "live");
	return *ret_is_live ? 0 : remove_next(pin_dir);
}

/* Which maps differ. */

static bool is_carried(enum bpf_map_type type)
{
	return type != BPF_MAP_TYPE_PROG_ARRAY && type != BPF_MAP_TYPE_RINGBUF;
}

static bool is_same_shape(const struct migration *m, const struct bpf_map *map,
	const struct bpf_map_info *old)
{
	size_t described;

	if (old->type != bpf_map__type(map) ||
		old->key_size != bpf_map__key_size(map) ||
		old->value_size != bpf_map__value_size(map) ||
		old->max_entries != bpf_map__max_entries(map) ||
		old->map_flags != bpf_map__map_flags(map))
		return false;
	fields_of_map(&m->old, bpf_map__name(map), &described);
	return !described ||
	       fields_map_equal(&m->old, &m->own, bpf_map__name(map));
}

static bool is_described(const struct migration *m, const struct staged *s)
{
	size_t n, i;
	const struct gh_field *rows =
		fields_of_map(&m->old, bpf_map__name(s->map), &n);

	for (i = 0; i < n; i++)
		if (rows[i].offset > s->old.value_size ||
			rows[i].size > s->old.value_size - rows[i].offset)
			return false;
	return n > 0;
}

static int add_staged(struct migration *m, struct bpf_map *map)
{
	_cleanup_fd_ int fd = open_map(m->dp->pin_dir, bpf_map__name(map));
	struct staged *s;
	int ret = fd < 0 ? fd : 0;

	ARRAY_GROW(m->staged, m->count, m->size);
	s = &m->staged[m->count];
	*s = (struct staged){.map = map, .old_fd = -1};
	if (!ret)
		ret = map_info(fd, &s->old);
	if (ret)
		return ret;
	s->old_fd = TAKE_FD(fd);
	m->count++;
	return 0;
}

/* Programs to call go with the programs that call them, `meta` with the rest. */
static bool is_follower(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY ||
	       !strcmp(bpf_map__name(map), "meta");
}

/* 1: there is one of another shape. */
static int differs(const struct migration *m, const struct bpf_map *map)
{
	_cleanup_fd_ int fd = open_map(m->dp->pin_dir, bpf_map__name(map));
	struct bpf_map_info old;
	int ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = map_info(fd, &old);
	return ret ?: !is_same_shape(m, map, &old);
}

static bool is_pinned(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map) &&
	       strcmp(bpf_map__name(map), COPIED) &&
	       strcmp(bpf_map__name(map), FIELDS);
}

static int find_differing(struct migration *m)
{
	struct bpf_map *map;
	bool any = false;
	int ret = 0;

	bpf_object__for_each_map(map, m->dp->object->obj)
	{
		if (!is_pinned(map))
			continue;
		ret = differs(m, map);
		any = any || ret > 0;
		if (ret > 0)
			ret = is_follower(map) ? 0 : add_staged(m, map);
		if (ret)
			return ret;
	}
	if (!any)
		return 0;
	bpf_object__for_each_map(map, m->dp->object->obj)
	{
		if (!ret && is_follower(map))
			ret = add_staged(m, map);
		/* New in this build. */
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

/* The same maps as the process that was killed. */
static int find_begun(struct migration *m)
{
	struct bpf_map *map;
	int ret = 0;

	bpf_object__for_each_map(map, m->dp->object->obj)
	{
		if (!ret && is_pinned(map) &&
			has_pin(m->dp->pin_dir, bpf_map__name(map)))
			ret = add_staged(m, map);
	}
	return ret;
}

static int read_fields(struct migration *m, const char *name, struct fields *ret)
{
	_cleanup_fd_ int fd = open_map(m->dp->pin_dir, name);

	if (fd == -ENOENT)
		return 0;
	return fd < 0 ? fd : fields_read(fd, ret);
}

/* Another build of the same layout number may have other fields all the same. */
static int check_begun(struct migration *m, struct datapath_error *err)
{
	_cleanup_(fields_free) struct fields begun = {0};
	int ret = read_fields(m, MIGRATION_DIR "/" FIELDS, &begun);

	if (ret)
		return ret;
	if (begun.count == m->own.count &&
		!memcmp(begun.rows, m->own.rows,
			begun.count * sizeof(begun.rows[0])))
		return 0;
	datapath_explain(err,
		"another build was killed while it carried the maps in %s over; "
		"start that one again first",
		m->dp->pin_dir);
	return -EPROTO;
}

static bool has_counters(struct migration *m)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counter_names); i++) {
		m->counters[i] = fields_find(&m->old, counter_names[i]);
		if (!m->counters[i])
			return false;
	}
	return true;
}

static int check_carried(struct migration *m, struct datapath_error *err)
{
	size_t i;

	for (i = 0; i < m->count; i++) {
		const struct staged *s = &m->staged[i];

		if (!is_carried(bpf_map__type(s->map)))
			continue;
		if (is_described(m, s) && has_counters(m) &&
			s->old.key_size == bpf_map__key_size(s->map))
			continue;
		datapath_explain(err,
			"the map '%s' in %s is of a kind that cannot be carried "
			"over: start the version that made it and let "
			"'gatehousectl unload' remove it (the store keeps every "
			"session)",
			bpf_map__name(s->map), m->dp->pin_dir);
		return -EPROTO;
	}
	return 0;
}

/* Where libbpf finds each map, or puts it. */
static int set_pin_path(const struct migration *m, struct bpf_map *map)
{
	bool is_next = !strcmp(bpf_map__name(map), COPIED);
	char path[PATH_MAX];
	size_t i;
	int ret;

	for (i = 0; i < m->count; i++)
		is_next = is_next || m->staged[i].map == map;
	ret = pin_path(path, m->dp->pin_dir, "%s%s",
		is_next ? MIGRATION_DIR "/" : "", bpf_map__name(map));
	return ret ?: bpf_map__set_pin_path(map, path);
}

static int set_pin_paths(const struct migration *m)
{
	struct bpf_map *map;
	bool is_needed = m->count > 0;
	int ret = 0;

	bpf_object__for_each_map(map, m->dp->object->obj)
	{
		bool is_copied = !strcmp(bpf_map__name(map), COPIED);

		if (ret)
			return ret;
		if (is_copied)
			ret = bpf_map__set_autocreate(map, is_needed);
		if (!ret && (is_pinned(map) || (is_copied && is_needed)))
			ret = set_pin_path(m, map);
	}
	return ret ?: bpf_program__set_autoload(
			      bpf_object__find_program_by_name(
				      m->dp->object->obj, CARRY),
			      is_needed);
}

static int make_next_dir(const char *pin_dir)
{
	char path[PATH_MAX];
	int ret = next_dir(path, pin_dir);

	if (!ret && mkdir(path, 0700) < 0 && errno != EEXIST)
		ret = -errno;
	return ret;
}

static int set_copied_max(struct migration *m)
{
	struct bpf_map *clients = bpf_object__find_map_by_name(
		m->dp->object->obj, "clients");
	struct bpf_map *copied = bpf_object__find_map_by_name(
		m->dp->object->obj, COPIED);

	return bpf_map__set_max_entries(
		copied, bpf_map__max_entries(clients) + GH_GROUPS_MAX);
}

int migration_plan(struct datapath *dp, bool is_live, struct datapath_error *err,
	struct migration **ret_migration)
{
	struct migration *m = xcalloc(1, sizeof(*m));
	int ret;

	m->dp = dp;
	m->is_resumed = is_live;
	ret = fields_of_object(dp->object->obj, &m->own);
	if (!ret)
		ret = read_fields(m, FIELDS, &m->old);
	if (!ret && is_live)
		ret = check_begun(m, err);
	if (!ret)
		ret = is_live ? find_begun(m) : find_differing(m);
	if (!ret)
		ret = check_carried(m, err);
	if (!ret && m->count)
		ret = make_next_dir(dp->pin_dir);
	if (!ret && m->count)
		ret = set_copied_max(m);
	if (!ret)
		ret = set_pin_paths(m);
	if (ret)
		migration_free(m);
	else
		*ret_migration = m;
	return ret;
}

bool migration_is_needed(const struct migration *m)
{
	return m->count > 0;
}

void migration_free(struct migration *m)
{
	size_t i;

	if (!m)
		return;
	for (i = 0; i < m->count; i++)
		fd_close(&m->staged[i].old_fd);
	free(m->staged);
	fields_free(&m->old);
	fields_free(&m->own);
	free(m);
}

/* Maps of records that the kernel counts in; those of groups are as clients'. */
static const struct {
	const char *map;
	uint8_t kind; /* mac.zero[0] of gh_carry */
} counted[] = {
	{"clients", 0},
	{"groups", GH_CARRY_GROUP},
};

/* The number of a map in that table; -1. */
static int counted_map(const struct staged *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counted); i++)
		if (!strcmp(bpf_map__name(s->map), counted[i].map))
			return (int)i;
	return -1;
}

static struct gh_mac carry_key(const struct staged *s, const void *key)
{
	struct gh_mac mac = {0};

	memcpy(&mac, key, s->old.key_size);
	mac.zero[0] = counted[counted_map(s)].kind;
	return mac;
}

/* Copying, while nothing uses the new maps. */

struct copying {
	struct migration *m;
	const struct staged *staged;
	struct field_moves moves;
	char *value; /* in the new layout, of all CPUs */
	size_t cpus; /* 1 unless the map has values for each CPU */
	int copied;  /* where counters are noted; -1: it has none */
};

static bool is_per_cpu(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* The kernel's distance from one CPU's value to the next. */
static size_t stride_of(size_t value_size)
{
	return (value_size + 7) & ~(size_t)7;
}

static uint64_t counter_of(const struct gh_field *field, const void *value)
{
	uint64_t count = 0;

	memcpy(&count, (const char *)value + field->offset,
		MIN(field->size, (uint32_t)sizeof(count)));
	return count;
}

static struct gh_counters counters_of(const struct migration *m, const void *value)
{
	return (struct gh_counters){
		.up_bytes = counter_of(m->counters[0], value),
		.up_packets = counter_of(m->counters[1], value),
		.down_bytes = counter_of(m->counters[2], value),
		.down_packets = counter_of(m->counters[3], value),
	};
}

static int copy_element(void *data, const void *key, const void *value)
{
	const struct copying *c = data;
	size_t to = stride_of(bpf_map__value_size(c->staged->map));
	size_t from = stride_of(c->staged->old.value_size);
	size_t cpu;

	for (cpu = 0; cpu < c->cpus; cpu++)
		field_moves_apply(&c->moves, (const char *)value + cpu * from,
			c->value + cpu * to,
			bpf_map__value_size(c->staged->map));
	if (c->copied >= 0) {
		struct gh_counters now = counters_of(c->m, value);
		struct gh_mac mac = carry_key(c->staged, key);

		if (bpf_map_update_elem(c->copied, &mac, &now, 0) < 0)
			return -errno;
	}
	if (bpf_map_update_elem(bpf_map__fd(c->staged->map), key, c->value, 0) < 0)
		return -errno;
	return 0;
}

/* For kinds of maps that have no batches on every kernel. */
static int each_by_key(const struct copying *c)
{
	const struct bpf_map_info *old = &c->staged->old;
	_cleanup_free_ char *key = xcalloc(1, old->key_size);
	_cleanup_free_ char *value =
		xcalloc(c->cpus, stride_of(old->value_size));
	const void *at = NULL;
	uint32_t n;
	int ret = 0;

	for (n = 0; !ret && n < old->max_entries &&
		    bpf_map_get_next_key(c->staged->old_fd, at, key) == 0;
		n++) {
		at = key;
		if (bpf_map_lookup_elem(c->staged->old_fd, key, value) == 0)
			ret = copy_element((void *)c, key, value);
	}
	return ret;
}

static int copy_elements(struct copying *c)
{
	const struct bpf_map_info *old = &c->staged->old;

	if (old->type == BPF_MAP_TYPE_HASH || old->type == BPF_MAP_TYPE_ARRAY ||
		old->type == BPF_MAP_TYPE_LRU_HASH)
		return map_each(c->staged->old_fd, old->key_size,
			old->value_size, copy_element, c);
	return each_by_key(c);
}

static int copy_map(struct migration *m, const struct staged *s)
{
	const char *name = bpf_map__name(s->map);
	struct copying c = {.m = m, .staged = s, .cpus = 1, .copied = -1};
	int ret;

	if (!is_carried(bpf_map__type(s->map)) || !strcmp(name, "meta"))
		return 0;
	if (is_per_cpu(s->old.type)) {
		ret = libbpf_num_possible_cpus();
		if (ret < 0)
			return ret;
		c.cpus = ret;
	}
	if (counted_map(s) >= 0)
		c.copied = m->copied_fd;
	c.value = xcalloc(c.cpus, stride_of(bpf_map__value_size(s->map)));
	field_moves_make(&m->old, &m->own, name, &c.moves);
	ret = copy_elements(&c);
	field_moves_free(&c.moves);
	free(c.value);
	return ret;
}

/* Carrying on: what old records counted since. */

struct carrying {
	struct migration *m;
	const struct staged *staged;
};

static int carry_record(void *data, const void *key, const void *value)
{
	const struct carrying *c = data;
	struct migration *m = c->m;
	struct gh_counters was;
	struct gh_carry carry = {.mac = carry_key(c->staged, key),
		.now = counters_of(m, value)};
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &carry,
		.ctx_size_in = sizeof(carry));

	if (bpf_map_lookup_elem(m->copied_fd, &carry.mac, &was) < 0)
		return -errno;
	if (!memcmp(&was, &carry.now, sizeof(was)))
		return 0;
	if (bpf_prog_test_run_opts(m->carry_fd, &opts) < 0)
		return -errno;
	return (int)opts.retval;
}

static int carry_counters(struct migration *m)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < m->count; i++) {
		const struct staged *s = &m->staged[i];
		struct carrying c = {m, s};

		if (counted_map(s) >= 0)
			ret = map_each(s->old_fd, s->old.key_size,
				s->old.value_size, carry_record, &c);
	}
	return ret;
}

/* The steps. */

static int mark(struct migration *m, const char *name)
{
	char path[PATH_MAX];
	int ret = pin_path(path, m->dp->pin_dir, MIGRATION_DIR "/%s", name);

	/* Whichever map; it is the name that says something. */
	if (!ret && bpf_obj_pin(find_fd(m, "meta"), path) < 0 && errno != EEXIST)
		ret = -errno;
	return ret;
}

static int write_meta(struct migration *m)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(find_fd(m, "meta"), &zero, &m->dp->meta, 0) < 0
		       ? -errno
		       : 0;
}

static int copy_all(struct migration *m)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < m->count; i++)
		ret = copy_map(m, &m->staged[i]);
	if (!ret)
		ret = write_meta(m);
	if (!ret)
		ret = migration_write_fields(m);
	/* Copying takes a while: so there is less to carry behind the switch. */
	if (!ret)
		ret = carry_counters(m);
	return ret ?: mark(m, "live");
}

int migration_write_fields(const struct migration *m)
{
	char path[PATH_MAX];
	int fd = find_fd(m, FIELDS);
	int ret = pin_path(path, m->dp->pin_dir, "%s" FIELDS,
		m->count ? MIGRATION_DIR "/" : "");

	if (!ret)
		ret = fields_write(fd, &m->own);
	return ret ?: pin_replace(fd, path);
}

int migration_run(struct migration *m)
{
	int ret;

	m->copied_fd = find_fd(m, COPIED);
	m->carry_fd = bpf_program__fd(bpf_object__find_program_by_name(
		m->dp->object->obj, CARRY));
	ret = m->is_resumed ? carry_counters(m) : copy_all(m);
	if (!ret)
		ret = hooks_switch(m->dp);
	if (ret)
		return ret;
	/* Packets that the old programs were deciding still count there. */
	clients_wait_for_packets();
	ret = carry_counters(m);
	if (!ret)
		ret = mark(m, "done");
	return ret ?: move_pins(m->dp->pin_dir);
}
