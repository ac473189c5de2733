/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page that a guest first asked for (requirements: T4). */
#ifndef PORTAL_LINK_H
#define PORTAL_LINK_H

#define LINK_MAX      1024
#define LINK_HOST_MAX 260

struct link {
	char url[LINK_MAX];	  /* safe as an href once escaped for HTML */
	char host[LINK_HOST_MAX]; /* with the port, to be shown */
};

/*
 * Takes an absolute http or https URL with a plain host name or address: no
 * user part (it could look like another host), no spaces, no characters that
 * browsers read differently than we do. -EINVAL otherwise, and for addresses
 * that operating systems probe: nobody asked for those.
 */
int link_parse(const char *text, struct link *ret_link);

#endif
