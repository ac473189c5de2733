/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pulse is a level that lasted as long as the settings say, not sooner after
 * the last one than they say, and not more often in a second. It is counted at
 * its end, once; what bounces behind it is silent, because contacts do.
 */
#include "pay/pulse.h"

#include "base/util.h"

void pulse_meter_init(struct pulse_meter *meter, const struct config_coin *coin)
{
	*meter = (struct pulse_meter){.coin = coin};
}

bool pulse_has_room(struct pulse_meter *meter, int64_t at_ns)
{
	if (at_ns - meter->second_ns >= NSEC_PER_SEC || !meter->second_ns) {
		meter->second_ns = at_ns;
		meter->in_second = 0;
	}
	return meter->in_second++ < meter->coin->pulses_per_second;
}

enum pulse_verdict pulse_edge(struct pulse_meter *meter, bool active, int64_t at_ns)
{
	const struct config_coin *coin = meter->coin;
	bool was_active = meter->is_active;
	int64_t wide_ns = at_ns - meter->begun_ns;

	meter->is_active = active;
	if (active == was_active)
		return PULSE_NONE;
	if (active) {
		meter->begun_ns = at_ns;
		return PULSE_NONE;
	}
	if (meter->good_ns &&
		meter->begun_ns - meter->good_ns < coin->gap_ms * NSEC_PER_MSEC) {
		/* A train of bounces is no pulse either, however long. */
		meter->good_ns = at_ns;
		return PULSE_NONE;
	}
	if (wide_ns < coin->pulse_min_ms * NSEC_PER_MSEC ||
		wide_ns > coin->pulse_max_ms * NSEC_PER_MSEC)
		return PULSE_NOISE;
	meter->good_ns = at_ns;
	return pulse_has_room(meter, at_ns) ? PULSE_GOOD : PULSE_NOISE;
}
