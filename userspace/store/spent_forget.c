/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a device out of spent.log: each file that names it is written anew and
 * takes the old one's place. What was spent stays, without saying by whom.
 */
#include <fcntl.h>
#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "store/handle.h"
#include "store/spent.h"
#include "store/spent_line.h"

#define NAME   "\"mac\":"
#define NOBODY NAME "null"

/* The object without the name; NULL: it is not in it, or the line is none. */
static char *without(const char *line, const char *named, int64_t *ret_seq)
{
	_cleanup_free_ char *copy = NULL;
	char *object, *at;

	/* Most lines name somebody else, and a sum takes its time. */
	if (!strstr(line, named))
		return NULL;
	copy = xstrdup(line);
	if (spent_line_parse(copy, ret_seq, &object))
		return NULL;
	at = strstr(object, named);
	if (!at)
		return NULL;
	*at = '\0';
	return xasprintf("%s" NOBODY "%s", object, at + strlen(named));
}

static int copy_lines(FILE *from, FILE *to, const char *named, int *ret_changed)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, from) > 0) {
		char sum[SPENT_SUM];
		int64_t seq;
		_cleanup_free_ char *object = without(line, named, &seq);

		if (!object) {
			fputs(line, to);
			continue;
		}
		spent_line_sum(seq, object, sum);
		fprintf(to, "%lld %s %s\n", (long long)seq, sum, object);
		++*ret_changed;
	}
	/* What is missing in it is missing for ever: no error may be overlooked. */
	return ferror(from) || fflush(to) || ferror(to) || fsync(fileno(to))
		       ? -EIO
		       : 0;
}

/* As spent.log itself: for nobody else's eyes. */
static FILE *make_file(const char *path)
{
	_cleanup_fd_ int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (file)
		fd = -1;
	return file;
}

static int forget_in(const char *path, const char *named)
{
	_cleanup_free_ char *part = xasprintf("%s.part", path);
	FILE *from = fopen(path, "re"), *to = from ? make_file(part) : NULL;
	int changed = 0, ret = to ? copy_lines(from, to, named, &changed) : -errno;

	if (from)
		fclose(from);
	if (to && fclose(to) && !ret)
		ret = -EIO;
	if (!ret && changed)
		return rename(part, path) ? -errno : 0;
	if (to)
		unlink(part);
	return ret;
}

/* The full file that is next; 0: none. */
static int next_full(const char *path, int64_t after, int64_t *ret_seq)
{
	_cleanup_free_ int64_t *full = NULL;
	int n = spent_full_files(path, &full), i;

	*ret_seq = 0;
	for (i = 0; i < n; i++)
		if (full[i] > after && (!*ret_seq || full[i] < *ret_seq))
			*ret_seq = full[i];
	return MIN(n, 0);
}

int store_spent_forget(
	struct store *store, const struct mac *mac, int64_t *after)
{
	_cleanup_free_ char *path = NULL, *named = NULL, *name = NULL;
	char text[MAC_TEXT];
	int64_t seq;
	int ret;

	if (!store->spent.path)
		return 0;
	path = xstrdup(store->spent.path);
	named = xasprintf(NAME "\"%s\"", mac_format(mac, text));
	ret = next_full(path, *after, &seq);
	if (ret)
		return ret;
	if (seq) {
		name = spent_full_name(path, seq);
		*after = seq;
		return forget_in(name, named) ?: 1;
	}
	ret = forget_in(path, named);
	/* Another file has the name now; its place is synced by that as well. */
	return ret ? ret : store_spent_open(store, path);
}
