/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two clocks. `mono` is CLOCK_MONOTONIC, the one the datapath compares
 * deadlines with; `wall` is UTC and may jump, so it is for dates and the ends of
 * tokens and vouchers only.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ns(void);
int64_t clock_wall_sec(void);

#define BOOT_ID_TEXT 37
/* /proc/sys/kernel/random/boot_id; 0 or negative errno. */
int clock_boot_id(char buf[static BOOT_ID_TEXT]);

#define TIME_TEXT 21
/* RFC 3339 UTC, "2026-11-21T04:00:00Z". */
const char *time_format(int64_t wall_sec, char buf[static TIME_TEXT]);
/* A day of the box's time zone, "2026-11-21": UTC seconds at which it begins and
 * the next one does. -EINVAL: there is no such day. */
int day_parse(const char *text, int64_t *ret_begin, int64_t *ret_end);
/* As time_format() has it, or "2026-11-21 04:00" of the box's time zone, seconds
 * or not, or "2026-12-24": the end of that day there. -EINVAL for anything else. */
int time_parse(const char *text, int64_t *ret_wall_sec);

#endif
