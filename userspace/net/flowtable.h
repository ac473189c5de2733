/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flowtables of nftables, of whatever table: connections that one carries
 * take a shorter way through the box. They are read and never changed.
 */
#ifndef NET_FLOWTABLE_H
#define NET_FLOWTABLE_H

#include <stdbool.h>

struct flowtable {
	const char *table, *name;
	bool is_hardware; /* `flags offload`: the card forwards by itself */
};

/* Devices by their names, or with `is_prefix` by how they begin (6.16+). */
struct flowtable_device {
	const char *name;
	bool is_prefix;
};

/*
 * Each flowtable with each of its devices; once with a NULL device where it
 * has none. Asks the kernel each time: one message when there is none.
 * -EINTR: the ruleset was changed meanwhile; ask again.
 */
int flowtables_each(void (*fn)(void *data, const struct flowtable *table,
			    const struct flowtable_device *device),
	void *data);

#endif
