/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines. error: someone must act; warning: we coped; info: start, stop,
 * reload and money; debug: free. Never a token, voucher code or key.
 * Only programs (daemon/, portal/, ctl/) log; lower layers return errors.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * Lines go to stderr: "<prio>text" when stderr is the journal
 * (JOURNAL_STREAM is set), "HH:MM:SS program: text" otherwise.
 * `program` is kept, not copied.
 */
void log_init(const char *program, enum log_level max);

/* Keeps errno. A line is cut at 1 KiB; control characters are escaped. */
void log_at(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
