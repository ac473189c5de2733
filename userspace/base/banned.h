/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that this tree does without; using one is a compile error. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* The headers that declare them come first, or their prototypes would fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof \
	gmtime localtime rand srand system popen

#endif
