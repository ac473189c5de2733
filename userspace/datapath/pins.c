/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of pins: maps as files of their own name in pin_dir, programs
 * in pin_dir/programs, links in pin_dir/links. Whoever changes anything below
 * it holds the lock on pin_dir, so two processes cannot load side by side.
 *
 * Unlinking a map's pin loses every record in it: only datapath_unload() and
 * a loader that made the maps a moment ago may do that.
 */
#include "datapath/handle.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>

#include "base/util.h"

#define BPFFS_DIR     "/sys/fs/bpf"
#define PIN_NAMES_MAX (4 * GH_IFINDEX_MAX)

void datapath_explain(struct datapath_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
}

int pin_path(char ret_path[static PATH_MAX], const char *dir, const char *fmt, ...)
{
	char text[PATH_MAX];
	va_list args;
	size_t n;
	int len;

	n = strlen(dir);
	if (n + 2 > sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, dir, n);
	text[n++] = '/';
	va_start(args, fmt);
	len = vsnprintf(text + n, sizeof(text) - n, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text) - n)
		return -ENAMETOOLONG;
	memcpy(ret_path, text, n + len + 1);
	return 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* The usual place gets its usual mount; any other is the operator's affair. */
static int ensure_bpffs(const char *pin_dir, struct datapath_error *err)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", pin_dir);
	do {
		slash = strrchr(parent, '/');
		if (!slash || slash == parent)
			break;
		*slash = '\0';
	} while (access(parent, F_OK) < 0);
	if (is_bpffs(parent))
		return 0;
	if (strncmp(pin_dir, BPFFS_DIR "/", strlen(BPFFS_DIR) + 1) != 0) {
		datapath_explain(err,
			"%s is not in a bpffs: mount one there "
			"(mount -t bpf bpf DIR)",
			pin_dir);
		return -EINVAL;
	}
	if (mount("bpf", BPFFS_DIR, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "mode=0700") < 0) {
		datapath_explain(err, "cannot mount a bpffs at " BPFFS_DIR ": %s",
			strerror(errno));
		return -errno;
	}
	return 0;
}

static int make_dir(const char *path, struct datapath_error *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	datapath_explain(err, "cannot make %s: %s", path, strerror(errno));
	return -errno;
}

static int make_dirs(const char *pin_dir, struct datapath_error *err)
{
	static const char *const subdirs[] = {"programs", "links"};
	char path[PATH_MAX];
	char *slash;
	size_t i;
	int ret;

	snprintf(path, sizeof(path), "%s", pin_dir);
	for (slash = strchr(path + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (access(path, F_OK) < 0 && (ret = make_dir(path, err)) < 0)
			return ret;
		*slash = '/';
	}
	ret = make_dir(pin_dir, err);
	for (i = 0; !ret && i < ARRAY_SIZE(subdirs); i++) {
		ret = pin_path(path, pin_dir, "%s", subdirs[i]);
		if (!ret)
			ret = make_dir(path, err);
	}
	return ret;
}

int pins_open(const char *pin_dir, struct datapath_error *err, int *ret_lock_fd)
{
	_cleanup_fd_ int fd = -1;
	int ret;

	ret = ensure_bpffs(pin_dir, err);
	if (!ret)
		ret = make_dirs(pin_dir, err);
	if (ret)
		return ret;
	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (ret == -EBUSY)
			datapath_explain(err, "%s is in use by another process",
				pin_dir);
		return ret;
	}
	*ret_lock_fd = TAKE_FD(fd);
	return 0;
}

int pin_replace(int fd, const char *path)
{
	char fresh[PATH_MAX];

	/* A bpffs renames over a file in one step, but does not pin so. */
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s-new", path) >=
		sizeof(fresh))
		return -ENAMETOOLONG;
	unlink(fresh);
	if (bpf_obj_pin(fd, fresh) < 0)
		return -errno;
	if (rename(fresh, path) < 0) {
		int ret = -errno;

		unlink(fresh);
		return ret;
	}
	return 0;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct names {
	char (*name)[NAME_MAX + 1];
	size_t count, size;
};

static void free_names(struct names *names)
{
	free(names->name);
}

static int add_name(struct names *names, const char *name)
{
	if (names->count == PIN_NAMES_MAX)
		return -E2BIG;
	ARRAY_GROW(names->name, names->count, names->size);
	snprintf(names->name[names->count++], sizeof(names->name[0]), "%s", name);
	return 0;
}

int pins_each(const char *dir,
	int (*fn)(void *data, const char *dir, const char *name), void *data)
{
	_cleanup_(close_dir) DIR *d = opendir(dir);
	_cleanup_(free_names) struct names names = {0};
	struct dirent *entry;
	size_t i;
	int ret = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(d)) != NULL)
		if (entry->d_type != DT_DIR) {
			ret = add_name(&names, entry->d_name);
			if (ret)
				return ret;
		}
	for (i = 0; !ret && i < names.count; i++)
		ret = fn(data, dir, names.name[i]);
	return ret;
}

int pin_unlink(void *data, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int ret = pin_path(path, dir, "%s", name);

	if (!ret && unlink(path) < 0 && errno != ENOENT)
		ret = -errno;
	return ret;
}

static int detach_one(void *data, int ifindex)
{
	return hooks_detach_pinned(data, ifindex);
}

/*
 * The hooks first, so that no program runs on maps that are half gone; then
 * `meta`, which says that the rest is to be adopted; then the rest.
 */
static int remove_pins(const char *pin_dir)
{
	static const char *const dirs[] = {"links", "programs", MIGRATION_DIR};
	char path[PATH_MAX];
	size_t i;
	int ret;

	ret = hooks_each_pinned(pin_dir, detach_one, (void *)pin_dir);
	if (!ret)
		ret = pin_unlink(NULL, pin_dir, "meta");
	if (!ret)
		ret = pins_each(pin_dir, pin_unlink, NULL);
	for (i = 0; !ret && i < ARRAY_SIZE(dirs); i++) {
		ret = pin_path(path, pin_dir, "%s", dirs[i]);
		if (!ret)
			ret = pins_each(path, pin_unlink, NULL);
		if (!ret && rmdir(path) < 0 && errno != ENOENT)
			ret = -errno;
	}
	if (!ret && rmdir(pin_dir) < 0)
		ret = -errno;
	return ret;
}

int datapath_unload(const char *pin_dir, struct datapath_error *err)
{
	_cleanup_fd_ int lock_fd = -1;
	int ret;

	err->text[0] = '\0';
	if (access(pin_dir, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
	ret = pins_open(pin_dir, err, &lock_fd);
	if (ret)
		return ret;
	ret = remove_pins(pin_dir);
	if (ret)
		datapath_explain(err, "cannot remove all of %s: %s", pin_dir,
			strerror(-ret));
	return ret;
}
