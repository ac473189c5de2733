/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in pages that no template makes. */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include <stdio.h>

/* Escaped for a place between tags, or between double quotes in one. */
void html_put(FILE *out, const char *text);

#endif
