/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading: this build's programs onto pinned maps, made or adopted. The
 * programs of the build before keep deciding on the same maps until each hook
 * is switched (hooks.c), so nothing here may disturb a record or a counter.
 *
 * The invariant: maps are adopted only when `meta` says that their layout is
 * this build's or an older one, which is carried over (migrate.c). `meta` gets
 * its content last, so maps without it were never used and are made anew; maps
 * of a newer layout are left as they are.
 *
 * Programs are adopted as well when they were made of this very object: the
 * verifier takes a second for them, in which nobody could sign in. A pin whose
 * name is the object's hash says so; it goes before any of them is replaced
 * and comes when all are.
 */
#include "datapath/datapath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/util.h"
#include "datapath/migrate.h"
#include "gatehouse.skel.h"

#define BUILD_PREFIX "build_"
#define BUILD_HASH   8 /* bytes of it in the name */

/* Room above clients_max: one more for each so many, and some. */
#define MOVING_SHARE 64
#define MOVING_MIN   16

static const char *const map_names[MAPS] = {
	[MAP_CLIENTS] = "clients",
	[MAP_CAPTIVE] = "captive",
	[MAP_ADDRESSES] = "addresses",
	[MAP_BINDINGS] = "bindings",
	[MAP_GUARDS] = "guards",
	[MAP_TWINS] = "twins",
	[MAP_INTERFACES] = "interfaces",
	[MAP_NETWORKS] = "networks",
	[MAP_REASONS] = "reasons",
	[MAP_EVENTS] = "events",
	[MAP_EVENT_LOSSES] = "event_losses",
	[MAP_META] = "meta",
	[MAP_GARDENS] = "gardens",
	[MAP_GARDEN_PREFIXES] = "garden_prefixes",
	[MAP_GARDEN_COUNTS] = "garden_counts",
	[MAP_GARDEN_NAMES] = "garden_names",
	[MAP_GARDEN_LEARNED] = "garden_learned",
	[MAP_GROUPS] = "groups",
};

static const char *const program_names[PROGRAMS] = {
	[PROGRAM_UPLOAD_XDP] = "gh_upload_xdp",
	[PROGRAM_UPLOAD_TC] = "gh_upload_tc",
	[PROGRAM_DOWNLOAD_TC] = "gh_download_tc",
	[PROGRAM_CHECK_UP] = "gh_check_up",
	[PROGRAM_CHECK_DOWN] = "gh_check_down",
	[PROGRAM_EDIT] = "gh_edit",
};

/* Tail calls: the map whose one slot gets the program. */
static const struct {
	const char *map;
	const char *program;
} tail_calls[] = {
	{"responder_xdp", "gh_answer_xdp"},
	{"responder_tc", "gh_answer_tc"},
	{"learner", "gh_learn_tc"},
};

/*
 * libbpf says on its log what errno cannot: keep the first warning of a load.
 * It has one print function for the process, and we have one loop.
 */
static struct datapath_error *listener;

static int on_libbpf_print(
	enum libbpf_print_level level, const char *fmt, va_list args)
{
	size_t len;

	if (level != LIBBPF_WARN || !listener || listener->text[0])
		return 0;
	vsnprintf(listener->text, sizeof(listener->text), fmt, args);
	len = strlen(listener->text);
	while (len && listener->text[len - 1] == '\n')
		listener->text[--len] = '\0';
	return 0;
}

void datapath_listen(struct datapath_error *err)
{
	listener = err;
}

static int found(void *data, int ifindex)
{
	return 1;
}

/* Nothing may use maps that were never finished: hooks come after `meta`. */
static int discard_unfinished(struct datapath *dp, struct datapath_error *err)
{
	if (hooks_each_pinned(dp->pin_dir, found, NULL) != 0) {
		datapath_explain(err,
			"%s has links but no map 'meta': somebody removed it; "
			"remove that directory to start anew (that detaches "
			"the gate)",
			dp->pin_dir);
		return -EPROTO;
	}
	return pins_each(dp->pin_dir, pin_unlink, NULL);
}

/* Where an earlier process was killed while it carried the maps over, those
 * that it made tell. */
static int find_meta(struct datapath *dp, uint32_t clients_max, bool *ret_is_live,
	struct datapath_error *err)
{
	char path[PATH_MAX];
	int ret = migration_recover(dp->pin_dir, ret_is_live);

