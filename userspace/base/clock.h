/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two clocks. `mono` is CLOCK_MONOTONIC, the one the datapath compares
 * deadlines with; `wall` is UTC and may jump, so it is for dates and the ends of
 * tokens and vouchers only. The daemon's does not jump (rules/wall.h).
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_mono_ns(void);
/* The date: the box's own, or the one that is believed in its place. */
int64_t clock_wall_sec(void);
/* From now on the date is the monotonic clock's time and this. Who does not
 * call it goes by the box's. */
void clock_believe(int64_t offset_ns);
/* What the box's own clock says, UTC, and whether the kernel was told by a time
 * server's program that it is right. */
int64_t clock_real_ns(void);
bool clock_is_synchronised(void);

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
