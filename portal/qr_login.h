/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging in by the venue's QR code: what the pages and the API share. A login
 * is kept as one cookie, "SESSIONID" of a guest and "SESSIONID.COOKIE" of whoever
 * is more: the second half proves that it was this browser (docs/design.md U5)
 * and is shown to nobody else.
 */
#ifndef PORTAL_QR_LOGIN_H
#define PORTAL_QR_LOGIN_H

#include "base/json.h"
#include "request.h"

#define COOKIE_QR "gh_qr"

struct qr_cookie {
	char session[CTL_TOKEN_LEN + 1];
	char secret[CTL_TOKEN_LEN + 1]; /* "": a guest's */
};

/* The browser's login; false: none. */
bool qr_cookie_read(struct request *req, struct qr_cookie *ret_cookie);
/* Puts a login into arguments: sessionId and, if there is one, cookie. */
void qr_cookie_put(const struct qr_cookie *cookie, json_t *args);
/* Keeps the login of a reply of qr.login, and its session token. */
void qr_cookie_keep(struct request *req, const json_t *reply);
void qr_cookie_delete(struct request *req);

/*
 * The token in what was scanned or pasted: itself, or the address on the poster
 * that has it. Lower case; NULL: there is none. The arena's.
 */
const char *qr_token(struct request *req, const char *text);
/* Arguments of qr.login; `secret` may be NULL. */
json_t *qr_login_args(struct request *req, const char *token, const char *id,
	const char *secret);

#endif
