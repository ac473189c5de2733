/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QR codes, by libqrencode. */
#ifndef BASE_QR_H
#define BASE_QR_H

#include <stdio.h>

/*
 * Writes `text` as an <svg> of one path, without a size of its own: the page
 * says how large it is. Black on white with the quiet zone, error correction M.
 * -EMSGSIZE: too long for a code (2331 bytes).
 */
int qr_put_svg(FILE *out, const char *text);

#endif
