/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates as arguments and in replies. What the kernel can hold is judged here;
 * whether somebody may have them is the operation's.
 */
#include "daemon/ops_rates.h"

#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/reply.h"
#include "datapath/datapath.h"

static bool is_rate(int64_t kbps)
{
	return kbps <= 0 || kbps >= DATAPATH_KBPS_MIN;
}

/* As slow as the other direction, but no faster than it was. */
static int64_t other_slow(int64_t rate, int64_t slow)
{
	return rate > 0 ? MIN(rate, slow) : slow;
}

json_t *rates_of(
	const struct args_rates *a, bool has_bytes, struct rates *rates)
{
	if (a->up_set)
		rates->up = a->up;
	if (a->down_set)
		rates->down = a->down;
	if (a->slow_up_set)
		rates->slow_up = a->slow_up;
	if (a->slow_down_set)
		rates->slow_down = a->slow_down;
	if (!is_rate(rates->up) || !is_rate(rates->down) ||
		!is_rate(rates->slow_up) || !is_rate(rates->slow_down))
		return reply_refuse(CTL_bad_request,
			"A rate is at least %d kbit/s; 0 is no limit.",
			DATAPATH_KBPS_MIN);
	if ((a->slow_up_set || a->slow_down_set) && !has_bytes)
		return reply_refuse(CTL_bad_request,
			"Slow rates hold once the megabytes are used up: give "
			"megabytes too.");
	if (!a->slow_up_set && a->slow_down_set)
		rates->slow_up = other_slow(rates->up, rates->slow_down);
	if (!a->slow_down_set && a->slow_up_set)
		rates->slow_down = other_slow(rates->down, rates->slow_up);
	if ((rates->up > 0 && rates->slow_up > rates->up) ||
		(rates->down > 0 && rates->slow_down > rates->down))
		return reply_refuse(CTL_bad_request,
			"A slow rate cannot be faster than the rate before it.");
	return NULL;
}

/* The store's 0 is "no limit". */
static void add_rate(json_t *object, const char *name, int64_t kbps)
{
	json_object_set_new(object, name, json_limit(kbps ? kbps : UNLIMITED));
}

void json_add_full_rates(json_t *object, const struct rates *rates)
{
	add_rate(object, "upKbps", rates->up);
	add_rate(object, "downKbps", rates->down);
}

void json_add_rates(json_t *object, const struct rates *rates)
{
	json_add_full_rates(object, rates);
	add_rate(object, "slowUpKbps", rates->slow_up);
	add_rate(object, "slowDownKbps", rates->slow_down);
}
