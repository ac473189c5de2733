/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes as PNG: the edge over libpng, by its simplified interface, which
 * jumps over nobody's frames. Modules are whole pixels: a code that was
 * stretched by a fraction scans worse than one that is a little larger.
 */
#include <png.h>
#include <stdint.h>
#include <string.h>

#include "base/qr.h"
#include "base/util.h"

#define PIXELS 512 /* as small as a poster's code may be (U8) */

struct picture {
	int width, height;
	uint8_t *rgb; /* 3 bytes a pixel, rows from the top */
};

/* What may be transparent lies on white. */
static int read_logo(const void *data, size_t len, struct picture *ret)
{
	static const png_color white = {255, 255, 255};
	png_image png = {.version = PNG_IMAGE_VERSION};
	struct picture logo;

	if (len > QR_LOGO_MAX)
		return -E2BIG;
	if (!png_image_begin_read_from_memory(&png, data, len))
		return -EBADMSG;
	if (png.width > QR_LOGO_SIDE || png.height > QR_LOGO_SIDE) {
		png_image_free(&png);
		return -E2BIG;
	}
	png.format = PNG_FORMAT_RGB;
	logo = (struct picture){(int)png.width, (int)png.height,
		xcalloc(PNG_IMAGE_SIZE(png), 1)};
	if (!png_image_finish_read(&png, &white, logo.rgb, 0, NULL)) {
		free(logo.rgb);
		return -EBADMSG;
	}
	*ret = logo;
	return 0;
}

int qr_check_logo(const void *png, size_t len)
{
	struct picture logo;
	int ret = read_logo(png, len, &logo);

	if (!ret)
		free(logo.rgb);
	return ret;
}

/* The mean of what lies under one pixel of `side` by `side_of_other`. */
static void mean(const struct picture *of, int x, int y, int width, int height,
	uint8_t *ret)
{
	int x0 = x * of->width / width, x1 = (x + 1) * of->width / width;
	int y0 = y * of->height / height, y1 = (y + 1) * of->height / height;
	uint32_t sum[3] = {0}, count = 0;
	int i, j, c;

	for (j = y0; j < MAX(y1, y0 + 1); j++)
		for (i = x0; i < MAX(x1, x0 + 1); i++, count++)
			for (c = 0; c < 3; c++)
				sum[c] += of->rgb[(j * of->width + i) * 3 + c];
	for (c = 0; c < 3; c++)
		ret[c] = (uint8_t)(sum[c] / count);
}

/* Into a square of `room` pixels whose corner is at `from`, both ways. */
static void draw_logo(
	struct picture *on, const struct picture *logo, int from, int room)
{
	int longer = MAX(logo->width, logo->height);
	int width = MAX(room * logo->width / longer, 1);
	int height = MAX(room * logo->height / longer, 1);
	int left = from + (room - width) / 2, top = from + (room - height) / 2;
	int x, y;

	for (y = 0; y < height; y++)
		for (x = 0; x < width; x++)
			mean(logo, x, y, width, height,
				on->rgb + ((top + y) * on->width + left + x) * 3);
}

/* One byte a pixel: 1 is dark. */
static uint8_t *draw_modules(const struct qr_code *code, int scale, int side)
{
	uint8_t *pixels = xcalloc((size_t)side, (size_t)side);
	int x, y, i;

	for (y = 0; y < code->width; y++)
		for (x = 0; x < code->width; x++)
			for (i = 0; i < scale && code->dark[y * code->width + x]; i++)
				memset(pixels + ((y + QR_QUIET) * scale + i) * side +
						(x + QR_QUIET) * scale,
					1, (size_t)scale);
	return pixels;
}

static int put_pixels(FILE *out, int side, unsigned int format,
	const uint8_t *pixels, const png_color *colours)
{
	png_image png = {.version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)side,
		.height = (png_uint_32)side,
		.format = format,
		.colormap_entries = colours ? 2 : 0};

	if (!png_image_write_to_stdio(&png, out, 0, pixels, 0, colours))
		return -EIO;
	return 0;
}

static int put_with_logo(FILE *out, const struct qr_code *code, int scale,
	int side, const uint8_t *modules, const struct picture *logo)
{
	_cleanup_free_ uint8_t *rgb = xcalloc((size_t)side * (size_t)side, 3);
	struct picture picture = {side, side, rgb};
	int i, from = ((code->width - code->hole) / 2 + QR_QUIET) * scale;

	for (i = 0; i < side * side; i++)
		memset(rgb + (size_t)i * 3, modules[i] ? 0 : 255, 3);
	draw_logo(&picture, logo, from + scale / 2, code->hole * scale - scale);
	return put_pixels(out, side, PNG_FORMAT_RGB, rgb, NULL);
}

int qr_put_png(FILE *out, const char *text, const struct qr_look *look)
{
	static const png_color colours[] = {{255, 255, 255}, {0, 0, 0}};
	int wanted = look && look->pixels ? look->pixels : PIXELS;
	_cleanup_free_ uint8_t *modules = NULL;
	struct picture logo = {0};
	struct qr_code code;
	int scale, side, ret = 0;

	if (wanted < 0 || wanted > QR_PIXELS_MAX)
		return -E2BIG;
	if (look && look->logo)
		ret = read_logo(look->logo, look->logo_len, &logo);
	if (!ret)
		ret = qr_code_init(&code, text, look);
	if (!ret) {
		side = code.width + 2 * QR_QUIET;
		scale = (wanted + side - 1) / side;
		side *= scale;
		modules = draw_modules(&code, scale, side);
		ret = logo.rgb ? put_with_logo(out, &code, scale, side, modules, &logo)
			       : put_pixels(out, side, PNG_FORMAT_RGB_COLORMAP,
					 modules, colours);
		qr_code_fini(&code);
	}
	free(logo.rgb);
	return ret;
}
