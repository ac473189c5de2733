/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies as an operator reads them, and forms as arguments. What is null or
 * missing sets nothing, so that a template can leave its place out. A number
 * that is none goes on as text: the daemon says what is wrong with it.
 */
#include <time.h>

#include "base/clock.h"
#include "base/qr.h"
#include "base/util.h"
#include "desk.h"
#include "locale.h"

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

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	view_set(view, name,
		lang_date_time(&req->arena, req->lang, timegm(&tm),
			(time_t)clock_wall_sec()));
}

void desk_put_rest(struct request *req, struct view *view, const char *name,
	const json_t *seconds)
{
	if (json_is_integer(seconds))
		view_set(view, name,
			lang_duration(&req->arena, req->lang,
				json_integer_value(seconds)));
	else if (json_is_null(seconds))
		view_set(view, name, lang_text(req->lang, "no_end"));
}

void desk_put_bytes(struct request *req, struct view *view, const char *name,
	const json_t *bytes)
{
	if (json_is_integer(bytes))
		view_set(view, name,
			lang_bytes(&req->arena, req->lang,
				json_integer_value(bytes)));
}

void desk_put_money(struct request *req, struct view *view, const char *name,
	const json_t *object, const char *minor)
{
	const char *currency =
		json_string_value(json_object_get(object, "currency"));

	view_set(view, name,
		lang_money(&req->arena, req->lang,
			json_integer_value(json_object_get(object, minor)),
			currency ?: ""));
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

void desk_put_plans(
	struct request *req, struct view *view, const json_t *reply)
{
	const json_t *plan;
	size_t at;

	json_array_foreach(json_object_get(reply, "items"), at, plan) {
		struct view *row = view_add_row(view, "plans");

		desk_put_text(row, "plan", json_object_get(plan, "name"));
		desk_put_money(req, row, "price", plan, "priceMinor");
	}
	view_set_flag(view, "no_plans", at == 0);
}

char *desk_data_url(const char *type, const char *data, size_t len)
{
	char *text = NULL;
	size_t text_len;
	FILE *out = open_memstream(&text, &text_len);

	if (!out)
		abort();
	if (data)
		qr_put_data_url(out, type, data, len);
	if (fclose(out))
		abort();
	return text;
}
