/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, for vouchers.import and members.import. */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include <stdio.h>

#include "base/json.h"

/* A file, not a frame, is too long for one request. Returns 0 with a reply. */
typedef int import_call_fn(void *data, json_t *args, json_t **ret_reply);

/*
 * Reads codes from `file`, one a line: the first cell, or that of the column
 * named "code". Calls with `args` and as many as fit in,
 * until all are in or one reply is a refusal; *ret_reply is that, or a success
 * with all counts added up. -EIO of the file, or what `call` returned.
 */
int import_codes(FILE *file, json_t *args, import_call_fn *call, void *data,
	json_t **ret_reply);

/*
 * The same of members: the heading, and lines of CSV. *ret_reply adds up what is
 * "added" and "changed", and what "failed" by the number of its line.
 */
int import_members(FILE *file, json_t *args, import_call_fn *call, void *data,
	json_t **ret_reply);

#endif
