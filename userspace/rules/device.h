/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operator decided for a device itself, beside any session: an
 * exemption and rates of its own (P4, G4).
 *
 * An exemption is for one network and has a date at which it ends. The kernel
 * ends it, by the clock that no time server moves; so the date is kept, and the
 * deadline follows it when the wall clock turns out to be another.
 */
#ifndef RULES_DEVICE_H
#define RULES_DEVICE_H

#include "rules/rules.h"

/* Needs no session on `network` until the date `until`, which is to come. */
void device_exempt(struct device *device, const char *network, int64_t until,
	const struct moment *now);
void device_end_exemption(struct device *device);
/* Is it in force? Wherever the device is. */
bool exemption_holds(
	const struct exemption *exemption, const struct moment *now);
/*
 * Brings the deadline to where the date is now: after a reboot, a step of the
 * clock, or its end. True when the row has to be saved.
 */
bool exemption_settle(struct exemption *exemption, const struct moment *now);

/* The lower of both for each direction; 0 is no limit. Slow rates are lowered
 * where there are any: a device's own give nobody fair use. */
struct rates rates_lower(const struct rates *plan, const struct rates *device);

#endif
