/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: which program decides on which interface. A link is pinned as
 * links/<ifindex>-up or -down and outlives us; a clsact filter has nothing to
 * pin, so the map `meta` is pinned as links/<ifindex>-up-clsact, and as
 * links/<ifindex>-qdisc where the qdisc is of our making. Those names are all
 * that a later process, or unload, needs to know.
 *
 * A pin whose interface was deleted looks alive but says ifindex 0. A program
 * is replaced through its link, never by detaching first.
 */
#include "datapath/hooks.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "datapath/handle.h"

/* Of newer kernels than the headers of the reference system. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define LINK_TYPE_TCX	   11
#define FLAG_BEFORE	   (1U << 3) /* BPF_F_BEFORE: alone, the very first */
#define TCX_PROGRAMS_MAX   64	     /* the kernel's limit per hook */

/* One direction of one interface. */
struct side {
	struct datapath *dp;
	int ifindex;
	bool is_up;
	enum datapath_program xdp; /* PROGRAMS: none for this side */
	enum datapath_program tc;
};

static struct side side_of(
	struct datapath *dp, int ifindex, enum hook_role role, bool is_up)
{
	struct side side = {dp, ifindex, is_up, PROGRAMS, PROGRAMS};

	if (role == HOOK_ROLE_MASTER) {
		side.tc = is_up ? PROGRAM_CHECK_UP : PROGRAM_CHECK_DOWN;
	} else if (is_up) {
		side.xdp = PROGRAM_UPLOAD_XDP;
		side.tc = PROGRAM_UPLOAD_TC;
	} else {
		side.tc = PROGRAM_DOWNLOAD_TC;
	}
	return side;
}

static int side_path(char ret_path[static PATH_MAX], const char *pin_dir,
	int ifindex, bool is_up, const char *suffix)
{
	return pin_path(ret_path, pin_dir, "links/%d-%s%s", ifindex,
		is_up ? "up" : "down", suffix);
}

/* The link pinned at `path`: its way, its interface (0: dead), its program. */
struct pinned {
	enum hook_way way;
	uint32_t ifindex;
	uint32_t program_id;
};

