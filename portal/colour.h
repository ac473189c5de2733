/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours and how well they can be told apart (WCAG 2.2, 1.4.3). */
#ifndef PORTAL_COLOUR_H
#define PORTAL_COLOUR_H

#include <stdint.h>

struct colour {
	uint8_t red, green, blue;
};

/* What text needs on what is behind it. */
#define COLOUR_READABLE 4.5
#define COLOUR_TEXT	8 /* "#rrggbb" and its NUL */

/* "#rrggbb" or "#rgb"; -EINVAL. */
int colour_parse(const char *text, struct colour *ret_colour);
/* Into `text`, which is returned. */
const char *colour_format(struct colour colour, char text[static COLOUR_TEXT]);
/* 1 (none) to 21 (black and white). */
double colour_contrast(struct colour a, struct colour b);
/* So much of `other` in it, in percent. */
struct colour colour_mix(struct colour colour, struct colour other, int percent);
/* The text that reads best on it: white, or nearly black. */
struct colour colour_text_on(struct colour colour);
/* The nearest mixture with `end` that is readable on both; `end` itself when
 * there is no other. */
struct colour colour_until_readable(struct colour colour, struct colour end,
	struct colour on, struct colour also_on);

#endif
