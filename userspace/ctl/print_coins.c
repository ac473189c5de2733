/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coin slots as text: what each does now, then the money that nobody has used,
 * and how it all adds up.
 */
#include <stdio.h>

#include "ctl/print.h"
#include "ctl/print_table.h"

static const struct column slot_columns[] = {
	{"SLOT", "slot", FORMAT_TEXT},
	{"ACCEPTOR", "acceptor", FORMAT_TEXT},
	{"READY", "ready", FORMAT_YES},
	{"PULSE", "valueMinor", FORMAT_MONEY},
	{"LOCK", "lock", FORMAT_NUMBER},
	{"DEVICE", "mac", FORMAT_TEXT},
	{"FOR", "seconds", FORMAT_REST},
	{},
};
static const struct column rest_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"AT", "at", FORMAT_TIME},
	{"SLOT", "slot", FORMAT_TEXT},
	{"AMOUNT", "amountMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{"COINS", "coins", FORMAT_NUMBER},
	{"STATE", "state", FORMAT_TEXT},
	{"DEVICE", "mac", FORMAT_TEXT},
	{},
};
static const struct column sum_columns[] = {
	{"inserted", "insertedMinor", FORMAT_MONEY},
	{"used", "soldMinor", FORMAT_MONEY},
	{"not used", "restMinor", FORMAT_MONEY},
	{"currency", "currency", FORMAT_TEXT},
	{},
};

void print_coins(const json_t *reply)
{
	const json_t *slots = json_object_get(reply, "slots");

	if (json_array_size(slots))
		print_table(slots, slot_columns);
	else
		print_line("no coin slots; see [coin NAME] in gatehouse.conf(5)");
	print_line("");
	print_items(reply, rest_columns, "no money that is not used");
	print_line("");
	print_fields(reply, sum_columns);
}
