/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comma-separated values (RFC 4180), as spreadsheets read and write them.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stdio.h>

/*
 * One cell, quoted where it must be; NULL: an empty one. `is_first`: of its row;
 * the caller ends the row with "\r\n". Text that a spreadsheet would take for a
 * formula (it begins with = + - @ or a tab) gets an apostrophe in front, so no
 * numbers below 0 here.
 */
void csv_put(FILE *out, const char *text, bool is_first);

/*
 * Takes a line apart in place: quotes and the line's end go. Returns how many
 * cells there are, at most `max`. A quoted cell cannot go on in the next line.
 */
int csv_split(char *line, char **cells, int max);

#endif
