/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exemptions in the course of time. The kernel has ended one by itself; here
 * the books are closed, and the dates of the others are looked at.
 */
#include "daemon/exemptions.h"

#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/sync.h"
#include "rules/device.h"

#define PART 50 /* devices read at once */

/* A clock that was set back would have begun it again; not this late. */
static bool is_long_over(struct gatehoused *g, const struct exemption *exemption,
	const struct moment *now)
{
	return !exemption->deadline_ns &&
	       exemption->until + SEC_PER_DAY < now->wall_sec &&
	       wall_is_settled(&g->wall, now->mono_ns);
}

static int settle(struct gatehoused *g, struct device *device,
	const struct moment *now)
{
	int ret;

	if (is_long_over(g, &device->exemption, now)) {
		device_end_exemption(device);
		return store_device_put(g->store, device);
	}
	if (!exemption_settle(&device->exemption, now))
		return 0;
	sync_touch(g->sync, &device->mac);
	ret = store_device_put(g->store, device);
	if (ret || device->exemption.deadline_ns)
		return ret;
	return store_audit(g->store, now->wall_sec, "gatehoused", "exempt end",
		&device->mac, 0, device->exemption.network);
}

int exemptions_settle(struct gatehoused *g)
{
	struct moment now = moment_now();
	struct device rows[PART];
	int64_t after = 0;
	int ret = turn_begin(g), n = PART, i;

	while (!ret && n == PART) {
		n = store_device_exempt(g->store, after, rows, PART);
		for (i = 0; !ret && i < n; i++)
			ret = settle(g, &rows[i], &now);
		if (n > 0)
			after = rows[n - 1].id;
	}
	return ret ? ret : MIN(n, 0);
}
