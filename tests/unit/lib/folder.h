/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and files of a test's own. */
#ifndef TESTS_UNIT_LIB_FOLDER_H
#define TESTS_UNIT_LIB_FOLDER_H

/* The files in it go, but `keep` (NULL: none). */
void lib_folder_clear(const char *path, const char *keep);
/* All of it goes; it has files only. Fine when it is not there. */
void lib_folder_remove(const char *path);
int lib_count_lines(const char *path);

#endif
