/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of a file, some lines at a time, each time with the file's heading.
 * Who is in already is changed, so a file may be imported again.
 */
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "ctl/import.h"

#define ROWS_BYTES 4000 /* what the operation takes */
#define LINE_BYTES 1500

struct import {
	json_t *args;
	import_call_fn *call;
	void *data;
	char rows[ROWS_BYTES + 1];
	size_t len;
	int first; /* number of the first line in `rows` */
	json_t *total;
};

static void add_up(json_t *total, const json_t *reply, const char *key)
{
	json_object_set_new(total, key,
		json_integer(json_integer_value(json_object_get(total, key)) +
			     json_integer_value(json_object_get(reply, key))));
}

/* The daemon counts the lines that it was sent; people count the file's. */
static void add_failed(json_t *total, const json_t *reply, int first)
{
	json_t *row;
	size_t at;

	json_array_foreach(json_object_get(reply, "failed"), at, row)
		json_array_append_new(json_object_get(total, "failed"),
			json_pack("{s:I, s:O}", "line",
				json_integer_value(json_object_get(row, "row")) +
					first - 1,
				"error", json_object_get(row, "error")));
}

/* What has gathered, to the daemon. 1: it refused, and `total` says why. */
static int flush(struct import *import)
{
	_cleanup_json_ json_t *reply = NULL;
	int ret;

	if (!import->len)
		return 0;
	json_object_set_new(import->args, "rows", json_string(import->rows));
	ret = import->call(import->data, import->args, &reply);
	if (ret)
		return ret;
	import->len = 0;
	if (!json_is_true(json_object_get(reply, "success"))) {
		json_put(&import->total);
		import->total = TAKE_PTR(reply);
		return 1;
	}
	add_up(import->total, reply, "added");
	add_up(import->total, reply, "changed");
	add_failed(import->total, reply, import->first);
	return 0;
}

static int add(struct import *import, const char *line, int number)
{
	size_t len = strlen(line);
	int ret = 0;

	/* What is no text, or too long, is a line for the daemon to refuse. */
	if (len > LINE_BYTES || !text_is_clean(line, len)) {
		line = "\"";
		len = 1;
	}
	if (import->len + len + 1 > ROWS_BYTES)
		ret = flush(import);
	if (!import->len)
		import->first = number;
	if (!ret)
		import->len += (size_t)snprintf(import->rows + import->len,
			sizeof(import->rows) - import->len, "%s%s",
			import->len ? "\n" : "", line);
	return ret;
}

static int read_lines(FILE *file, struct import *import)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int number, ret = 0;

	for (number = 1; !ret && getline(&line, &size, file) > 0; number++) {
		line[strcspn(line, "\r\n")] = '\0';
		if (number == 1)
			json_object_set_new(
				import->args, "header", json_string(line));
		else
			ret = add(import, line, number);
	}
	return ret ? ret : ferror(file) ? -EIO : flush(import);
}

int import_members(FILE *file, json_t *args, import_call_fn *call, void *data,
	json_t **ret_reply)
{
	struct import import = {.args = args, .call = call, .data = data};
	int ret;

	import.total = json_pack("{s:b, s:i, s:i, s:[]}", "success", 1, "added",
		0, "changed", 0, "failed");
	ret = read_lines(file, &import);
	if (ret < 0) {
		json_put(&import.total);
		return ret;
	}
	*ret_reply = import.total;
	return 0;
}
