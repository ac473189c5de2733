/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the terms of use, read before the portal gives up its rights. Of
 * terms.txt there may be translations beside it: terms.sw.txt, terms.ar.txt.
 */
#ifndef PORTAL_TERMS_H
#define PORTAL_TERMS_H

#include "i18n.h"

#define TERMS_MAX (40 * 1024) /* bytes of one text */

/*
 * Reads the file and its translations; "" reads nothing. -E2BIG: one is too long;
 * -EBADMSG: one is not UTF-8 or has control characters; or the errno of reading
 * one that is there. The log says which file it is.
 */
int terms_load(const char *path);
void terms_fini(void);
/* The text in that language, or in that of the file itself. NULL: none. */
const char *terms_text(const struct lang *lang);

#endif
