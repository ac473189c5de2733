/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `status` says first of all: that nothing can be stored, and why; that a
 * certificate ends. While all is well it is no news, and nothing is said.
 */
#include <stdio.h>

#include "ctl/print.h"
#include "ctl/print_table.h"

/* What a phone would complain of. */
static void print_certificate(const json_t *portal, const char *whose)
{
	const json_t *certificate = json_object_get(portal, "certificate");
	const json_t *problem = json_object_get(certificate, "problem");
	char what[CELL_BYTES], until[CELL_BYTES], path[CELL_BYTES];

	if (!json_string_length(problem))
		return;
	print_cell(what, problem, FORMAT_TEXT);
	print_cell(path, json_object_get(certificate, "path"), FORMAT_TEXT);
	print_cell(until, json_object_get(certificate, "expiresAt"), FORMAT_TIME);
	printf("The %s certificate, %s, until %s:\n%s.\n\n", whose, path, until,
		what);
}

void print_store(const json_t *reply)
{
	const json_t *failing = json_object_get(reply, "storeProblem");
	const json_t *spent = json_object_get(reply, "spent");
	const json_t *portals = json_object_get(reply, "portals");
	char since[CELL_BYTES], path[CELL_BYTES], problem[CELL_BYTES];

	if (json_is_object(failing)) {
		print_cell(since, json_object_get(failing, "since"), FORMAT_TIME);
		print_cell(path, json_object_get(failing, "path"), FORMAT_TEXT);
		print_cell(problem, json_object_get(failing, "problem"), FORMAT_TEXT);
		printf("NOTHING CAN BE STORED in %s since %s:\n%s.\n"
		       "Guests who are online stay online, everything else is "
		       "refused.\n\n",
			path, since, problem);
	}
	print_certificate(json_object_get(portals, "guests"), "portal's");
	print_certificate(json_object_get(portals, "operators"), "operators'");
	if (json_is_true(json_object_get(spent, "behind")))
		puts("spent.log cannot be written; its lines follow when it "
		     "can.\n");
}
