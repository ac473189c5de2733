/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines ask to find out whether there is a portal: RFC 8908 and the
 * probes of operating systems; handlers of routes.c. */
#ifndef PORTAL_CAPTIVE_H
#define PORTAL_CAPTIVE_H

#include "request.h"

/* RFC 8908. */
void captive_api(struct request *req);
/* A probe: its expected answer when online, else a redirect to the portal. */
void captive_probe(struct request *req);
/* Where Windows sends the browser: always the portal. */
void captive_redirect(struct request *req);

#endif
