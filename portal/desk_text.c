/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies as an operator reads them, and forms as arguments. What is null or
 * missing sets nothing, so that a template can leave its place out. A number
 * that is none goes on as text: the daemon says what is wrong with it.
 */
#include <time.h>

#include "base/text.h"
#include "base/util.h"
#include "desk.h"

void desk_put_text(struct view *view, const char *name, const json_t *value)
{
	if (json_is_string(value))
		view_format(view, name, "%s", json_string_value(value));
}

void desk_put_int(struct view *view, const char *name, const json_t *value)
{
	if (json_is_integer(value))
		view_set_int(view, name, json_integer_value(value));
}

void desk_put_time(struct request *req, struct view *view, const char *name,
	const json_t *value)
{
	const char *text = json_string_value(value);
	struct tm tm = {0};
	char local[32];
	time_t at;

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	at = timegm(&tm);
	localtime_r(&at, &tm);
	strftime(local, sizeof(local), "%Y-%m-%d %H:%M", &tm);
	view_set(view, name, arena_copy(&req->arena, local, strlen(local)));
}

void desk_put_rest(struct request *req, struct view *view, const char *name,
	const json_t *seconds)
{
	long long value = json_integer_value(seconds), days;

	if (json_is_null(seconds)) {
		view_set(view, name, lang_text(req->lang, "no_end"));
		return;
	}
	if (!json_is_integer(seconds))
		return;
	days = value / SEC_PER_DAY;
	value %= SEC_PER_DAY;
	if (days)
		view_format(view, name, "%lld %s %lld:%02lld", days,
			lang_text(req->lang, days == 1 ? "day" : "days"),
			value / 3600, value / 60 % 60);
	else
		view_format(view, name, "%lld:%02lld:%02lld", value / 3600,
			value / 60 % 60, value % 60);
}

void desk_put_bytes(struct view *view, const char *name, const json_t *bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)json_integer_value(bytes);
	size_t unit = 0;

	if (!json_is_integer(bytes))
		return;
	while (value >= 999.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	view_format(view, name, unit && value < 100 ? "%.1f %s" : "%.0f %s",
		value, units[unit]);
}

void desk_put_money(struct view *view, const char *name, long long minor,
	const char *currency)
{
	const char *sign = minor < 0 ? "-" : "";

	minor = minor < 0 ? -minor : minor;
	if (minor % 100)
		view_format(view, name, "%s%lld.%02lld %s", sign, minor / 100,
			minor % 100, currency);
	else
		view_format(view, name, "%s%lld %s", sign, minor / 100, currency);
}

void desk_put_word(struct request *req, struct view *view, const char *name,
	const char *prefix, const json_t *word)
{
	const char *text = json_string_value(word);
	char key[64];

	if (!text)
		return;
	snprintf(key, sizeof(key), "%s_%s", prefix, text);
	view_format(view, name, "%s", lang_text(req->lang, key) ?: text);
}

void desk_arg_text(const struct form *form, const char *field, json_t *args,
	const char *name)
{
	const char *text = form_get(form, field);

	if (text && *text)
		json_object_set_new(args, name, json_string(text));
}

void desk_arg_int(const struct form *form, const char *field, json_t *args,
	const char *name)
{
	const char *text = form_get(form, field);
	char *end;
	long long number;

	if (!text || !*text)
		return;
	number = strtoll(text, &end, 10);
	json_object_set_new(args, name,
		*end ? json_string(text) : json_integer(number));
}

void desk_put_next(
	struct request *req, struct view *view, const json_t *reply)
{
	desk_put_int(view, "next", json_object_get(reply, "next"));
	view_set_flag(view, "not_first", form_get(&req->query, "after") != NULL);
}
