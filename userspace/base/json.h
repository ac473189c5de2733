/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded JSON: the edge over jansson for the control socket and the API.
 * json_t is jansson's; use its own constructors (json_pack, json_object_set_new).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "gatehouse/types.h"

static inline void json_put(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}
#define _cleanup_json_ __attribute__((cleanup(json_put)))

/* One JSON object of `len` bytes, at most 8 levels deep, no duplicate keys, no
 * NUL in strings, valid UTF-8. -EBADMSG otherwise. */
int json_parse_object(const char *text, size_t len, json_t **ret_json);

/* The kinds of argument an operation takes. */
enum json_arg_type {
	JSON_ARG_END = 0,
	JSON_ARG_MAC,    /* struct mac */
	JSON_ARG_DEVICE, /* struct json_device: text, a MAC or a number */
	JSON_ARG_TEXT,   /* char[max + 1]: UTF-8, min to max bytes, no control characters */
	JSON_ARG_LINES,  /* the same with line feeds in it */
	JSON_ARG_INT,    /* int64_t within min..max */
	JSON_ARG_BOOL,   /* bool */
};

/* A device that is named by its number, if that is not 0, else by its MAC. */
struct json_device {
	int64_t number;
	struct mac mac;
};

/* One row per argument: where it lands and what it may be. */
struct json_arg {
	const char *name;
	enum json_arg_type type;
	bool required;
	size_t offset;       /* into the handler's argument struct */
	int64_t min, max;    /* INT: range; TEXT: max bytes */
	size_t set_offset;   /* 0, or the offset of a bool "was given" */
};

/*
 * Fills `out` by the rows; rejects unknown names, wrong types and ranges.
 * On failure -EINVAL and a sentence in `err` that names the argument.
 */
int json_args(const json_t *object, const struct json_arg *rows, void *out,
	char *err, size_t err_len);

#endif
