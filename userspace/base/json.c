/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded JSON. Everything a peer sends passes json_parse_object() and then
 * json_args(): what reaches a handler is a struct whose every field was asked
 * for by a row and is inside the row's range. Neither function calls back, and
 * neither keeps anything of its input.
 */
#include "base/json.h"

#include <ctype.h>
#include <string.h>

#include "base/mac.h"
#include "base/text.h"
#include "base/util.h"

#define JSON_DEPTH_MAX 8

/* The nesting is measured on the text, before jansson recurses into it: its
 * own limit (2048) is far beyond any message here. */
static bool too_deep(const char *text, size_t len)
{
	bool in_string = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

int json_parse_object(const char *text, size_t len, json_t **ret_json)
{
	json_error_t error;
	json_t *json;

	if (too_deep(text, len))
		return -EBADMSG;
	/* Without JSON_ALLOW_NUL and JSON_DECODE_ANY: "\u0000" and bare values
	 * are refused. Text behind the object is refused as well. */
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return -EBADMSG;
	if (!json_is_object(json)) {
		json_decref(json);
		return -EBADMSG;
	}
	*ret_json = json;
	return 0;
}

static int take_mac(const json_t *value, const struct json_arg *row, void *to,
	char *err, size_t err_len)
{
	const char *text = json_string_value(value);
	int ret = text ? mac_parse(text, to) : -EINVAL;

	if (!ret)
		return 0;
	if (ret == -EADDRNOTAVAIL)
		/* A MAC all the same, so it may be repeated. */
		snprintf(err, err_len,
			"%s must be the address of one device, and %s is %s",
			row->name, text,
			strtoul(text, NULL, 16) & 1 ? "a group address"
						    : "nobody's");
	else
		snprintf(err, err_len,
			"%s must be a MAC address such as 02:00:5e:10:00:01",
			row->name);
	return -EINVAL;
}

static int take_device(const json_t *value, const struct json_arg *row,
	void *to, char *err, size_t err_len)
{
	const char *text = json_string_value(value);
	struct json_device device = {.number = 0};
	char *end;

	if (text && isdigit((unsigned char)text[0])) {
		errno = 0;
		device.number = strtoll(text, &end, 10);
		if (errno || *end)
			device.number = 0;
	}
	if (!device.number &&
		take_mac(value, row, &device.mac, err, err_len))
		return -EINVAL;
	memcpy(to, &device, sizeof(device));
	return 0;
}

static bool is_clean(const char *text, size_t len, enum json_arg_type type)
{
	const char *end = text + len, *feed;

	for (; type == JSON_ARG_LINES && (feed = memchr(text, '\n',
				(size_t)(end - text))); text = feed + 1)
		if (!text_is_clean(text, (size_t)(feed - text)))
			return false;
	return text_is_clean(text, (size_t)(end - text));
}

static int take_text(const json_t *value, const struct json_arg *row, void *to,
	char *err, size_t err_len)
{
	size_t len = json_string_length(value);

	if (!json_is_string(value) || len < (size_t)row->min ||
		len > (size_t)row->max) {
		snprintf(err, err_len, "%s must be text of %lld to %lld bytes",
			row->name, (long long)row->min, (long long)row->max);
		return -EINVAL;
	}
	if (!is_clean(json_string_value(value), len, row->type)) {
		snprintf(err, err_len,
			"%s must not contain control characters", row->name);
		return -EINVAL;
	}
	memcpy(to, json_string_value(value), len + 1);
	return 0;
}

static int take_int(const json_t *value, const struct json_arg *row, void *to,
	char *err, size_t err_len)
{
	int64_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < row->min || number > row->max) {
		snprintf(err, err_len,
			"%s must be a whole number from %lld to %lld", row->name,
			(long long)row->min, (long long)row->max);
		return -EINVAL;
	}
	memcpy(to, &number, sizeof(number));
	return 0;
}

static int take_bool(const json_t *value, const struct json_arg *row, void *to,
	char *err, size_t err_len)
{
	bool flag = json_is_true(value);

	if (!json_is_boolean(value)) {
		snprintf(err, err_len, "%s must be true or false", row->name);
		return -EINVAL;
	}
	memcpy(to, &flag, sizeof(flag));
	return 0;
}

static int take_arg(const json_t *value, const struct json_arg *row, void *out,
	char *err, size_t err_len)
{
	void *to = (char *)out + row->offset;
	int ret = -EINVAL;

	switch (row->type) {
	case JSON_ARG_MAC:
		ret = take_mac(value, row, to, err, err_len);
		break;
	case JSON_ARG_DEVICE:
		ret = take_device(value, row, to, err, err_len);
		break;
	case JSON_ARG_TEXT:
	case JSON_ARG_LINES:
		ret = take_text(value, row, to, err, err_len);
		break;
	case JSON_ARG_INT:
		ret = take_int(value, row, to, err, err_len);
		break;
	case JSON_ARG_BOOL:
		ret = take_bool(value, row, to, err, err_len);
		break;
	case JSON_ARG_END:
		break;
	}
	if (ret == 0 && row->set_offset)
		*(bool *)((char *)out + row->set_offset) = true;
	return ret;
}

static const struct json_arg *row_by_name(
	const struct json_arg *rows, const char *name)
{
	for (; rows->type != JSON_ARG_END; rows++)
		if (!strcmp(rows->name, name))
			return rows;
	return NULL;
}

int json_args(const json_t *object, const struct json_arg *rows, void *out,
	char *err, size_t err_len)
{
	const struct json_arg *row;
	const char *name;
	json_t *value;

	/* jansson's iterator takes no const; nothing is changed. */
	json_object_foreach((json_t *)object, name, value) {
		if (row_by_name(rows, name))
			continue;
		/* A long word is not repeated: cutting it may split a
		 * character, and then the sentence is no JSON text. */
		snprintf(err, err_len, "unknown argument \"%s\"",
			strlen(name) <= 32 ? name : "...");
		return -EINVAL;
	}
	for (row = rows; row->type != JSON_ARG_END; row++) {
		value = json_object_get(object, row->name);
		if (value) {
			int ret = take_arg(value, row, out, err, err_len);

			if (ret)
				return ret;
		} else if (row->required) {
			snprintf(err, err_len, "%s is missing", row->name);
			return -EINVAL;
		}
	}
	return 0;
}
