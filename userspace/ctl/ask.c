/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passwords by the terminal: command lines are seen by every user of the box and
 * stay in the shell's history.
 */
#include "ctl/ask.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "base/util.h"

/* A line without its end. -ENODATA: there is none; -E2BIG. */
static int read_line(char *ret, size_t len)
{
	size_t n;

	if (!fgets(ret, (int)len, stdin))
		return -ENODATA;
	n = strcspn(ret, "\r\n");
	if (!ret[n] && n == len - 1)
		return -E2BIG;
	ret[n] = '\0';
	return 0;
}

static int read_hidden(const char *prompt, char *ret, size_t len)
{
	struct termios before, hidden;
	int err;

	fprintf(stderr, "%s: ", prompt);
	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	hidden = before;
	hidden.c_lflag &= (tcflag_t)~ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	err = read_line(ret, len);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return err;
}

int ask_new_password(
	const char *what, char *ret, size_t len, char *err, size_t err_len)
{
	char again[256] = "", prompt[32];
	int problem;

	if (!isatty(STDIN_FILENO)) {
		problem = read_line(ret, len);
	} else {
		snprintf(prompt, sizeof(prompt), "New %s", what);
		problem = read_hidden(prompt, ret, len);
		if (!problem)
			problem = read_hidden("Once more", again, sizeof(again));
		if (!problem && strcmp(ret, again)) {
			snprintf(err, err_len, "These were two different ones.");
			return -EINVAL;
		}
	}
	if (!problem)
		return 0;
	snprintf(err, err_len,
		problem == -E2BIG
			? "A %s has at most 128 characters."
			: "The %s is missing: type it, or give it as the first "
			  "line of the input.",
		what);
	return -EINVAL;
}
