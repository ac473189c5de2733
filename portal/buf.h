/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows at its end: a page while it is made. */
#ifndef PORTAL_BUF_H
#define PORTAL_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* No page is near this; a template that runs wild stops here. */
#define BUF_MAX (256 * 1024)

/* All zero is a valid empty buffer; `data` is NULL until the first byte and
 * then has a NUL behind `len` bytes. */
struct buf {
	char *data;
	size_t len, size;
	bool overflow; /* BUF_MAX was reached and something is missing */
};

void buf_put(struct buf *buf, const char *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
/* As text of an HTML element or of a quoted attribute. */
void buf_put_html(struct buf *buf, const char *text, size_t len);
void buf_fini(struct buf *buf);

#endif
