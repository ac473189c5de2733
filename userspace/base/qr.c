/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes: the edge over libqrencode, and what is drawn as text. In SVG one
 * path of horizontal runs: a sheet of a thousand codes stays small, and
 * printers draw it without seams.
 */
#include "base/qr.h"

#include <qrencode.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

/* Below version 3 a quarter of the width is too much of a code. */
#define LOGO_VERSION 3

static QRecLevel level_of(const struct qr_look *look)
{
	if (look && look->logo)
		return QR_ECLEVEL_H;
	switch (look ? look->level : 0) {
	case 'L':
		return QR_ECLEVEL_L;
	case 'Q':
		return QR_ECLEVEL_Q;
	case 'H':
		return QR_ECLEVEL_H;
	default:
		return QR_ECLEVEL_M;
	}
}

int qr_code_init(
	struct qr_code *code, const char *text, const struct qr_look *look)
{
	bool has_logo = look && look->logo;
	QRcode *qr = QRcode_encodeString8bit(
		text, has_logo ? LOGO_VERSION : 0, level_of(look));
	int i, size;

	if (!qr)
		return errno == ERANGE ? -EMSGSIZE : -errno;
	size = qr->width * qr->width;
	/* The width is odd, so what is in the middle is odd as well. */
	*code = (struct qr_code){qr->width,
		has_logo ? (qr->width / 4 - 1) | 1 : 0,
		xcalloc((size_t)size, 1)};
	for (i = 0; i < size; i++)
		code->dark[i] = qr->data[i] & 1;
	QRcode_free(qr);
	for (i = 0; i < code->hole; i++) {
		int from = (code->width - code->hole) / 2;

		memset(code->dark + (from + i) * code->width + from, 0,
			(size_t)code->hole);
	}
	return 0;
}

void qr_code_fini(struct qr_code *code)
{
	free(code->dark);
	code->dark = NULL;
}

static void put_row(FILE *out, const unsigned char *row, int width, int y)
{
	int x, end;

	for (x = 0; x < width; x = end + 1) {
		for (end = x; end < width && row[end]; end++)
			;
		if (end > x)
			fprintf(out, "M%d %dh%dv1h-%dz", x + QR_QUIET,
				y + QR_QUIET, end - x, end - x);
	}
}

/* With half a module of white around it; it keeps its shape. */
static void put_logo(FILE *out, const struct qr_code *code,
	const struct qr_look *look)
{
	int from = (code->width - code->hole) / 2 + QR_QUIET;

	fprintf(out, "<image x=\"%d.5\" y=\"%d.5\" width=\"%d\" height=\"%d\" href=\"",
		from, from, code->hole - 1, code->hole - 1);
	qr_put_data_url(out, "image/png", look->logo, look->logo_len);
	fputs("\"/>", out);
}

int qr_put_svg_look(FILE *out, const char *text, const struct qr_look *look)
{
	struct qr_code code;
	int y, size, ret;

	ret = look && look->logo ? qr_check_logo(look->logo, look->logo_len) : 0;
	if (!ret)
		ret = qr_code_init(&code, text, look);
	if (ret)
		return ret;
	size = code.width + 2 * QR_QUIET;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
		" shape-rendering=\"crispEdges\"><path fill=\"#fff\""
		" d=\"M0 0h%dv%dH0z\"/><path d=\"",
		size, size, size, size);
	for (y = 0; y < code.width; y++)
		put_row(out, code.dark + y * code.width, code.width, y);
	fputs("\"/>", out);
	if (code.hole)
		put_logo(out, &code, look);
	fputs("</svg>", out);
	qr_code_fini(&code);
	return 0;
}

int qr_put_svg(FILE *out, const char *text)
{
	return qr_put_svg_look(out, text, NULL);
}

static bool is_light(const struct qr_code *code, int x, int y)
{
	x -= QR_QUIET;
	y -= QR_QUIET;
	return x < 0 || y < 0 || x >= code->width || y >= code->width ||
	       !code->dark[y * code->width + x];
}

int qr_put_text(FILE *out, const char *text)
{
	/* Upper module light, lower module light. */
	static const char *const blocks[2][2] = {
		{" ", "\u2584"}, {"\u2580", "\u2588"}};
	struct qr_code code;
	int x, y, size, ret = qr_code_init(&code, text, NULL);

	if (ret)
		return ret;
	size = code.width + 2 * QR_QUIET;
	for (y = 0; y < size; y += 2) {
		for (x = 0; x < size; x++)
			fputs(blocks[is_light(&code, x, y)]
				    [is_light(&code, x, y + 1) && y + 1 < size],
				out);
		fputc('\n', out);
	}
	qr_code_fini(&code);
	return 0;
}

void qr_put_data_url(FILE *out, const char *type, const void *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *from = data;
	uint32_t bits;
	size_t at, i;

	fprintf(out, "data:%s;base64,", type);
	for (at = 0; at < len; at += 3) {
		bits = 0;
		for (i = 0; i < 3; i++)
			bits = bits << 8 | (at + i < len ? from[at + i] : 0U);
		for (i = 0; i < 4; i++)
			fputc(at + i > len ? '=' : digits[bits >> (18 - 6 * i) & 63],
				out);
	}
}
