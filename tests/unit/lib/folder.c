/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests leave behind on a disk goes through here: files of one folder, made
 * by mkdtemp(), and never anything above it.
 */
#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void lib_folder_clear(const char *path, const char *keep)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (!keep || strcmp(entry->d_name, keep) != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void lib_folder_remove(const char *path)
{
	if (access(path, F_OK) && errno == ENOENT)
		return;
	lib_folder_clear(path, NULL);
	assert_int_equal(rmdir(path), 0);
}

int lib_count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	int lines = 0, c;

	assert_non_null(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}
