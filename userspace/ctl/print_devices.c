/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that were put beside a session, and how many there may be.
 */
#include <stdio.h>

#include "ctl/print.h"
#include "ctl/print_table.h"

void print_devices(const json_t *reply)
{
	static const struct column columns[] = {
		{"DEVICE", "mac", FORMAT_TEXT},
		{"SEEN", "seen", FORMAT_YES},
		{},
	};

	print_items(reply, columns, "no devices beside this one");
	printf("\n%lld may use the same at once\n",
		(long long)json_integer_value(
			json_object_get(reply, "devicesMax")));
}
