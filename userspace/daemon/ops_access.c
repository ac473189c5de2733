/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows the log of operations, the newest first (N10). What waits in memory is
 * written first, so that whoever asks finds what was done a moment ago.
 */
#include "base/clock.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/ops_handlers.h"
#include "store/operators.h"

static json_t *access_json(const struct access *row)
{
	char at[TIME_TEXT];

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:f}", "id",
		(json_int_t)row->id, "time", time_format(row->at, at),
		"operation", row->operation, "who", row->who, "result",
		row->result, "ms", (double)row->us / 1000);
}

json_t *op_access_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_access *a = args;
	const struct access_filter filter = {
		.who = a->who_set ? a->who : NULL,
		.operation = a->operation_set ? a->operation : NULL,
		.result = a->result_set ? a->result : NULL,
	};
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT, i, n;
	struct access rows[OPS_LIST_MAX];
	json_t *items;
	int ret = access_log_write(g);

	if (ret)
		return reply_failed("access.list", ret);
	n = store_access_list(g->store, &filter,
		a->after_set ? a->after : UNLIMITED, rows, limit);
	if (n < 0)
		return reply_failed("access.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, access_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}
