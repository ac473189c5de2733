/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vouchers to be printed and cut: a page of HTML that needs nothing else. */
#ifndef BASE_SHEET_H
#define BASE_SHEET_H

#include <stdio.h>

#include "base/json.h"

/* Whether there is paper of this name (a4, 80mm, 58mm), and words of this
 * language (ar, en, es, fil, fr, id, sw). */
bool sheet_has_paper(const char *name);
bool sheet_has_language(const char *name);

/*
 * Writes the "items" of a reply, as vouchers.sheet and vouchers.sell give them:
 * for each one venue, plan, price, code, and a QR code that opens the portal
 * with the code filled in. On rolls each is a page of its own.
 */
void sheet_print(FILE *out, const json_t *reply, const char *paper,
	const char *language);

#endif
