/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fixed table, four places to a row; who finds the row full takes the place
 * that was seen longest ago. Nothing is decided by it but an order.
 */
#include "known.h"

#include "address.h"
#include "base/ip.h"
#include "base/util.h"

#define ROWS	  2048 /* a power of 2 */
#define PLACES	  4
#define MEMORY_NS (3600 * NSEC_PER_SEC)

struct place {
	struct ipaddr addr;
	int64_t until_ns; /* 0: free */
};

struct known {
	bool tunnels;
	struct place places[ROWS][PLACES];
};

struct known *known_new(bool tunnels)
{
	struct known *known = xcalloc(1, sizeof(*known));

	known->tunnels = tunnels;
	return known;
}

void known_free(struct known *known)
{
	free(known);
}

static struct place *row_of(const struct known *known, const struct ipaddr *addr)
{
	return (struct place *)known->places[address_hash(addr) & (ROWS - 1)];
}

static struct place *find(const struct known *known, const struct ipaddr *addr)
{
	struct place *row = row_of(known, addr);
	int i;

	for (i = 0; i < PLACES; i++)
		if (row[i].until_ns && ip_equal(&row[i].addr, addr))
			return &row[i];
	return NULL;
}

void known_note(struct known *known, const struct ipaddr *addr, int64_t now_ns)
{
	struct place *row = row_of(known, addr), *at = find(known, addr);
	int i;

	if (!at)
		for (at = row, i = 1; i < PLACES; i++)
			if (row[i].until_ns < at->until_ns)
				at = &row[i];
	*at = (struct place){.addr = *addr, .until_ns = now_ns + MEMORY_NS};
}

void known_forget(struct known *known, const struct ipaddr *addr)
{
	struct place *at = find(known, addr);

	if (at)
		at->until_ns = 0;
}

bool known_is(const struct known *known, const struct ipaddr *addr,
	int64_t now_ns)
{
	const struct place *at = find(known, addr);

	return (at && now_ns < at->until_ns) ||
	       (known->tunnels && ip_is_loopback(addr));
}
