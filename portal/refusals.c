/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fixed table of addresses, four places to a row. An address that finds its
 * row full takes the place of the one with the least debt: memory is constant
 * whatever guests do, and forgetting somebody only makes us milder.
 *
 * A debt is kept as the time at which it will be paid off (GCRA).
 */
#include "refusals.h"

#include "address.h"
#include "base/ip.h"
#include "base/util.h"

#define ROWS	  1024 /* a power of 2 */
#define PLACES	  4
#define COST_NS	  (NSEC_PER_SEC / 2)
#define CREDIT_NS (30 * COST_NS)

struct place {
	struct ipaddr addr;
	int64_t paid_off_ns;
};

struct refusals {
	struct place places[ROWS][PLACES];
};

struct refusals *refusals_new(void)
{
	return xcalloc(1, sizeof(struct refusals));
}

void refusals_free(struct refusals *refusals)
{
	free(refusals);
}

static size_t row_of(const struct ipaddr *addr)
{
	return address_hash(addr) & (ROWS - 1);
}

int64_t refusals_wait(const struct refusals *refusals,
	const struct ipaddr *addr, int64_t now_ns)
{
	const struct place *row = refusals->places[row_of(addr)];
	int i;

	for (i = 0; i < PLACES; i++)
		if (ip_equal(&row[i].addr, addr))
			return MAX(row[i].paid_off_ns - now_ns - CREDIT_NS +
					   COST_NS,
				(int64_t)0);
	return 0;
}

void refusals_note(
	struct refusals *refusals, const struct ipaddr *addr, int64_t now_ns)
{
	struct place *row = refusals->places[row_of(addr)], *at = row;
	int i;

	for (i = 0; i < PLACES; i++) {
		if (ip_equal(&row[i].addr, addr)) {
			at = &row[i];
			break;
		}
		if (row[i].paid_off_ns < at->paid_off_ns)
			at = &row[i];
	}
	if (!ip_equal(&at->addr, addr))
		*at = (struct place){.addr = *addr};
	at->paid_off_ns = MAX(at->paid_off_ns, now_ns) + COST_NS;
}
