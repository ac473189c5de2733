/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QR codes (ISO/IEC 18004), made by libqrencode: as SVG, PNG or text. */
#ifndef BASE_QR_H
#define BASE_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define QR_QUIET      4    /* white modules around it, ISO/IEC 18004 6.3.8 */
#define QR_LOGO_MAX   (256 * 1024) /* bytes of the file */
#define QR_LOGO_SIDE  1024 /* pixels, either way */
#define QR_PIXELS_MAX 4096 /* side of a PNG */

/* How a code is drawn. All of it 0: as a screen wants it. */
struct qr_look {
	/* How much may be dirty or torn: 'L' 7 %, 'M' 15 %, 'Q' 25 %, 'H' 30 %.
	 * 0: 'M'. Paper wants 'Q'; with a logo it is 'H' whatever this says. */
	char level;
	/* PNG only. The side in pixels, quiet zone included: the next multiple of
	 * the modules from here on, so that each is as wide as the next. 0: 512. */
	int pixels;
	/* A PNG file of at most QR_LOGO_MAX bytes and QR_LOGO_SIDE pixels, drawn on
	 * white in the middle; the caller's. It covers a quarter of the width, so 6 %
	 * of the area: most of what 'H' restores is left for dirt. NULL: none. */
	const void *logo;
	size_t logo_len;
};

/* The modules of a code, for those who draw. */
struct qr_code {
	int width; /* modules, without the quiet zone */
	int hole;  /* modules, odd, of a square in the middle that is for the logo; 0 */
	unsigned char *dark; /* width * width, rows from the top: 0 or 1 */
};

/*
 * `look` may be NULL. -EMSGSIZE: too long for a code (2,953 bytes at 'L', 2,331
 * at 'M', 1,663 at 'Q', 1,273 at 'H'). The caller ends it with qr_code_fini().
 */
int qr_code_init(
	struct qr_code *code, const char *text, const struct qr_look *look);
void qr_code_fini(struct qr_code *code);

/*
 * Writes `text` as an <svg> of one path, without a size of its own: the page
 * says how large it is. Black on white with the quiet zone, error correction M.
 * -EMSGSIZE: too long for a code.
 */
int qr_put_svg(FILE *out, const char *text);
/* As `look` says (NULL: the same); the logo is a data: URL in it. -EMSGSIZE,
 * -EBADMSG: the logo is no PNG that can be read, -E2BIG: it is too large. */
int qr_put_svg_look(FILE *out, const char *text, const struct qr_look *look);
/* The same as a PNG: 1 bit a pixel, colours only with a logo. -EMSGSIZE,
 * -EBADMSG, -E2BIG (also: more pixels than QR_PIXELS_MAX), -EIO: `out` failed. */
int qr_put_png(FILE *out, const char *text, const struct qr_look *look);
/* For a terminal: two modules a character (U+2580, U+2584, U+2588), drawn light
 * on dark, as most terminals are. -EMSGSIZE. */
int qr_put_text(FILE *out, const char *text);

/* Whether these bytes are a logo that can be drawn: 0, -EBADMSG, -E2BIG. */
int qr_check_logo(const void *png, size_t len);

/* A data: URL of these bytes. */
void qr_put_data_url(FILE *out, const char *type, const void *data, size_t len);

#endif
