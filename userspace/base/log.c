/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines on stderr. A line is composed in one buffer and written with one
 * write(), so that lines of several processes on one terminal never mix.
 * Whatever a peer put into a line is escaped here, in one place: control
 * characters would let it forge lines or drive the operator's terminal.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/util.h"

#define LINE_MAX_BYTES 1024

static const char *log_program = "gatehouse";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_journal;

/* syslog priorities, as the journal reads them. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

void log_init(const char *program, enum log_level max)
{
	log_program = program;
	log_max = max;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
{
	struct tm tm;
	time_t now;

	if (log_journal)
		return (size_t)snprintf(line, size, "<%d>", priorities[level]);
	now = clock_wall_sec();
	localtime_r(&now, &tm);
	return (size_t)snprintf(line, size, "%02d:%02d:%02d %s: ", tm.tm_hour,
		tm.tm_min, tm.tm_sec, log_program);
}

/* Appends `text`, control characters as \xNN; never past `size` - 1, where
 * the line feed goes. */
static size_t put_escaped(char *line, size_t at, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f) {
			if (at + 1 >= size)
				break;
			line[at++] = (char)c;
			continue;
		}
		if (at + 4 >= size)
			break;
		line[at++] = '\\';
		line[at++] = 'x';
		line[at++] = hex[c >> 4];
		line[at++] = hex[c & 15];
	}
	return at;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;
	size_t at;

	if (level > log_max)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	at = put_prefix(line, sizeof(line), level);
	at = put_escaped(line, at, sizeof(line), text);
	line[at++] = '\n';
	/* Nobody is left to tell when stderr itself fails. */
	if (write(STDERR_FILENO, line, at) < 0)
		errno = saved;
	errno = saved;
}
