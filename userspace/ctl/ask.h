/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for what must not be on a command line. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <stddef.h>

/*
 * A new password, or `what` it is called: from a terminal, twice and without
 * showing it; otherwise the first line of the input. 0, or -EINVAL with a
 * sentence in `err`.
 */
int ask_new_password(
	const char *what, char *ret, size_t len, char *err, size_t err_len);

#endif
