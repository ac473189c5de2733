/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guard before every handler. */
#ifndef PORTAL_GUARD_H
#define PORTAL_GUARD_H

#include "request.h"

/* The headers are in: finds the route and judges what they can be judged by.
 * 0, or the request was answered. */
int guard_headers(struct request *req);
/* The body is in. 0: the handler may run; else the request was answered. */
int guard_body(struct request *req);

#endif
