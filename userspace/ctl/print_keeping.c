/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How gatehousectl shows what the box keeps for itself: jobs, addresses and
 * statistics.
 */
#include "ctl/print.h"

#include <string.h>

#include "base/util.h"
#include "ctl/print_table.h"

static const struct column job_columns[] = {
	{"JOB", "name", FORMAT_TEXT},
	{"EVERY, S", "everySeconds", FORMAT_EVERY},
	{"LAST RUN", "lastRun", FORMAT_TIME},
	{"TOOK, MS", "lastMs", FORMAT_NUMBER},
	{"RESULT", "result", FORMAT_TEXT},
	{"NEXT", "next", FORMAT_TIME},
	{},
};
static const struct column terms_columns[] = {
	{"ACCEPTED", "acceptedAt", FORMAT_TIME},
	{"VERSION", "version", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{},
};
static const struct column use_columns[] = {
	{"ADDRESS", "address", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"FROM", "from", FORMAT_TIME},
	{"TO", "to", FORMAT_TIME},
	{},
};

/* What the sums are of comes first. */
static const struct column statistic_columns[] = {
	{"", "", FORMAT_TEXT},
	{"SESSIONS", "sessions", FORMAT_NUMBER},
	{"UP", "bytesUp", FORMAT_BYTES},
	{"DOWN", "bytesDown", FORMAT_BYTES},
	{"REVENUE", "revenueMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{},
};

void print_jobs(const json_t *reply)
{
	print_items(reply, job_columns, "no jobs");
}

void print_terms(const json_t *reply)
{
	print_items(reply, terms_columns, "nobody has accepted terms of use");
}

void print_addresses(const json_t *reply)
{
	print_items(reply, use_columns, "no device is known to have had it");
}

void print_statistics(const json_t *reply)
{
	static const char *const titles[][2] = {{"hour", "HOUR"}, {"day", "DAY"},
		{"month", "MONTH"}, {"plan", "PLAN"}, {"network", "NETWORK"}};
	struct column columns[ARRAY_SIZE(statistic_columns)];
	const json_t *first =
		json_array_get(json_object_get(reply, "items"), 0);
	size_t i;

	memcpy(columns, statistic_columns, sizeof(columns));
	for (i = 0; i < ARRAY_SIZE(titles); i++)
		if (json_object_get(first, titles[i][0])) {
			columns[0].key = titles[i][0];
			columns[0].title = titles[i][1];
		}
	print_items(reply, columns,
		"nothing then; sums are made every ten minutes (job statistics)");
}

void print_export(const json_t *reply)
{
	fputs(json_string_value(json_object_get(reply, "text")) ?: "", stdout);
}

void print_forget(const json_t *reply)
{
	const json_t *mac;
	size_t i;

	print_done(reply);
	json_array_foreach(json_object_get(reply, "devices"), i, mac)
		print_line(json_string_value(mac));
}
