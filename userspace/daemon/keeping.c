/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Retention: from the settings, which are in days, to the times before which
 * things are old. What goes is said by store/retention.c; here it is only
 * called, some hundred rows in a turn, until there is no more.
 */
#include "daemon/keeping.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "datapath/bindings.h"
#include "store/keeping.h"

#define PAUSE_NS (20 * NSEC_PER_MSEC)
#define HOUR_NS	 (3600 * NSEC_PER_SEC)
/* So long after its end a token is answered "expired", not "unknown". */
#define TOKENS_KEPT_DAYS 7

static int clean_some(struct gatehoused *g)
{
	const struct config_retention *keep = &g->config.retention;
	int64_t now = clock_wall_sec();
	const int64_t before[RETENTION_COUNT] = {
		[RETENTION_SALES] = now - keep->sales_days * SEC_PER_DAY,
		[RETENTION_AUDIT] = now - keep->audit_days * SEC_PER_DAY,
		[RETENTION_TOKENS] = now - TOKENS_KEPT_DAYS * SEC_PER_DAY,
		[RETENTION_EVENTS] = now - keep->event_days * SEC_PER_DAY,
		[RETENTION_ADDRESS_LOG] =
			now - keep->address_log_days * SEC_PER_DAY,
		[RETENTION_ACCESS_LOG] = now - keep->access_log_days * SEC_PER_DAY,
		[RETENTION_ADDRESSES] = now - keep->address_days * SEC_PER_DAY,
		[RETENTION_CONTACTS] = now - keep->contact_days * SEC_PER_DAY,
		[RETENTION_MEMBERS] = now - keep->member_days * SEC_PER_DAY,
		[RETENTION_LOGINS] = now,
	};
	int ret = turn_begin(g);

	return ret ?: store_clean_up(g->store, before);
}

static void on_more(void *data)
{
	int ret = keeping_clean_up(data);

	if (ret)
		log_warning("clean-up: %s", strerror(-ret));
}

int keeping_clean_up(struct gatehoused *g)
{
	int ret;

	/* A wrong date would take what cannot be brought back. */
	if (!wall_is_settled(&g->wall, clock_mono_ns()))
		return 0;
	ret = clean_some(g);
	if (ret > 0) {
		g->cleaned += ret;
		loop_timer_start(
			g->loop, &g->clean_up, PAUSE_NS, 0, on_more, g);
		return 0;
	}
	if (g->cleaned)
		log_info("clean-up: removed %lld old rows", (long long)g->cleaned);
	g->cleaned = 0;
	return ret;
}

int keeping_clean_sightings(struct gatehoused *g)
{
	int64_t now_ns = clock_mono_ns();
	int64_t before_ns =
		now_ns - g->config.retention.captive_hours * HOUR_NS;
	int ret = g->dp ? bindings_clean(g->dp, (uint64_t)now_ns) : 0;

	if (ret > 0)
		log_debug("%d addresses are nobody's any more", ret);
	if (ret >= 0 && g->dp && before_ns > 0)
		ret = sightings_clean(g->dp, (uint64_t)before_ns);
	return MIN(ret, 0);
}

void keeping_stop(struct gatehoused *g)
{
	loop_timer_stop(g->loop, &g->clean_up);
}
