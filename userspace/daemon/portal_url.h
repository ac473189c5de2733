/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a browser reaches the portal's two instances. */
#ifndef DAEMON_PORTAL_URL_H
#define DAEMON_PORTAL_URL_H

#include <stddef.h>

#include "base/config.h"

#define PORTAL_URL 320

bool portal_is_on(const struct config_network *network);
/* "http://10.77.0.1:8080/", the guests' on that network: by its name, which is
 * the same on every one, or by its address there. */
const char *portal_url(const struct config *config,
	const struct config_network *network, char buf[static PORTAL_URL]);
/* The operators', as that network's guests reach it; "": they do not. */
const char *portal_operators_url(const struct config *config,
	const struct config_network *network, char buf[static PORTAL_URL]);

#endif
