/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hours of the day. Whether they hold is asked of the local time of a moment;
 * when that changes, of the moments at which the clock on the wall would come
 * to the end of a span, and of those at which the clock itself is put forward
 * or back. It reads no clock: the moment is an argument.
 */
#include "rules/hours.h"

#include <string.h>
#include <time.h>

#include "base/util.h"

#define SPANS_MAX 8
#define MINUTES_OF_DAY (24 * 60)
#define TURNS_MAX 2000 /* how far ahead an end is looked for */

/* Minutes of the day; `to` may be before `from`: over midnight. */
struct span {
	int from, to;
};

/* "HH:MM"; where it ends, NULL when it is none. */
static const char *read_minute(const char *text, int *ret_minute)
{
	int i, hour, minute;

	for (i = 0; i < 5; i++)
		if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
			return NULL;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	*ret_minute = hour * 60 + minute;
	return minute < 60 && *ret_minute <= MINUTES_OF_DAY ? text + 5 : NULL;
}

/* How many spans there are; -EINVAL, -E2BIG. */
static int read_spans(const char *text, struct span spans[static SPANS_MAX])
{
	int n = 0;

	for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
		struct span *span = &spans[n];

		if (n++ == SPANS_MAX - 1)
			return -E2BIG;
		text = read_minute(text, &span->from);
		if (!text || *text != '-')
			return -EINVAL;
		text = read_minute(text + 1, &span->to);
		if (!text || (*text && *text != ' ' && *text != ','))
			return -EINVAL;
		if (span->from == MINUTES_OF_DAY || span->from == span->to)
			return -EINVAL;
	}
	return n;
}

int hours_parse(const char *text, char ret_hours[static STORE_HOURS])
{
	struct span spans[SPANS_MAX];
	int n, i, len = 0;

	ret_hours[0] = '\0';
	if (!strcmp(text, "any"))
		return 0;
	n = read_spans(text, spans);
	if (n <= 0)
		return n ? n : -EINVAL;
	_Static_assert(SPANS_MAX * 12 <= STORE_HOURS, "the longest hours fit");
	for (i = 0; i < n; i++)
		len += snprintf(ret_hours + len, (size_t)(STORE_HOURS - len),
			"%s%02d:%02d-%02d:%02d", i ? " " : "",
			spans[i].from / 60, spans[i].from % 60, spans[i].to / 60,
			spans[i].to % 60);
	return 0;
}

static bool is_within(const struct span *spans, int n, int second)
{
	int i, minute = second / 60;

	for (i = 0; i < n; i++) {
		const struct span *span = &spans[i];
		bool after = minute >= span->from, before = minute < span->to;

		if (span->from < span->to ? after && before : after || before)
			return true;
	}
	return false;
}

/* Seconds of the local day, and what the clock is ahead of UTC. */
static int local_second(int64_t wall_sec, long *ret_offset)
{
	time_t t = (time_t)wall_sec;
	struct tm tm;

	localtime_r(&t, &tm);
	*ret_offset = tm.tm_gmtoff;
	return tm.tm_hour * 3600 + tm.tm_min * 60 + MIN(tm.tm_sec, 59);
}

/* The first second of another offset in (from, to]; `to` has one. */
static int64_t offset_change(int64_t from, int64_t to, long offset)
{
	long there;

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		local_second(middle, &there);
		if (there == offset)
			from = middle;
		else
			to = middle;
	}
	return to;
}

/* Seconds until the clock on the wall shows the next end or start of a span. */
static int64_t next_edge(const struct span *spans, int n, int second)
{
	int i, wait = MINUTES_OF_DAY * 60;

	for (i = 0; i < 2 * n; i++) {
		int edge = i % 2 ? spans[i / 2].to : spans[i / 2].from;
		int until = (edge * 60 - second + 2 * MINUTES_OF_DAY * 60) %
			    (MINUTES_OF_DAY * 60);

		wait = MIN(wait, until ? until : MINUTES_OF_DAY * 60);
	}
	return wait;
}

bool hours_hold(const char *hours, int64_t wall_sec, int64_t *ret_until_sec)
{
	struct span spans[SPANS_MAX];
	int n = read_spans(hours, spans);
	int64_t at = wall_sec, next;
	long offset, there;
	bool holds;

	*ret_until_sec = UNLIMITED;
	if (n <= 0)
		return true;
	holds = is_within(spans, n, local_second(at, &offset));
	/* Two days have every edge of the day, whatever the clock does. */
	while (at - wall_sec <= 2 * SEC_PER_DAY) {
		next = at + next_edge(spans, n, local_second(at, &offset));
		local_second(next, &there);
		at = there == offset ? next : offset_change(at, next, offset);
		if (is_within(spans, n, local_second(at, &there)) == holds)
			continue;
		*ret_until_sec = at;
		break;
	}
	return holds;
}

int64_t hours_end(const char *hours, int64_t wall_sec, int64_t seconds)
{
	int64_t until;
	int i;

	for (i = 0; i < TURNS_MAX; i++) {
		bool holds = hours_hold(hours, wall_sec, &until);

		if (holds && (until == UNLIMITED || until - wall_sec >= seconds))
			return wall_sec + seconds;
		if (holds)
			seconds -= until - wall_sec;
		wall_sec = until;
	}
	return UNLIMITED;
}
