/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place that reads a clock. Rules get the time as an argument, so
 * that tests can say what time it is.
 */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

#include "base/util.h"

int64_t clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Read by every thread, written by the one that looks at the clocks. */
static _Atomic int64_t believed_offset_ns; /* 0: the box's own date */

int64_t clock_wall_sec(void)
{
	int64_t offset_ns = believed_offset_ns;

	return offset_ns ? (clock_mono_ns() + offset_ns) / NSEC_PER_SEC
			 : time(NULL);
}

void clock_believe(int64_t offset_ns)
{
	believed_offset_ns = offset_ns;
}

int64_t clock_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

bool clock_is_synchronised(void)
{
	struct timex timex = {.modes = 0};
	int state = adjtimex(&timex);

	return state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

int clock_boot_id(char buf[static BOOT_ID_TEXT])
{
	_cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id",
		O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, BOOT_ID_TEXT - 1);
	if (n != BOOT_ID_TEXT - 1)
		return n < 0 ? -errno : -EIO;
	buf[n] = '\0';
	return 0;
}

const char *time_format(int64_t wall_sec, char buf[static TIME_TEXT])
{
	time_t t = wall_sec;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf[0] = '\0';
	return buf;
}

int day_parse(const char *text, int64_t *ret_begin, int64_t *ret_end)
{
	struct tm day = {.tm_isdst = -1}, next;
	const char *end = strptime(text, "%Y-%m-%d", &day);
	int mday = day.tm_mday;
	time_t begin;

	if (!end || *end)
		return -EINVAL;
	next = day;
	next.tm_mday++;
	begin = mktime(&day);
	/* The 31st of a shorter month would be a day of the next. */
	if (begin < 0 || day.tm_mday != mday)
		return -EINVAL;
	*ret_begin = begin;
	*ret_end = mktime(&next);
	return 0;
}

int time_parse(const char *text, int64_t *ret_wall_sec)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};
	int64_t begin;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {.tm_isdst = i ? -1 : 0};
		const char *end = strptime(text, forms[i], &tm);

		if (!end || *end)
			continue;
		*ret_wall_sec = i ? mktime(&tm) : timegm(&tm);
		return 0;
	}
	return day_parse(text, &begin, ret_wall_sec);
}
