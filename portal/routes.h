/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which handler answers which path; the table is in routes.c. */
#ifndef PORTAL_ROUTES_H
#define PORTAL_ROUTES_H

#include "request.h"

/* What a route is, and so how guard.c guards it and how it says no. */
enum route_kind {
	ROUTE_PAGE,  /* HTML; GET, changes nothing */
	ROUTE_FORM,  /* HTML; POST from one of our own forms */
	ROUTE_API,   /* JSON in and out */
	ROUTE_PROBE, /* asked by machines, under any host name */
	ROUTE_ASSET, /* the same for everybody */
};

struct route {
	enum method method;
	const char *path; /* one that ends with '*' is a prefix */
	enum instance instance;
	enum route_kind kind;
	void (*handler)(struct request *req);
};

/*
 * The row for a method and path. -ENOENT; -EOPNOTSUPP when the path has other
 * methods, with one such row.
 */
int routes_lookup(enum instance instance, enum method method, const char *path,
	const struct route **ret_route);
/* The rows in order; NULL beyond the last. */
const struct route *routes_at(int index);

#endif
