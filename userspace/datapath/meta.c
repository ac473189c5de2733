/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map `meta`: which layout the pinned maps have and of which boot they
 * are. A layout's number says only which of two is the newer one; how they
 * differ is in the map `fields`.
 */
#include "datapath/handle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/util.h"

#define NEWER_TEXT                                                             \
	"the maps in %s were made by a newer gatehoused (layout %u, this one " \
	"has %u): the gate goes on as it is; install that version again, or "  \
	"let its 'gatehousectl unload' remove them"
#define LIVE_TEXT                                                              \
	"a gatehoused that was carrying the maps in %s over to layout %u was " \
	"killed (this one has %u): the gate goes on; start that version again"

/* The running boot as 16 bytes. */
static int boot_id(uint8_t ret_id[static 16])
{
	char text[BOOT_ID_TEXT];
	uint8_t id[16];
	size_t n = 0;
	char *c;
	int ret;

	ret = clock_boot_id(text);
	if (ret)
		return ret;
	for (c = text; *c && n < sizeof(id); c += 2) {
		unsigned int byte;

		if (*c == '-')
			c++;
		if (sscanf(c, "%2x", &byte) != 1)
			return -EBADMSG;
		id[n++] = byte;
	}
	if (n != sizeof(id))
		return -EBADMSG;
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

int meta_read(const char *pin_dir, struct gh_meta *ret_meta)
{
	_cleanup_fd_ int fd = -1;
	uint8_t value[256] = {0};
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info), zero = 0;
	char path[PATH_MAX];
	int ret;

	ret = pin_path(path, pin_dir, "meta");
	if (ret)
		return ret;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	if (info.value_size < sizeof(uint32_t) || info.value_size > sizeof(value))
		return -EPROTO;
	if (bpf_map_lookup_elem(fd, &zero, value) < 0)
		return -errno;
	memcpy(ret_meta, value, sizeof(*ret_meta));
	return ret_meta->layout == 0 ? -ENOENT : 0;
}

int meta_check(const char *pin_dir, const struct gh_meta *meta, bool is_live,
	struct datapath_error *err)
{
	uint8_t now[16];
	int ret;

	if (meta->layout > GH_LAYOUT || (is_live && meta->layout < GH_LAYOUT)) {
		datapath_explain(err, is_live ? LIVE_TEXT : NEWER_TEXT, pin_dir,
			meta->layout, GH_LAYOUT);
		return -EPROTO;
	}
	ret = boot_id(now);
	if (ret)
		return ret;
	if (memcmp(now, meta->boot_id, sizeof(now)) != 0) {
		datapath_explain(err,
			"the maps in %s are of another boot: their times mean "
			"nothing now; remove that directory",
			pin_dir);
		return -ESTALE;
	}
	return 0;
}

int meta_new(uint32_t clients_max, struct gh_meta *ret_meta)
{
	struct gh_meta meta = {
		.layout = GH_LAYOUT,
		.clients_max = clients_max,
	};
	int ret;

	ret = boot_id(meta.boot_id);
	if (ret)
		return ret;
	if (getrandom(&meta.generation, sizeof(meta.generation), 0) !=
		sizeof(meta.generation))
		return -EIO;
	*ret_meta = meta;
	return 0;
}

