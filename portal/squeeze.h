/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages are sent compressed where that is safe: a third of the bytes, on links on
 * which each second counts. */
#ifndef PORTAL_SQUEEZE_H
#define PORTAL_SQUEEZE_H

#include "buf.h"
#include "request.h"

/*
 * Compresses a page (gzip) and says so in the answer's headers, if the browser
 * takes that. Not over TLS when the page may repeat what the request said: its
 * length would tell, try by try, about the token in it (BREACH).
 */
void squeeze_page(struct request *req, struct buf *body);
/* "gzip" among the codings of an Accept-Encoding header (NULL: none), not by q=0. */
bool squeeze_is_taken(const char *accept);

#endif
