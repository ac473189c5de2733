/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QR codes as SVG: the edge over libqrencode. One path of horizontal runs: a
 * sheet of a thousand codes stays small, and printers draw it without seams.
 */
#include "base/qr.h"

#include <qrencode.h>

#include "base/util.h"

#define QUIET 4 /* white modules around it, ISO/IEC 18004 6.3.8 */

static void put_row(FILE *out, const unsigned char *row, int width, int y)
{
	int x, end;

	for (x = 0; x < width; x = end + 1) {
		for (end = x; end < width && row[end] & 1; end++)
			;
		if (end > x)
			fprintf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET,
				end - x, end - x);
	}
}

int qr_put_svg(FILE *out, const char *text)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	int y, size;

	if (!qr)
		return errno == ERANGE ? -EMSGSIZE : -errno;
	size = qr->width + 2 * QUIET;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
		" shape-rendering=\"crispEdges\"><path fill=\"#fff\""
		" d=\"M0 0h%dv%dH0z\"/><path d=\"",
		size, size, size, size);
	for (y = 0; y < qr->width; y++)
		put_row(out, qr->data + y * qr->width, qr->width, y);
	fputs("\"/></svg>", out);
	QRcode_free(qr);
	return 0;
}
