/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Style sheet, script and pictures of the pages, embedded. */
#ifndef PORTAL_ASSETS_H
#define PORTAL_ASSETS_H

#include <stddef.h>

struct asset {
	const char *name; /* "portal.css" */
	const char *type; /* Content-Type */
	const char *data; /* for ever */
	size_t len;
};

#define ASSETS_VERSION_TEXT 13
/* Hash over all assets: part of their URLs, which are cached for ever. */
void assets_init(void);
const char *assets_version(void);
/* SHA-256 of the style sheet, base64: head.html has it in each page, so that the
 * first answer is enough to draw it. */
#define ASSETS_STYLE "portal.css"
const char *assets_style_hash(void);
/* 0 or -ENOENT. Templates and languages are no assets. */
int assets_lookup(const char *name, struct asset *ret_asset);

#endif
