/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page that a guest first asked for (docs/design.md T4). */
#ifndef PORTAL_URL_H
#define PORTAL_URL_H

#define URL_MAX      1024
#define URL_HOST_MAX 260

struct url {
	char url[URL_MAX];	  /* safe as an href once escaped for HTML */
	char host[URL_HOST_MAX]; /* with the port, to be shown */
};

/*
 * Takes an absolute http or https URL with a plain host name or address: no
 * user part (it could look like another host), no spaces, no characters that
 * browsers read differently than we do. -EINVAL otherwise, and for addresses
 * that operating systems probe: nobody asked for those.
 */
int url_parse(const char *text, struct url *ret_url);

#endif
