/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WISPr 1.0, what smart clients log in by; handlers of routes.c. */
#ifndef PORTAL_WISPR_H
#define PORTAL_WISPR_H

#include "buf.h"
#include "request.h"

/* Behind a page that asks for a code: where a program may send one. Nothing
 * without a certificate, for the login must be over TLS; nothing to browsers. */
void wispr_put_redirect(struct request *req, struct buf *body);
/* POST of UserName and Password: redeems a code. */
void wispr_login(struct request *req);
/* GET: the program has given up; nothing is to be undone. */
void wispr_abort(struct request *req);

#endif
