/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's date. Every part of it asks clock_wall_sec(), which only changes
 * by a step when this says so; then what was to last some days is moved along,
 * in one transaction with the audit row.
 */
#include "daemon/wall_clock.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/exemptions.h"
#include "daemon/sync.h"
#include "rules/wall.h"

#define KEY "clock.last"

static struct wall_reading read_clocks(void)
{
	return (struct wall_reading){
		.mono_ns = clock_mono_ns(),
		.real_ns = clock_real_ns(),
		.is_synchronised = clock_is_synchronised(),
	};
}

int wall_clock_start(struct gatehoused *g)
{
	struct wall_reading now = read_clocks();
	char value[24], text[TIME_TEXT];
	int64_t last = 0;
	int ret = store_setting_get(g->store, KEY, value, sizeof(value));

	if (ret && ret != -ENOENT)
		return ret;
	if (!ret)
		last = strtoll(value, NULL, 10);
	wall_start(&g->wall, &now, last);
	clock_believe(g->wall.offset_ns);
	if (g->wall.is_guess)
		log_warning("the box's clock is not set: the date is counted on "
			    "from %s, the last time that was known",
			time_format(clock_wall_sec(), text));
	return 0;
}

static int step(struct gatehoused *g, void *data)
{
	int64_t seconds = *(const int64_t *)data;
	char detail[40];
	int ret = store_clock_step(g->store, seconds);

	snprintf(detail, sizeof(detail), "%+lld s", (long long)seconds);
	if (!ret)
		ret = store_audit(g->store, clock_wall_sec(), "gatehoused",
			"clock step", NULL, 0, detail);
	if (!ret)
		ret = wall_clock_keep(g);
	if (!ret)
		ret = sync_date(g);
	return ret ? ret : exemptions_settle(g);
}

int wall_clock_look(struct gatehoused *g)
{
	struct wall_reading now = read_clocks();
	bool was_in_doubt = g->wall.doubt_ns != 0;
	struct wall wall = g->wall;
	int64_t seconds = wall_look(&wall, &now);
	char text[TIME_TEXT];
	int ret;

	clock_believe(wall.offset_ns);
	ret = seconds ? turn_alone(g, step, &seconds) : 0;
	if (ret) {
		/* Not stored, so not believed; the next look sees it again. */
		clock_believe(g->wall.offset_ns);
		return ret;
	}
	g->wall = wall;
	if (seconds)
		log_warning("the box's clock was set by %+lld s: it is %s; what "
			    "was to last some days still does",
			(long long)seconds,
			time_format(clock_wall_sec(), text));
	else if (wall.doubt_ns && !was_in_doubt)
		log_warning("the box's clock was set to %s, and no time server "
			    "says so: that is believed when it has stood for "
			    "10 minutes",
			time_format(now.real_ns / NSEC_PER_SEC, text));
	return 0;
}

int wall_clock_keep(struct gatehoused *g)
{
	char value[24];
	int ret = turn_begin(g);

	snprintf(value, sizeof(value), "%lld", (long long)clock_wall_sec());
	return ret ? ret : store_setting_put(g->store, KEY, value);
}