static int read_pinned(const char *path, int *ret_fd, struct pinned *ret_pinned)
{
	_cleanup_fd_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	/* TCX, unknown to these headers, has its ifindex at the same place. */
	ret_pinned->ifindex = info.xdp.ifindex;
	ret_pinned->program_id = info.prog_id;
	if (info.type == BPF_LINK_TYPE_XDP)
		ret_pinned->way = HOOK_WAY_XDP;
	else if (info.type == LINK_TYPE_TCX)
		ret_pinned->way = HOOK_WAY_TCX;
	else
		ret_pinned->way = HOOK_WAY_NONE;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool has_marker(
	const char *pin_dir, int ifindex, bool is_up, const char *suffix)
{
	char path[PATH_MAX];

	return side_path(path, pin_dir, ifindex, is_up, suffix) == 0 &&
	       access(path, F_OK) == 0;
}

/* Detaching. */

static int detach_link(const char *pin_dir, int ifindex, bool is_up)
{
	_cleanup_fd_ int fd = -1;
	struct pinned pinned;
	char path[PATH_MAX];
	int ret;

	ret = side_path(path, pin_dir, ifindex, is_up, "");
	if (ret)
		return ret;
	ret = read_pinned(path, &fd, &pinned);
	/* Unlinking alone would detach at some later moment. */
	if (!ret)
		bpf_link_detach(fd);
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int detach_clsact(const char *pin_dir, int ifindex, bool is_up)
{
	char path[PATH_MAX];
	int ret;

	ret = side_path(path, pin_dir, ifindex, is_up, "-clsact");
	if (ret || access(path, F_OK) < 0)
		return ret;
	ret = clsact_detach(ifindex, is_up);
	if (!ret && unlink(path) < 0)
		ret = -errno;
	return ret;
}

static int detach_qdisc(const char *pin_dir, int ifindex)
{
	char path[PATH_MAX];
	int ret;

	ret = pin_path(path, pin_dir, "links/%d-qdisc", ifindex);
	if (ret || access(path, F_OK) < 0)
		return ret;
	ret = clsact_remove_qdisc(ifindex);
	if (!ret && unlink(path) < 0)
		ret = -errno;
	return ret;
}

static int detach_side(const char *pin_dir, int ifindex, bool is_up)
{
	int link = detach_link(pin_dir, ifindex, is_up);
	int filter = detach_clsact(pin_dir, ifindex, is_up);

	return link ?: filter;
}

int hooks_detach_pinned(const char *pin_dir, int ifindex)
{
	int up = detach_side(pin_dir, ifindex, true);
	int down = detach_side(pin_dir, ifindex, false);
	int qdisc = detach_qdisc(pin_dir, ifindex);

	return up ?: down ?: qdisc;
}

int hooks_detach(struct datapath *dp, int ifindex)
{
	return hooks_detach_pinned(dp->pin_dir, ifindex);
}

/* Attaching. */

static int pin_link(const struct side *side, int fd)
{
	char path[PATH_MAX];
	int ret;

	ret = side_path(path, side->dp->pin_dir, side->ifindex, side->is_up, "");
	return ret ?: pin_replace(fd, path);
}

static int create_link(const struct side *side, enum hook_way way)
{
	DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts);
	_cleanup_fd_ int fd = -1;
	enum bpf_attach_type type;

	if (way == HOOK_WAY_XDP) {
		type = BPF_XDP;
		opts.flags = XDP_FLAGS_DRV_MODE;
	} else {
		type = side->is_up ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS;
		opts.flags = FLAG_BEFORE;
	}
	fd = bpf_link_create(
		side->dp->programs[way == HOOK_WAY_XDP ? side->xdp : side->tc],
		side->ifindex, type, &opts);
	if (fd < 0)
		/* EEXIST with XDP: a program in generic mode is there. */
		return way == HOOK_WAY_XDP && errno == EEXIST ? -EBUSY : -errno;
	return pin_link(side, fd);
}

static int pin_marker(const struct side *side, const char *name)
{
	char path[PATH_MAX];
	int ret;

	ret = pin_path(
		path, side->dp->pin_dir, "links/%d-%s", side->ifindex, name);
	return ret ?: pin_replace(side->dp->maps[MAP_META], path);
}

static int attach_clsact(const struct side *side)
{
	const char *name = side->is_up ? "up-clsact" : "down-clsact";
	const char *pin_dir = side->dp->pin_dir;
	bool was_ours =
		has_marker(pin_dir, side->ifindex, side->is_up, "-clsact");
	bool made_qdisc = false;
	int ret, marked = 0;

	ret = clsact_attach(side->ifindex, side->is_up,
		side->dp->programs[side->tc], was_ours, &made_qdisc);
	if (made_qdisc)
		marked = pin_marker(side, "qdisc");
	if (!ret && !was_ours)
		ret = pin_marker(side, name);
	return ret ?: marked;
}

static int attach_tc(const struct side *side, enum hook_way *ret_way)
{
	int ret = -EINVAL;

	if (!side->dp->without_tcx)
		ret = create_link(side, HOOK_WAY_TCX);
	if (!ret) {
		*ret_way = HOOK_WAY_TCX;
		return detach_clsact(
			side->dp->pin_dir, side->ifindex, side->is_up);
	}
	/* EINVAL: a kernel that knows no TCX. */
	if (ret != -EINVAL)
		return ret;
	ret = attach_clsact(side);
	if (!ret)
		*ret_way = HOOK_WAY_CLSACT;
	return ret;
}

static bool wants_xdp(const struct side *side, enum hook_mode mode)
{
	return side->xdp != PROGRAMS && mode != HOOK_MODE_TC;
}

/* A pinned link that still decides gets this build's program: no gap. */
static int take_over(
	const struct side *side, enum hook_mode mode, enum hook_way *ret_way)
{
	_cleanup_fd_ int fd = -1;
	struct pinned pinned;
	char path[PATH_MAX];
	int ret;

	ret = side_path(path, side->dp->pin_dir, side->ifindex, side->is_up, "");
	if (!ret)
		ret = read_pinned(path, &fd, &pinned);
	if (ret)
		return ret;
	if ((int)pinned.ifindex != side->ifindex)
		return -ENOENT;
	if (pinned.way == HOOK_WAY_XDP) {
		if (!wants_xdp(side, mode))
			return -ENOENT;
	} else if (side->dp->without_tcx ||
		   (mode == HOOK_MODE_XDP && side->xdp != PROGRAMS)) {
		return -ENOENT;
	}
	if (bpf_link_update(fd,
		    side->dp->programs[pinned.way == HOOK_WAY_XDP ? side->xdp
								  : side->tc],
		    NULL) < 0)
		return -errno;
	*ret_way = pinned.way;
	return 0;
}

/* What an older process, or an earlier way, left at this side is taken off when
 * the new hook is in force already. */
static int attach_new(
	const struct side *side, enum hook_mode mode, enum hook_way *ret_way)
{
	_cleanup_fd_ int old_fd = -1;
	struct pinned old;
	char path[PATH_MAX];
	int ret;

	ret = side_path(path, side->dp->pin_dir, side->ifindex, side->is_up, "");
	if (ret)
		return ret;
	if (read_pinned(path, &old_fd, &old) < 0)
		old_fd = -1;
	ret = -EOPNOTSUPP;
	if (wants_xdp(side, mode)) {
		ret = create_link(side, HOOK_WAY_XDP);
		if (!ret)
			*ret_way = HOOK_WAY_XDP;
	}
	if (ret == -ENODEV ||
		(ret && wants_xdp(side, mode) && mode == HOOK_MODE_XDP))
		return ret;
	if (ret)
		ret = attach_tc(side, ret_way);
	else
		ret = detach_clsact(
			side->dp->pin_dir, side->ifindex, side->is_up);
	if (ret)
		return ret;
	if (*ret_way == HOOK_WAY_CLSACT)
		return detach_link(side->dp->pin_dir, side->ifindex, side->is_up);
	if (old_fd >= 0)
		bpf_link_detach(old_fd);
	return 0;
}

static int attach_side(const struct side *side, enum hook_mode mode,
	bool *ret_is_new, enum hook_way *ret_way)
{
	int ret = take_over(side, mode, ret_way);

	*ret_is_new = ret != 0;
	return ret ? attach_new(side, mode, ret_way) : 0;
}

static void explain(struct datapath_error *err, int ret, bool is_up)
{
	const char *direction = is_up ? "upload" : "download";

	if (ret == -ENODEV)
		datapath_explain(err, "the interface went away");
	else if (ret == -EOPNOTSUPP)
		datapath_explain(err, "its driver has no native XDP: "
				      "set hook = tc (or auto)");
	else if (ret == -EBUSY)
		datapath_explain(err, "another XDP program is attached: remove "
				      "it or set hook = tc");
	else if (ret == -EEXIST)
		datapath_explain(err,
			"another tc filter has priority 1 at "
			"%s: give it a higher number",
			direction);
	else
		datapath_explain(
			err, "cannot attach %s: %s", direction, strerror(-ret));
}

int hooks_attach(struct datapath *dp, int ifindex, enum hook_role role,
	enum hook_mode mode, struct datapath_error *err,
	struct hook_state *ret_state)
{
	struct side down = side_of(dp, ifindex, role, false);
	struct side up = side_of(dp, ifindex, role, true);
	struct hook_state state = {HOOK_WAY_NONE, HOOK_WAY_NONE};
	bool is_new_down, is_new_up;
	int ret;

	err->text[0] = '\0';
	ret = attach_side(&down, mode, &is_new_down, &state.down);
	if (ret) {
		explain(err, ret, false);
		return ret;
	}
	ret = attach_side(&up, mode, &is_new_up, &state.up);
	if (ret) {
		explain(err, ret, true);
		if (is_new_down) {
			detach_side(dp->pin_dir, ifindex, false);
			detach_qdisc(dp->pin_dir, ifindex);
		}
		return ret;
	}
	*ret_state = state;
	return 0;
}

/* Switching: whatever is pinned, to this build's programs. */

static int switch_side(const struct side *side)
{
	_cleanup_fd_ int fd = -1;
	struct pinned pinned;
	char path[PATH_MAX];
	bool made;
	uint32_t id;
	int ret;

	ret = side_path(path, side->dp->pin_dir, side->ifindex, side->is_up, "");
	if (ret)
		return ret;
	if (!read_pinned(path, &fd, &pinned) &&
		(int)pinned.ifindex == side->ifindex &&
		bpf_link_update(fd,
			side->dp->programs[pinned.way == HOOK_WAY_XDP
						   ? PROGRAM_UPLOAD_XDP
						   : side->tc],
			NULL) < 0)
		return -errno;
	if (!has_marker(side->dp->pin_dir, side->ifindex, side->is_up,
		    "-clsact") ||
		clsact_lookup(side->ifindex, side->is_up, &id) < 0)
		return 0;
	return clsact_attach(side->ifindex, side->is_up,
		side->dp->programs[side->tc], true, &made);
}

static int switch_port(void *data, int ifindex)
{
	struct datapath *dp = data;
	struct gh_interface interface = {0};
	enum hook_role role = HOOK_ROLE_PORT;
	struct side up, down;
	int ret;

	datapath_interface_lookup(dp, ifindex, &interface);
	if (interface.flags & GH_INTERFACE_MASTER)
		role = HOOK_ROLE_MASTER;
	down = side_of(dp, ifindex, role, false);
	up = side_of(dp, ifindex, role, true);
	ret = switch_side(&down);
	return ret ?: switch_side(&up);
}

int hooks_switch(struct datapath *dp)
{
	return hooks_each_pinned(dp->pin_dir, switch_port, dp);
}

/* Checking. */

static enum hook_fault check_first(const struct side *side)
{
	DECLARE_LIBBPF_OPTS(bpf_prog_query_opts, opts);
	uint32_t ids[TCX_PROGRAMS_MAX] = {0};

	opts.prog_ids = ids;
	opts.prog_cnt = ARRAY_SIZE(ids);
	if (bpf_prog_query_opts(side->ifindex,
		    side->is_up ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS,
		    &opts) < 0)
		return HOOK_FAULT_GONE;
	return ids[0] == side->dp->program_ids[side->tc] ? HOOK_FAULT_NONE
							 : HOOK_FAULT_BEHIND;
}

static enum hook_fault check_link(const struct side *side, enum hook_way way)
{
	_cleanup_fd_ int fd = -1;
	struct pinned pinned;
	char path[PATH_MAX];

	if (side_path(path, side->dp->pin_dir, side->ifindex, side->is_up, "") <
			0 ||
		read_pinned(path, &fd, &pinned) < 0 ||
		(int)pinned.ifindex != side->ifindex || pinned.way != way)
		return HOOK_FAULT_GONE;
	if (pinned.program_id !=
		side->dp->program_ids[way == HOOK_WAY_XDP ? side->xdp : side->tc])
		return HOOK_FAULT_OTHER;
	return way == HOOK_WAY_TCX ? check_first(side) : HOOK_FAULT_NONE;
}

static enum hook_fault check_side(const struct side *side, enum hook_way way)
{
	uint32_t id;

	if (way == HOOK_WAY_NONE)
		return HOOK_FAULT_GONE;
	if (way != HOOK_WAY_CLSACT)
		return check_link(side, way);
	if (clsact_lookup(side->ifindex, side->is_up, &id) < 0)
		return HOOK_FAULT_GONE;
	return id == side->dp->program_ids[side->tc] ? HOOK_FAULT_NONE
						     : HOOK_FAULT_OTHER;
}

enum hook_fault hooks_check(struct datapath *dp, int ifindex,
	enum hook_role role, const struct hook_state *state)
{
	struct side up = side_of(dp, ifindex, role, true);
	struct side down = side_of(dp, ifindex, role, false);
	enum hook_fault fault;

	fault = check_side(&up, state->up);
	return fault ? fault : check_side(&down, state->down);
}

uint32_t hooks_xdp_before(int ifindex, const struct hook_state *state)
{
	uint32_t id = 0;

	if (state->up != HOOK_WAY_TCX && state->up != HOOK_WAY_CLSACT)
		return 0;
	return bpf_xdp_query_id(ifindex, 0, &id) < 0 ? 0 : id;
}

/* Listing. */

struct each {
	int (*fn)(void *data, int ifindex);
	void *data;
	uint64_t seen[GH_IFINDEX_MAX / 64];
};

/* An interface has up to five pins; one call each. */
static int each_name(void *data, const char *dir, const char *name)
{
	struct each *each = data;
	char *end;
	unsigned long ifindex = strtoul(name, &end, 10);

	if (*end != '-' || ifindex == 0)
		return 0;
	if (ifindex < GH_IFINDEX_MAX) {
		if (each->seen[ifindex / 64] & (1ULL << (ifindex % 64)))
			return 0;
		each->seen[ifindex / 64] |= 1ULL << (ifindex % 64);
	}
	return each->fn(each->data, ifindex);
}

int hooks_each_pinned(
	const char *pin_dir, int (*fn)(void *data, int ifindex), void *data)
{
	struct each each = {fn, data, {0}};
	char path[PATH_MAX];
	int ret;

	ret = pin_path(path, pin_dir, "links");
	return ret ?: pins_each(path, each_name, &each);
}

int hooks_each(struct datapath *dp, int (*fn)(void *data, int ifindex), void *data)
{
	return hooks_each_pinned(dp->pin_dir, fn, data);
}

const char *hook_way_name(enum hook_way way)
{
	static const char *const names[] = {
		[HOOK_WAY_NONE] = "none",
		[HOOK_WAY_XDP] = "xdp",
		[HOOK_WAY_TCX] = "tcx",
		[HOOK_WAY_CLSACT] = "clsact",
	};

	return (size_t)way < ARRAY_SIZE(names) ? names[way] : "none";
}
