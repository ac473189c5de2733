/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an address is kept in a table of the portal's. */
#ifndef PORTAL_ADDRESS_H
#define PORTAL_ADDRESS_H

#include <stddef.h>

#include "gatehouse/types.h"

/* FNV-1a: a table needs spread, not secrecy; each has a bound of its own. */
static inline uint32_t address_hash(const struct ipaddr *addr)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(addr->addr); i++)
		hash = (hash ^ addr->addr[i]) * 16777619u;
	return hash ^ hash >> 16;
}

#endif
