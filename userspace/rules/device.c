/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exemptions and rates of devices. Pure: no row is read or written here.
 */
#include "rules/device.h"

/* Less than this the two clocks may differ: one counts whole seconds, the other
 * is slewed. The kernel's record is not written anew for it. */
#define DRIFT_NS (3 * NSEC_PER_SEC)

/* 0: it is over. */
static int64_t deadline_of(int64_t until, const struct moment *now)
{
	if (until <= now->wall_sec)
		return 0;
	return now->mono_ns + (until - now->wall_sec) * NSEC_PER_SEC;
}

void device_exempt(struct device *device, const char *network, int64_t until,
	const struct moment *now)
{
	struct exemption *exemption = &device->exemption;

	snprintf(exemption->network, sizeof(exemption->network), "%s", network);
	exemption->until = until;
	exemption->deadline_ns = deadline_of(until, now);
}

void device_end_exemption(struct device *device)
{
	device->exemption = (struct exemption){.until = 0};
}

bool exemption_holds(
	const struct exemption *exemption, const struct moment *now)
{
	return exemption->deadline_ns > now->mono_ns;
}

bool exemption_settle(struct exemption *exemption, const struct moment *now)
{
	int64_t had = MAX(exemption->deadline_ns - now->mono_ns, 0);
	int64_t deadline = deadline_of(exemption->until, now);
	int64_t has = deadline ? deadline - now->mono_ns : 0;

	if (had - has < DRIFT_NS && has - had < DRIFT_NS) {
		/* As it is; one that the kernel has ended is over. */
		if (had || !exemption->deadline_ns)
			return false;
		deadline = 0;
	}
	exemption->deadline_ns = deadline;
	return true;
}

static int64_t lower(int64_t a, int64_t b)
{
	return a && b ? MIN(a, b) : MAX(a, b);
}

struct rates rates_lower(const struct rates *plan, const struct rates *device)
{
	struct rates rates = *plan;

	rates.up = lower(plan->up, device->up);
	rates.down = lower(plan->down, device->down);
	if (rates_have_slow(plan)) {
		rates.slow_up = lower(plan->slow_up, device->up);
		rates.slow_down = lower(plan->slow_down, device->down);
	}
	return rates;
}
