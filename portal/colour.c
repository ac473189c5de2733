/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Relative luminance and contrast as WCAG 2.2 defines them, and the mixtures
 * that a venue's one colour is made readable with.
 */
#include "colour.h"

#include <math.h>

#include "base/crypto.h"
#include "base/util.h"

static const struct colour white = {255, 255, 255};
static const struct colour dark = {17, 17, 17};

int colour_parse(const char *text, struct colour *ret_colour)
{
	char full[7] = "";
	uint8_t parts[3];
	size_t len = strlen(text), i;

	if (*text != '#' || (len != 4 && len != 7))
		return -EINVAL;
	for (i = 0; i < 6; i++)
		full[i] = text[1 + (len == 4 ? i / 2 : i)];
	if (hex_parse(full, sizeof(parts), parts))
		return -EINVAL;
	*ret_colour = (struct colour){parts[0], parts[1], parts[2]};
	return 0;
}

const char *colour_format(struct colour colour, char text[static COLOUR_TEXT])
{
	snprintf(text, COLOUR_TEXT, "#%02x%02x%02x", colour.red, colour.green,
		colour.blue);
	return text;
}

static double linear(uint8_t part)
{
	double value = part / 255.0;

	return value <= 0.04045 ? value / 12.92
				: pow((value + 0.055) / 1.055, 2.4);
}

static double luminance(struct colour colour)
{
	return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) +
	       0.0722 * linear(colour.blue);
}

double colour_contrast(struct colour a, struct colour b)
{
	double one = luminance(a) + 0.05, two = luminance(b) + 0.05;

	return one > two ? one / two : two / one;
}

static uint8_t mix(uint8_t part, uint8_t other, int percent)
{
	return (uint8_t)((part * (100 - percent) + other * percent + 50) / 100);
}

struct colour colour_mix(struct colour colour, struct colour other, int percent)
{
	return (struct colour){mix(colour.red, other.red, percent),
		mix(colour.green, other.green, percent),
		mix(colour.blue, other.blue, percent)};
}

struct colour colour_text_on(struct colour colour)
{
	return colour_contrast(colour, white) >= colour_contrast(colour, dark)
		       ? white
		       : dark;
}

struct colour colour_until_readable(struct colour colour, struct colour end,
	struct colour on, struct colour also_on)
{
	struct colour mixed = colour;
	int percent;

	for (percent = 0; percent <= 100; percent++) {
		mixed = colour_mix(colour, end, percent);
		if (colour_contrast(mixed, on) >= COLOUR_READABLE &&
			colour_contrast(mixed, also_on) >= COLOUR_READABLE)
			break;
	}
	return mixed;
}
