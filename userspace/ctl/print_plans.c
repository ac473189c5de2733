/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans as a table: what each of them says, and what at least one says that
 * most do not.
 */
#include "ctl/print.h"
#include "ctl/print_table.h"

#include <string.h>

#include "base/util.h"

static const struct column plan_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"NAME", "name", FORMAT_TEXT},
	{"TIME", "minutes", FORMAT_MINUTES},
	{"MB", "megabytes", FORMAT_LIMIT},
	{"COUNTS", "counts", FORMAT_TEXT},
	{"UP", "upKbps", FORMAT_RATE},
	{"DOWN", "downKbps", FORMAT_RATE},
	{"SLOW UP", "slowUpKbps", FORMAT_NUMBER},
	{"SLOW DOWN", "slowDownKbps", FORMAT_NUMBER},
	{"PRICE", "priceMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{"MOVES", "moves", FORMAT_LIMIT},
	{"DEVICES", "devices", FORMAT_NUMBER},
	{"TOKEN DAYS", "tokenDays", FORMAT_NUMBER},
	{"NETWORKS", "networks", FORMAT_TEXT},
	{"COIN", "coin", FORMAT_YES},
	{"HOURS", "hours", FORMAT_TEXT},
	{"IDLE MIN", "idleMinutes", FORMAT_NUMBER},
	{"VALID DAYS", "validDays", FORMAT_NUMBER},
	{"ON SALE", "active", FORMAT_YES},
	{},
};

/* Columns that are left out while no plan says more than this; NULL: null. */
static const struct {
	const char *key, *usual;
} seldom[] = {
	{"counts", "both"},
	{"slowUpKbps", NULL},
	{"slowDownKbps", NULL},
	{"tokenDays", NULL},
	{"networks", NULL},
	{"coin", NULL},
	{"hours", NULL},
	{"idleMinutes", NULL},
	{"validDays", NULL},
};

static bool is_usual(const json_t *value, const char *usual)
{
	const char *text = json_string_value(value);

	return !value || json_is_null(value) || json_is_false(value) ||
	       (usual && text && !strcmp(text, usual));
}

static bool is_said(const json_t *items, const char *key)
{
	const json_t *item;
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(seldom); i++) {
		if (strcmp(seldom[i].key, key))
			continue;
		json_array_foreach(items, at, item)
			if (!is_usual(json_object_get(item, key), seldom[i].usual))
				return true;
		return false;
	}
	return true;
}

void print_plans(const json_t *reply)
{
	struct column said[ARRAY_SIZE(plan_columns)] = {0};
	const json_t *items = json_object_get(reply, "items");
	size_t i, n = 0;

	for (i = 0; plan_columns[i].title; i++)
		if (is_said(items, plan_columns[i].key))
			said[n++] = plan_columns[i];
	print_items(reply, said, "no plans");
}
