/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON API for guests (docs/api.md); handlers of routes.c. */
#ifndef PORTAL_API_H
#define PORTAL_API_H

#include "request.h"

void api_session(struct request *req);
void api_activate(struct request *req);
void api_restore(struct request *req);
void api_pause(struct request *req);
void api_resume(struct request *req);

#endif
