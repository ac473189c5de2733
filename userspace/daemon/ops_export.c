/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export: tables as text, a page at a time. A page is what fits into a frame
 * or what some milliseconds are enough for, so it may be empty; the pages one
 * after another are one CSV file or one JSON array. What is in the tables, and
 * under which names, is store/export.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/mac.h"
#include "base/text.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "store/export.h"

#define TEXT_MAX 20000 /* in JSON it may be twice as long, in a frame of 64 KiB */
#define SLICE_NS (10 * NSEC_PER_MSEC)
/* A place: of a person's tables which, and the row behind it. */
#define TABLE_SHIFT 48
#define ROW_MASK    ((1LL << TABLE_SHIFT) - 1)
#define IS_BEGUN    (1LL << 62) /* a JSON array has an element */

struct page {
	FILE *out;
	bool is_csv;
	const char *table; /* NULL: rows do not say */
	bool is_begun;	   /* there is an element before this one */
};

static int put_csv(const struct page *page, const struct export_cell *cells,
	int count, bool names)
{
	int i;

	for (i = 0; i < count; i++) {
		const char *text = names ? cells[i].name : cells[i].text;

		if (!names && cells[i].is_number)
			fprintf(page->out, "%s%s", i ? "," : "", text);
		else
			csv_put(page->out, text, i == 0);
	}
	fputs("\r\n", page->out);
	return ftell(page->out) > TEXT_MAX;
}

static json_t *value_of(const struct export_cell *cell)
{
	if (!cell->text)
		return json_null();
	return cell->is_number ? json_integer(strtoll(cell->text, NULL, 10))
			       : json_string(cell->text) ?: json_null();
}

static int put_json(
	struct page *page, const struct export_cell *cells, int count)
{
	_cleanup_json_ json_t *row = json_object();
	_cleanup_free_ char *text = NULL;
	int i;

	if (page->table)
		json_object_set_new(row, "table", json_string(page->table));
	for (i = 0; i < count; i++)
		json_object_set_new(row, cells[i].name, value_of(&cells[i]));
	text = json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fprintf(page->out, "%s%s", page->is_begun ? ",\n" : "\n", text ?: "{}");
	page->is_begun = true;
	return ftell(page->out) > TEXT_MAX;
}

static int put_row(void *data, const struct export_cell *cells, int count)
{
	struct page *page = data;

	return page->is_csv ? put_csv(page, cells, count, false)
			    : put_json(page, cells, count);
}

static void put_names(void *data, const struct export_cell *cells, int count)
{
	put_csv(data, cells, count, true);
}

/* Whose, and of which days. NULL, or the refusal. */
static json_t *filter_of(struct gatehoused *g, const struct args_export *a,
	struct mac *mac, struct export_filter *ret_filter)
{
	struct member member;
	json_t *refusal;

	*ret_filter = (struct export_filter){.until = INT64_MAX,
		.now_sec = clock_wall_sec(), .now_ns = clock_mono_ns()};
	refusal = days_of(&a->days, &ret_filter->from, &ret_filter->until);
	if (refusal || !a->subject_set)
		return refusal;
	if (mac_parse(a->subject, mac) == 0)
		ret_filter->mac = mac;
	else if (strchr(a->subject, '@') ||
		 store_member_of_person(g->store, a->subject, &member, 1) != 0)
		ret_filter->person = a->subject;
	else
		ret_filter->phone = a->subject;
	return NULL;
}

/* Which tables, and how; NULL, or the refusal. */
static json_t *check_args(const struct args_export *a, const char *schema)
{
	const char *names = store_export_names(schema);

	if (!names[0])
		return reply_refuse(CTL_bad_request, "schema is netflow.");
	if (a->format_set && strcmp(a->format, "csv") != 0 &&
		strcmp(a->format, "json") != 0)
		return reply_refuse(CTL_bad_request, "format is csv or json.");
	if (a->subject_set && schema[0])
		return reply_refuse(CTL_bad_request,
			"subject goes with tables of our own only, not with a "
			"schema.");
	if (!a->what_set && !a->subject_set)
		return reply_refuse(CTL_bad_request,
			"what is one of: %s.", names);
	if (a->what_set && !store_export_lookup(schema, a->what))
		return reply_refuse(CTL_not_found,
			"There is no table \"%s\"; there are: %s.", a->what,
			names);
	if (!a->what_set && a->format_set && !strcmp(a->format, "csv"))
		return reply_refuse(CTL_bad_request,
			"format must be json, for tables differ; or name one.");
	return NULL;
}

