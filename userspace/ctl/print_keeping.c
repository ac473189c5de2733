/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How gatehousectl shows what the box keeps for itself: jobs, addresses and
 * statistics.
 */
#include "ctl/print.h"
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
static const struct column use_columns[] = {
	{"ADDRESS", "address", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"NETWORK", "network", FORMAT_TEXT},
	{"FROM", "from", FORMAT_TIME},
	{"TO", "to", FORMAT_TIME},
	{},
};

void print_jobs(const json_t *reply)
{
	print_items(reply, job_columns, "no jobs");
}

void print_addresses(const json_t *reply)
{
	print_items(reply, use_columns, "no device is known to have had it");
}
