/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that the build put into the binary (scripts/embed.sh). */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

/* Arrays end with a row whose name is NULL; sorted by name. `data` has a NUL
 * behind its `len` bytes. */
struct embed {
	const char *name; /* base name of the file */
	const char *data;
	size_t len;
};

extern const struct embed embed_schema[]; /* userspace/store/schema */
extern const struct embed embed_portal[]; /* portal/templates, assets, lang */

#endif
