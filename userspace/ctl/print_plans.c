/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans as a table. A column that no plan uses says so with its dashes: who
 * sells must see at once that nothing is limited there.
 */
#include "ctl/print.h"
#include "ctl/print_table.h"

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

void print_plans(const json_t *reply)
{
	print_items(reply, plan_columns, "no plans");
}