	if (!ret)
		ret = pin_path(path, dp->pin_dir,
			*ret_is_live ? MIGRATION_DIR : ".");
	if (!ret)
		ret = meta_read(path, &dp->meta);
	if (!ret) {
		dp->is_adopted = true;
		return meta_check(dp->pin_dir, &dp->meta, *ret_is_live, err);
	}
	if (ret != -ENOENT || *ret_is_live)
		return ret;
	ret = discard_unfinished(dp, err);
	return ret ?: meta_new(clients_max, &dp->meta);
}

static int name_maps(struct datapath *dp, struct datapath_error *err)
{
	size_t i;

	for (i = 0; i < MAPS; i++) {
		dp->maps[i] = bpf_object__find_map_fd_by_name(
			dp->object->obj, map_names[i]);
		if (dp->maps[i] < 0) {
			datapath_explain(err, "no map '%s'", map_names[i]);
			return dp->maps[i];
		}
	}
	return 0;
}

static int program_id(int fd, uint32_t *ret_id)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret_id = info.id;
	return 0;
}

static int name_programs(struct datapath *dp, struct datapath_error *err)
{
	struct bpf_program *program;
	size_t i;
	int ret;

	for (i = 0; i < PROGRAMS; i++) {
		program = bpf_object__find_program_by_name(
			dp->object->obj, program_names[i]);
		if (!program) {
			datapath_explain(
				err, "no program '%s'", program_names[i]);
			return -ENOENT;
		}
		dp->programs[i] = bpf_program__fd(program);
		ret = program_id(dp->programs[i], &dp->program_ids[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int open_pin(const char *pin_dir, const char *subdir, const char *name)
{
	char path[PATH_MAX];
	int ret = pin_path(path, pin_dir, "%s%s", subdir, name);

	return ret ?: bpf_obj_get(path);
}

static int open_program(const struct datapath *dp, const char *name)
{
	struct bpf_program *program;

	if (!dp->object)
		return open_pin(dp->pin_dir, "programs/", name);
	program = bpf_object__find_program_by_name(dp->object->obj, name);
	return program ? dup(bpf_program__fd(program)) : -1;
}

static int open_map(const struct datapath *dp, const char *name)
{
	struct bpf_map *map;

	if (!dp->object)
		return open_pin(dp->pin_dir, "", name);
	map = bpf_object__find_map_by_name(dp->object->obj, name);
	return map ? dup(bpf_map__fd(map)) : -1;
}

/* The slot is pinned with its map: programs of the build before, if they have
 * this map, call this build's answers from here on. */
static int set_tail_calls(struct datapath *dp, struct datapath_error *err)
{
	uint32_t zero = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tail_calls); i++) {
		_cleanup_fd_ int map = open_map(dp, tail_calls[i].map);
		_cleanup_fd_ int program =
			open_program(dp, tail_calls[i].program);

		if (map < 0 || program < 0) {
			/* Captives would get no redirect, and nobody know. */
			datapath_explain(err, "no %s '%s'",
				map < 0 ? "map" : "program",
				map < 0 ? tail_calls[i].map
					: tail_calls[i].program);
			return -ENOENT;
		}
		if (bpf_map_update_elem(map, &zero, &program, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

/* The responder's key: made once, and kept while its maps live, so that a
 * handshake begun before a restart ends after it. */
static int set_secret(struct datapath *dp, struct datapath_error *err)
{
	static const uint8_t none[64];
	uint8_t secret[64] = {0};
	uint32_t zero = 0;
	struct bpf_map *map;
	size_t size;

	map = bpf_object__find_map_by_name(dp->object->obj, "secret");
	if (!map) {
		datapath_explain(err, "no map 'secret'");
		return -ENOENT;
	}
	size = bpf_map__value_size(map);
	if (size > sizeof(secret))
		return -EPROTO;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &zero, secret) < 0)
		return -errno;
	if (memcmp(secret, none, size) != 0)
		return 0;
	if (getrandom(secret, size, 0) != (ssize_t)size)
		return -EIO;
	return bpf_map_update_elem(bpf_map__fd(map), &zero, secret, 0) < 0
		       ? -errno
		       : 0;
}

/* For operators and bpftool; the hooks hold their programs by themselves. */
static int pin_programs(struct datapath *dp)
{
	struct bpf_program *program;
	char path[PATH_MAX];
	int ret;

	bpf_object__for_each_program(program, dp->object->obj)
	{
		if (!bpf_program__autoload(program))
			continue;
		ret = pin_path(path, dp->pin_dir, "programs/%s",
			bpf_program__name(program));
		if (!ret)
			ret = pin_replace(bpf_program__fd(program), path);
		if (ret)
			return ret;
	}
	return 0;
}

/* The pin that says that all programs are of this build. */
static int build_pin(const struct datapath *dp, char ret_path[static PATH_MAX])
{
	uint8_t hash[CRYPTO_HASH];
	char hex[2 * BUILD_HASH + 1];
	const void *object;
	size_t size, i;

	object = gatehouse_bpf__elf_bytes(&size);
	crypto_sha256(object, size, hash);
	for (i = 0; i < BUILD_HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return pin_path(
		ret_path, dp->pin_dir, "programs/" BUILD_PREFIX "%s", hex);
}

static int unlink_build(void *data, const char *dir, const char *name)
{
	return strncmp(name, BUILD_PREFIX, strlen(BUILD_PREFIX)) == 0
		       ? pin_unlink(NULL, dir, name)
		       : 0;
}

static int unmark_build(struct datapath *dp)
{
	char dir[PATH_MAX];
	int ret = pin_path(dir, dp->pin_dir, "programs");

	return ret ?: pins_each(dir, unlink_build, NULL);
}

/* What is pinned does not matter, as long as it lives as long as the rest. */
static int mark_build(struct datapath *dp)
{
	char path[PATH_MAX];
	int ret = build_pin(dp, path);

	return ret ?: pin_replace(dp->programs[PROGRAM_EDIT], path);
}

static void close_all(int *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		fd_close(&fds[i]);
}

/* Opens all programs and maps by their pins; < 0: load them instead. */
static int adopt(struct datapath *dp)
{
	_cleanup_fd_ int mark = -1;
	struct datapath_error ignored;
	char path[PATH_MAX];
	size_t i;
	int ret;

	ret = build_pin(dp, path);
	if (!ret)
		ret = mark = bpf_obj_get(path);
	for (i = 0; ret >= 0 && i < MAPS; i++)
		ret = dp->maps[i] = open_pin(dp->pin_dir, "", map_names[i]);
	for (i = 0; ret >= 0 && i < PROGRAMS; i++) {
		ret = dp->programs[i] =
			open_pin(dp->pin_dir, "programs/", program_names[i]);
		if (ret >= 0)
			ret = program_id(ret, &dp->program_ids[i]);
	}
	if (ret >= 0)
		ret = set_tail_calls(dp, &ignored);
	if (ret < 0) {
		close_all(dp->maps, MAPS);
		close_all(dp->programs, PROGRAMS);
	}
	return ret;
}

/* A table of the size that the pinned one has, or, without one, `max`. */
static int set_max(struct datapath *dp, enum datapath_map map, uint32_t max)
{
	_cleanup_fd_ int pinned = open_pin(dp->pin_dir, "", map_names[map]);
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	if (pinned >= 0) {
		if (bpf_obj_get_info_by_fd(pinned, &info, &len) < 0)
			return -errno;
		max = info.max_entries;
	}
	return bpf_map__set_max_entries(
		bpf_object__find_map_by_name(dp->object->obj, map_names[map]),
		max);
}

static int count_record(void *data, const void *key, const void *value)
{
	++*(uint32_t *)data;
	return 0;
}

/*
 * How many records the table shall have room for: what is wanted, unless the
 * pinned one has more in it already, or is about to be replaced.
 */
static int choose_records_max(struct datapath *dp, uint32_t clients_max,
	bool is_live, uint32_t *ret_max)
{
	_cleanup_fd_ int pinned = open_pin(dp->pin_dir, "", map_names[MAP_CLIENTS]);
	_cleanup_fd_ int next = open_pin(
		dp->pin_dir, MIGRATION_DIR "/", map_names[MAP_CLIENTS]);
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info), count = 0;
	int ret = 0;

	*ret_max = clients_max + clients_max / MOVING_SHARE + MOVING_MIN;
	if (pinned < 0 && next < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(next < 0 ? pinned : next, &info, &len) < 0)
		return -errno;
	if (!is_live && dp->meta.clients_max != clients_max)
		ret = map_each(pinned, info.key_size, info.value_size,
			count_record, &count);
	if (is_live || dp->meta.clients_max == clients_max || count > clients_max)
		*ret_max = info.max_entries;
	else
		dp->meta.clients_max = clients_max;
	return ret;
}

/* Opens the object, with all said that must be said before it is loaded. */
static int prepare(struct datapath *dp, uint32_t clients_max, bool is_live,
	struct datapath_error *err, struct migration **ret_migration)
{
	uint32_t max;
	int ret;

	dp->object = gatehouse_bpf__open();
	if (!dp->object)
		return -errno;
	ret = choose_records_max(dp, clients_max, is_live, &max);
	if (!ret)
		ret = bpf_map__set_max_entries(
			bpf_object__find_map_by_name(
				dp->object->obj, map_names[MAP_CLIENTS]),
			max);
	/* A guest has a handful of addresses. */
	if (!ret)
		ret = set_max(dp, MAP_GUARDS, max);
	if (!ret)
		ret = set_max(dp, MAP_BINDINGS, 4 * max);
	return ret ?: migration_plan(dp, is_live, err, ret_migration);
}

/* `meta` comes last: maps that have it are to be adopted. */
static int write_meta(struct datapath *dp)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(dp->maps[MAP_META], &zero, &dp->meta, 0) < 0
		       ? -errno
		       : 0;
}

static int finish(struct datapath *dp, struct migration *migration,
	struct datapath_error *err)
{
	int ret;

	ret = set_secret(dp, err);
	if (!ret)
		ret = unmark_build(dp);
	if (!ret)
		ret = set_tail_calls(dp, err);
	dp->meta.layout = GH_LAYOUT;
	dp->is_carried_over = migration_is_needed(migration);
	if (!ret)
		ret = dp->is_carried_over ? migration_run(migration)
					  : migration_write_fields(migration);
	if (!ret)
		ret = pin_programs(dp);
	if (!ret)
		ret = mark_build(dp);
	return ret ?: write_meta(dp);
}

static int load(struct datapath *dp, uint32_t clients_max, bool is_live,
	struct datapath_error *err)
{
	struct migration *migration = NULL;
	int ret = prepare(dp, clients_max, is_live, err, &migration);

	if (!ret)
		ret = gatehouse_bpf__load(dp->object);
	if (!ret)
		ret = name_maps(dp, err);
	if (!ret)
		ret = name_programs(dp, err);
	if (!ret)
		ret = finish(dp, migration, err);
	migration_free(migration);
	return ret;
}

int datapath_open(const struct datapath_options *options,
	struct datapath_error *err, struct datapath **ret_datapath)
{
	bool is_live = false, may_adopt;
	struct datapath *dp;
	int ret;

	err->text[0] = '\0';
	if (strlen(options->pin_dir) >= sizeof(dp->pin_dir))
		return -ENAMETOOLONG;
	dp = xcalloc(1, sizeof(*dp));
	snprintf(dp->pin_dir, sizeof(dp->pin_dir), "%s", options->pin_dir);
	dp->without_tcx = options->without_tcx;
	dp->lock_fd = -1;
	memset(dp->maps, -1, sizeof(dp->maps));
	memset(dp->programs, -1, sizeof(dp->programs));
	libbpf_set_print(on_libbpf_print);
	listener = err;
	ret = pins_open(dp->pin_dir, err, &dp->lock_fd);
	if (!ret)
		ret = find_meta(dp, options->clients_max, &is_live, err);
	may_adopt = dp->is_adopted && !is_live &&
		    dp->meta.clients_max == options->clients_max;
	if (!ret && !(may_adopt && adopt(dp) == 0))
		ret = load(dp, options->clients_max, is_live, err);
	listener = NULL;
	if (ret) {
		datapath_close(dp);
		return ret;
	}
	*ret_datapath = dp;
	return 0;
}

void datapath_close(struct datapath *dp)
{
	if (!dp)
		return;
	if (!dp->object) {
		close_all(dp->maps, MAPS);
		close_all(dp->programs, PROGRAMS);
	}
	gatehouse_bpf__destroy(dp->object);
	/* Closing the descriptor gives up the lock. */
	fd_close(&dp->lock_fd);
	free(dp);
}

const struct gh_meta *datapath_meta(const struct datapath *dp)
{
	return &dp->meta;
}

uint32_t datapath_records_max(const struct datapath *dp)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(dp->maps[MAP_CLIENTS], &info, &len) < 0)
		return dp->meta.clients_max;
	return info.max_entries;
}

bool datapath_adopted(const struct datapath *dp)
{
	return dp->is_adopted;
}

bool datapath_carried_over(const struct datapath *dp)
{
	return dp->is_carried_over;
}