/* From `*at` on, until the page is full; *ret_more: there is another one. */
static int fill(struct gatehoused *g, struct page *page,
	const struct export_table *table, const struct export_filter *filter,
	int64_t *at, bool *ret_more)
{
	int64_t begun = clock_mono_ns();
	int ret = 0;

	*ret_more = true;
	while (!ret && *ret_more && ftell(page->out) <= TEXT_MAX &&
		clock_mono_ns() - begun < SLICE_NS)
		ret = store_export(
			g->store, table, filter, at, ret_more, put_row, page);
	return ret;
}

/* All that is of a person: one table after another. */
static int fill_personal(struct gatehoused *g, struct page *page,
	const struct export_filter *filter, int64_t *place, bool *ret_more)
{
	int64_t index = *place >> TABLE_SHIFT, at = *place & ROW_MASK;
	const struct export_table *table = store_export_personal((size_t)index);
	int ret = 0;

	*ret_more = false;
	if (!table)
		return 0;
	page->table = store_export_name(table);
	ret = fill(g, page, table, filter, &at, ret_more);
	if (!*ret_more) {
		at = 0;
		index++;
		*ret_more = store_export_personal((size_t)index);
	}
	*place = index << TABLE_SHIFT | at;
	return ret;
}

/* The text of a page; the array's brackets are on its first and last one. */
static int make_page(struct gatehoused *g, const struct args_export *a,
	const struct export_filter *filter, const char *schema, struct page *page,
	int64_t *place, bool *ret_more)
{
	const struct export_table *table =
		a->what_set ? store_export_lookup(schema, a->what) : NULL;
	bool is_first = a->after == 0;
	int ret = 0;

	if (!page->is_csv && is_first)
		fputc('[', page->out);
	if (page->is_csv && is_first)
		ret = store_export_columns(g->store, table, put_names, page);
	if (!ret)
		ret = table ? fill(g, page, table, filter, place, ret_more)
			    : fill_personal(g, page, filter, place, ret_more);
	if (!page->is_csv && !ret && !*ret_more)
		fputs("\n]\n", page->out);
	return ret;
}

json_t *op_export(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_export *a = args;
	const char *schema = a->schema_set ? a->schema : "";
	struct page page = {
		.is_csv = a->what_set &&
			  (!a->format_set || !strcmp(a->format, "csv")),
		.is_begun = a->after & IS_BEGUN,
	};
	_cleanup_free_ char *text = NULL;
	struct export_filter filter;
	int64_t place = a->after & ~IS_BEGUN;
	size_t len = 0;
	bool more = false;
	struct mac mac;
	json_t *refusal = check_args(a, schema);
	int ret = 0;

	if (!refusal)
		refusal = filter_of(g, a, &mac, &filter);
	if (refusal)
		return refusal;
	/* Once for each: who takes data away is known. */
	if (!a->after)
		ret = audit_now(g, caller, "export", filter.mac,
			a->what_set ? a->what : "a person");
	page.out = open_memstream(&text, &len);
	if (!page.out)
		return reply_failed("export", -ENOMEM);
	if (!ret)
		ret = make_page(g, a, &filter, schema, &page, &place, &more);
	if (fclose(page.out) && !ret)
		ret = -ENOMEM;
	if (ret)
		return reply_failed("export", ret);
	if (page.is_begun)
		place |= IS_BEGUN;
	return reply_fields("{s:s, s:o}", "text", text, "next",
		more ? json_integer(place) : json_null());
}
