/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes of elsewhere, from a file to the daemon, a few hundred at a time. What
 * is in already is not taken twice, so a file that was cut off half-way is
 * simply imported again.
 */
#include "ctl/import.h"

#include <ctype.h>
#include <string.h>

#include "base/csv.h"
#include "base/util.h"
#include "gatehouse/ctl.h"

#define CELLS_MAX 64
#define CODES_BYTES 4000 /* what the operation takes */

struct import {
	json_t *args;
	import_call_fn *call;
	void *data;
	char codes[CODES_BYTES + 1];
	size_t len;
	json_t *total;
};

static void add_up(json_t *total, const json_t *reply, const char *key)
{
	json_object_set_new(total, key,
		json_integer(json_integer_value(json_object_get(total, key)) +
			     json_integer_value(json_object_get(reply, key))));
}

/* What has gathered, to the daemon. 1: it refused, and `total` says why. */
static int flush(struct import *import)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret;

	if (!import->len)
		return 0;
	json_object_set_new(import->args, "codes", json_string(import->codes));
	ret = import->call(import->data, import->args, &reply);
	if (ret)
		return ret;
	import->len = 0;
	if (!json_is_true(json_object_get(reply, "success")) || !import->total) {
		json_put(&import->total);
		import->total = json_incref(reply);
		return !json_is_true(json_object_get(reply, "success"));
	}
	add_up(import->total, reply, "added");
	add_up(import->total, reply, "known");
	add_up(import->total, reply, "weak");
	json_array_extend(json_object_get(import->total, "refused"),
		json_object_get(reply, "refused"));
	return 0;
}

/* Without the spaces and dashes that people read codes by. What is no code at
 * all is not sent: it would not be JSON, or two codes. */
static int add(struct import *import, const char *cell)
{
	char code[CTL_CODE_MAX + 1];
	size_t len = 0;
	int ret = 0;

	for (; *cell && len < CTL_CODE_MAX; cell++)
		if (*cell != ' ' && *cell != '-' && *cell != '\t')
			code[len++] = isprint((unsigned char)*cell) ? *cell : '?';
	code[len] = '\0';
	if (!len)
		return 0;
	if (import->len + len + 1 > CODES_BYTES)
		ret = flush(import);
	if (!ret)
		import->len += (size_t)snprintf(import->codes + import->len,
			sizeof(import->codes) - import->len, "%s%s",
			import->len ? " " : "", code);
	return ret;
}

/* Which cell of the first line says "code"; -1: none, so it is no heading. */
static int heading_of(char *const *cells, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcasecmp(cells[i], "code"))
			return i;
	return -1;
}

static int read_lines(FILE *file, struct import *import)
{
	_cleanup_free_ char *line = NULL;
	char *cells[CELLS_MAX], *text;
	int count, column = -1, ret = 0;
	size_t size = 0;

	while (!ret && getline(&line, &size, file) > 0) {
		/* The mark that some spreadsheets begin with. */
		text = column < 0 && !strncmp(line, "\xef\xbb\xbf", 3) ? line + 3
								     : line;
		count = csv_split(text, cells, CELLS_MAX);
		if (column < 0) {
			column = heading_of(cells, count);
			if (column >= 0)
				continue;
			column = 0;
		}
		if (column < count && cells[column][0] != '#')
			ret = add(import, cells[column]);
	}
	return ret ? ret : ferror(file) ? -EIO : flush(import);
}

int import_codes(FILE *file, json_t *args, import_call_fn *call, void *data,
	json_t **ret_reply)
{
	struct import import = {.args = args, .call = call, .data = data};
	int ret = read_lines(file, &import);

	if (ret < 0) {
		json_put(&import.total);
		return ret;
	}
	if (!import.total)
		import.total = json_pack("{s:b, s:i, s:i, s:i, s:[]}", "success",
			1, "added", 0, "known", 0, "weak", 0, "refused");
	*ret_reply = import.total;
	return 0;
}
