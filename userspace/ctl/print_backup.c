/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person wants to know of a backup, and the key of voucher codes as it
 * is to be written down: nothing else on the line.
 */
#include <stdio.h>

#include "ctl/print.h"

void print_backup(const json_t *reply)
{
	const json_t *backup = json_object_get(reply, "backup");

	printf("%s: %lld bytes, %lld rows, %s\n",
		json_string_value(json_object_get(backup, "path")),
		json_integer_value(json_object_get(backup, "bytes")),
		json_integer_value(json_object_get(backup, "rows")),
		json_is_true(json_object_get(backup, "encrypted"))
			? "encrypted; opened and compared"
			: "NOT encrypted: it is for this box only, see [backup] "
			  "in gatehouse.conf(5)");
}

void print_key(const json_t *reply)
{
	puts(json_string_value(json_object_get(reply, "key")));
	fputs("Write it down and keep it apart from backups. It is not shown "
	      "again; gatehoused --set-key takes it on another box.\n", stderr);
}
