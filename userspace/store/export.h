/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What leaves the box, and what it forgets. */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "store/store.h"

/*
 * Tables as they leave the box: columns of a schema's own, times as RFC 3339,
 * texts as they are (store/export.c). `at` is the place that a call goes on from,
 * 0 at first; a call looks at some thousand rows, or fewer when `fn` returns
 * other than 0, and ends after that one.
 */
struct export_cell {
	const char *name;
	const char *text; /* NULL: there is none */
	bool is_number;
};
#define EXPORT_CELLS_MAX 24
struct export_filter {
	int64_t from, until; /* UTC seconds; `until` is not in it */
	const struct mac *mac; /* only what is of this device; NULL: of all */
	const char *phone;     /* only what was paid from it */
	const char *person; /* only of that member: identity or e-mail address */
	int64_t now_sec, now_ns; /* for ends of what runs */
};
struct export_table; /* "sessions" of "netflow" */
/* NULL: there is none. */
const struct export_table *store_export_lookup(
	const char *schema, const char *name);
/* One after another; NULL: no more. Only those of which something can be of a
 * person: for export_filter.mac and phone. */
const struct export_table *store_export_personal(size_t index);
const char *store_export_name(const struct export_table *table);
/* Names of a schema's tables, with spaces between; "": there is no such one. */
const char *store_export_names(const char *schema);
int store_export(struct store *store, const struct export_table *table,
	const struct export_filter *filter, int64_t *at, bool *ret_more,
	int (*fn)(void *data, const struct export_cell *cells, int count),
	void *data);
/* Its columns, without a row. */
int store_export_columns(struct store *store, const struct export_table *table,
	void (*fn)(void *data, const struct export_cell *cells, int count),
	void *data);

struct forget_place {
	size_t row;
	int64_t after, newest; /* of a table that is looked at part by part */
	int64_t rows;	       /* changed so far */
};
/* What is known of a device, but for a session that is not over; a row of a blocked
 * device stays, without its name. Some of it: 1 while there is more, 0 after the
 * last; from a place of zeroes. */
int store_forget_device(struct store *store, const struct mac *mac,
	struct forget_place *place);
/* The same of a telephone number. */
int store_forget_phone(
	struct store *store, const char *phone, int64_t *ret_rows);
/* A member by its identity or e-mail address, and logins by it. */
int store_forget_person(
	struct store *store, const char *person, int64_t *ret_rows);
/* Up to `max` devices of that member's, or by which somebody logged in so. */
int store_devices_of_person(
	struct store *store, const char *person, struct mac *rows, int max);
/* Up to `max` devices that were paid for with it; how many. */
int store_devices_of_phone(
	struct store *store, const char *phone, struct mac *rows, int max);

#endif
